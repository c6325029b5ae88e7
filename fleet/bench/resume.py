"""Rows `resume` of `gridpatrol bench fleet`: sorties cut anywhere, and their rest flown.

Each history is one sortie of two cameras, cut, its rest flown by the same drone or
another one, from the same dock or another one, cut again, until nothing is missing.
The real dispatcher, machine, journal and `rest_of` fly model drones in virtual
time (`fleet/bench/model_drone.py`); the link loses a tenth of all picture records.

    recall     a person calls it home
    battery    low: the gateway calls it home
    critical   the autopilot lands where it is; another drone flies the rest
    kill       the gateway dies, and up to a minute later another process takes the sortie up;
               in every other case the drone has turned home by itself meanwhile
    dark       the gateway dies, and the drone lands unheard before the next one is there

In half of the cuts one of the two cameras fails at the shot of the cut.
A shot is *missed* if some camera never took it; it is taken *twice for a cut* if
the rest flown after it repeats what the cut sortie had.
"""

import asyncio
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fleet.autopilots import Flying
from fleet.bench import resume_sim
from fleet.bench.model_drone import CAMERAS, ModelCarrier, ModelDrone, patrol
from fleet.dispatcher import Dispatcher, Surroundings
from fleet.frames import Haul
from fleet.journal import Journal
from fleet.messages import PictureTaken
from fleet.order import DockPlace, SortieOrder
from fleet.resume import rest_of
from fleet.stages import Stage, Wish
from missions.geo import moved
from missions.measure import Job, Row, at_most, measured

_CUTS, _QUICK_CUTS = 1000, 30
_DOCK = DockPlace("dock-a", 30.28, 119.42, 82.0)
_WAYS = ("recall", "battery", "critical", "kill", "dark")
_DOWN_S = 60.0
_AGAIN = 0.4  # the chance that the rest is cut, too
_LIMIT_BEATS = 20_000
_VIRTUAL = ("cuts", "missed", "max_duplicates", "duplicates", "camera_not_restored")


@dataclass(slots=True)
class Cut:
    """One cut: what cut it, at which of its shots, and what it cost."""

    way: str
    taken: int
    planned: int
    repeated: int
    same_drone: bool
    same_dock: bool


@dataclass(slots=True)
class History:
    """One sortie from its first take-off to the last picture of its rest."""

    seed: int
    shots: int
    cuts: list[Cut] = field(default_factory=list)
    missed: int = 0
    unlike: int = 0  # pictures taken with another attitude or speed than planned


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group: in virtual time, and some tens through real processes."""
    if any(job.wants(f"resume.{name}") for name in _VIRTUAL):
        yield from _in_virtual_time(job)
    if job.wants("resume.sim.cuts") and not job.quick:
        yield from resume_sim.rows(job)


def _in_virtual_time(job: Job) -> Iterator[Row]:
    wanted = _QUICK_CUTS if job.quick else _CUTS
    histories: list[History] = []
    cuts = 0
    with tempfile.TemporaryDirectory(prefix="gridpatrol-resume-", dir=_memory()) as folder:
        while cuts < wanted:
            history = asyncio.run(_history(len(histories) + 1, Path(folder)))
            histories.append(history)
            cuts += len(history.cuts)
    for history in histories:
        told = [_told(c) for c in history.cuts]
        job.raw.write(
            "resume", {"seed": history.seed, "shots": history.shots, "missed": history.missed, "cuts": told}
        )
    found = [c for h in histories for c in h.cuts]
    ways = ", ".join(f"{n} {way}" for way, n in sorted(Counter(c.way for c in found).items()))
    yield measured("resume.cuts", len(found), unit="cuts", clock="simulated", anchor=ways)
    yield at_most("resume.missed", sum(h.missed for h in histories), 0, unit="shots", clock="simulated")
    yield at_most("resume.max_duplicates", max(c.repeated for c in found), 1, unit="a cut", clock="simulated")
    yield measured("resume.duplicates", sum(c.repeated for c in found), unit="shots", clock="simulated")
    yield at_most(
        "resume.camera_not_restored", sum(h.unlike for h in histories), 0, unit="shots", clock="simulated"
    )


def _memory() -> str | None:
    """Return a folder in memory where there is one: a thousand journals would wear a disk and measure it."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _told(cut: Cut) -> dict[str, object]:
    return {name: getattr(cut, name) for name in Cut.__slots__}


class _Files:
    """Takes every picture off the drone at once: how files travel is measured elsewhere."""

    def want(self, haul: Haul, record: PictureTaken, shot: int | None) -> None:
        key = (record.component, record.index)
        if key not in haul.wanted:
            haul.wanted.add(key)
            haul.files += 1

    def want_lost(self, haul: Haul) -> None:
        """Nothing is ever lost here."""


class _Region:
    """What a gateway process is for one sortie: a journal on disk and a dispatcher that may be killed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.sqlite"

    async def fly(self, order: SortieOrder, carrier: ModelCarrier, cut: "_Cutter") -> frozenset[int]:
        """Fly an order to its end, over all kills; return the shots it proved."""
        journal = Journal(self._path)
        journal.accept(f"c-{order.id}", {}, order)
        open_sortie = None
        while True:
            dispatcher = Dispatcher(order, carrier, self._around(journal))
            task = asyncio.create_task(dispatcher.run(open_sortie))
            carrier.each_beat = lambda d=dispatcher, t=task: cut.beat(d, t)  # type: ignore[misc]
            with suppress(asyncio.CancelledError):
                await task
            if dispatcher.machine.stage.is_over:
                flown = journal.flown(order.id)
                journal.close()
                assert flown is not None
                return flown.proven
            journal.close()
            await cut.while_nobody_listens(carrier)
            journal = Journal(self._path)
            open_sortie = next(o for o in journal.open_sorties() if o.order.id == order.id)

    def _around(self, journal: Journal) -> Surroundings:
        return Surroundings(self._path.parent, journal, _Files(), None, lambda: None)


class _Cutter:
    """Cuts one sortie at a moment of its flight."""

    def __init__(self, way: str | None, rng: random.Random, drone: ModelDrone, order: SortieOrder) -> None:
        self.way = way
        self.done = False
        self._rng = rng
        self._drone = drone
        self._at_shot = rng.randint(0, order.shots)
        self._fails = way is not None and self._at_shot > 0 and rng.random() < 0.5
        self._late_s = 0.0 if self._fails else rng.uniform(0.0, 6.0)
        self._before = len(drone.taken)
        self._beats = 0

    def beat(self, dispatcher: Dispatcher, task: "asyncio.Task[None]") -> None:
        """Cut when it is time."""
        self._beats += 1
        if self._beats > _LIMIT_BEATS:
            raise AssertionError(f"{dispatcher.order.id} never ended: {dispatcher.machine.stage}")
        shots = sum(s.camera == CAMERAS[0] for s in self._drone.taken[self._before :])
        if self._fails and not self.done and shots == self._at_shot - 1:
            self._drone.cameras = CAMERAS[:1]  # the other one fails at the shot of the cut
        if self.way is None or self.done or shots < self._at_shot:
            return
        if dispatcher.machine.stage is not Stage.FLYING:
            return
        self._late_s -= 0.5
        if self._late_s > 0.0:
            return
        self.done = True
        self._drone.cameras = CAMERAS
        self._cut(dispatcher, task)

    def _cut(self, dispatcher: Dispatcher, task: "asyncio.Task[None]") -> None:
        match self.way:
            case "recall":
                dispatcher.wish(Wish.RECALL)
            case "battery":
                self._drone.percent = 12.0
            case "critical":
                self._drone.flying = Flying.LAND
            case _:
                task.cancel()

    async def while_nobody_listens(self, carrier: ModelCarrier) -> None:
        """Let the drone fly on without a gateway."""
        drone = self._drone
        carrier.each_beat = lambda: None
        carrier.on_camera = None
        if self._rng.random() < 0.5:
            drone.flying = Flying.RETURN
        for _ in range(int(self._rng.uniform(0.0, _DOWN_S) / 0.5) if self.way == "kill" else 0):
            await carrier.beat()
        while self.way == "dark" and drone.armed:
            await carrier.beat()


async def _history(seed: int, folder: Path) -> History:
    rng = random.Random(seed)
    (folder / str(seed)).mkdir()
    region = _Region(folder / str(seed))
    drones = [ModelDrone(f"D{n}", _DOCK.place, rng) for n in (1, 2)]
    order = patrol(rng, _DOCK, "S1", "D1")
    history = History(seed, order.shots)
    left: SortieOrder | None = order
    drone, number = drones[0], 1
    while left is not None:
        drone.at, drone.percent, drone.home = left.dock.place, 100.0, left.dock.place
        carrier = ModelCarrier(drone)
        way = rng.choice(_WAYS) if number == 1 or rng.random() < _AGAIN else None
        cutter = _Cutter(way, rng, drone, left)
        before = len(drone.taken)
        proven = await region.fly(left, carrier, cutter)
        flown = {s.shot for s in drone.taken[before:]}
        other = rng.random() < 0.5 or way == "critical"
        dock = _other_dock(rng) if rng.random() < 0.3 else None
        number += 1
        next_drone = drones[(drones.index(drone) + 1) % 2] if other else drone
        rest = rest_of(left, proven, id=f"S{number}", drone=next_drone.name, dock=dock)
        if cutter.done:
            repeated = len(flown & set(rest.shot_places())) if rest is not None else 0
            history.cuts.append(
                Cut(str(way), len(flown), left.shots, repeated, next_drone is drone, dock is None)
            )
        left, drone = rest, next_drone
    _judge(history, order, drones)
    return history


def _other_dock(rng: random.Random) -> DockPlace:
    place = moved(_DOCK.place, rng.uniform(0.0, 360.0), rng.uniform(100.0, 400.0))
    return DockPlace("dock-b", place.lat_deg, place.lon_deg, _DOCK.elevation_m + rng.uniform(-20.0, 20.0))


def _judge(history: History, order: SortieOrder, drones: list[ModelDrone]) -> None:
    """Compare what was really taken with what was planned."""
    planned = _planned(order)
    taken = [s for d in drones for s in d.taken]
    for camera in CAMERAS:
        history.missed += len(planned.keys() - {s.shot for s in taken if s.camera == camera})
    history.unlike = sum((s.pitch_deg, s.speed_m_s) != planned[s.shot] for s in taken)


def _planned(order: SortieOrder) -> dict[int, tuple[float | None, float]]:
    """Return the attitude and speed each shot is planned with."""
    pitch_deg: float | None = None
    speed_m_s = 0.0
    planned = {}
    for item in order.items:
        if item.command == 205:
            pitch_deg = item.params[0]
        elif item.command == 178:
            speed_m_s = item.params[1]
        elif item.shot is not None:
            planned[item.shot] = (pitch_deg, speed_m_s)
    return planned
