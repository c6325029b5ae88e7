"""Rows `faults` of `gridpatrol bench fleet`: each fault of docs/failsafe.md, injected into a flight.

For each autopilot personality the faults are flown in batches: one simulator
process with a drone, a dock and an alternate dock for each fault, one gateway process,
one broker for the docks. A fault is *explained* if its sortie ended in the state that
the table names, told what the table says is told, and never told "landed" of a
drone that moved on afterwards.
"""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fleet.bench.faultsite import Place, above_ground_m, places, sortie, write
from fleet.bench.processes import Region, broker, region, simulator
from fleet.failsafe import FAULTS, End, Fault
from fleet.order import SortieOrder
from fleet.stages import Wish
from missions.clock import Clock, clock_from
from missions.errors import WorkFailed
from missions.geo import LatLon, distance_m
from missions.measure import Job, Row, at_least, at_most, measured

AUTOPILOTS = ("arducopter", "px4")
_BATCH = 10
_SPEED = 6.0
_READY_S = 45.0  # simulated, from the simulator's start: the position estimate
_LIMIT_S = 1500.0  # simulated: a battery to be charged takes longest
_STILL_S = 8.0  # simulated: a drone that was told landed must not move in it
_STILL_M = 1.5
_GROUND_M = 12.0  # what an estimate that was led astray may be wrong by on a slope
_DOWN_S = 15.0  # simulated: how long nobody is there after a kill
_QUICK = ("recall", "home_shut")


@dataclass(slots=True)
class Found:
    """What became of one fault."""

    fault: str
    autopilot: str
    wanted: End
    ended: str
    told: str
    landed_in_the_air: bool
    why: str

    @property
    def explained(self) -> bool:
        """Whether it ended as the table says, and said so."""
        return self.ended == self.wanted and not self.why and not self.landed_in_the_air


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    chosen = [f for f in FAULTS if not job.quick or f.id in _QUICK]
    named = [w.removeprefix("faults.") for w in job.only if w.startswith("faults.")]
    ids = {f.id for f in FAULTS}
    if ids & set(named):  # --only faults.home_shut flies that one alone
        chosen = [f for f in FAULTS if f.id in named]
    found = [f for autopilot in AUTOPILOTS for f in _fly(autopilot, chosen, job)]
    wrong = [f for f in found if not f.explained]
    anchor = "; ".join(f"{f.fault} on {f.autopilot}" for f in wrong) or None
    yield at_least("faults.total", len(chosen), 40, unit="faults", clock="none")
    yield measured("faults.flown", len(found), unit="sorties", clock="none")
    yield at_most("faults.unexplained", len(wrong), 0, unit="sorties", clock="none", anchor=anchor)
    in_air = sum(f.landed_in_the_air for f in found)
    yield at_most("faults.landed_in_the_air", in_air, 0, unit="sorties", clock="none")


def _fly(autopilot: str, chosen: Sequence[Fault], job: Job) -> list[Found]:
    killed = [f for f in chosen if f.kill]
    others = [f for f in chosen if not f.kill]
    found: list[Found] = []
    for faults in (killed, others):
        for at in range(0, len(faults), _BATCH):
            batch = faults[at : at + _BATCH]
            job.say(f"{autopilot}: {', '.join(f.id for f in batch)}")
            with tempfile.TemporaryDirectory(prefix="gridpatrol-faults-") as folder:
                flown = asyncio.run(_Batch(autopilot, batch, Path(folder)).fly())
            for line in _lines(flown):
                job.say(line)
            job.raw.write("faults", *(asdict(f) | {"explained": f.explained} for f in flown))
            found += flown
    return found


class _Batch:
    """Some faults that fly at once in one simulator, through one gateway."""

    def __init__(self, autopilot: str, faults: Sequence[Fault], folder: Path) -> None:
        self._autopilot = autopilot
        self._faults = faults
        self._folder = folder
        self._places = places(len(faults))
        self._speed = _SPEED
        self._clock: Clock | None = None
        self._began_s = 0.0

    async def fly(self) -> list[Found]:
        """Fly them all and return what became of each."""
        site, file = self._folder / "site.yaml", self._folder / "faults.json"
        write(self._places, site)
        entries = [e for f, p in zip(self._faults, self._places, strict=True) for e in _entries(f, p)]
        file.write_text(json.dumps({"seed": 7, "faults": entries}))
        arguments = (
            *("--site", str(site), "--drones", str(len(self._faults)), "--mavlink-port", "0"),
            *("--autopilot", self._autopilot, "--speed", f"{self._speed:g}", "--faults", str(file)),
        )
        async with broker(self._folder) as mqtt, simulator(*arguments, "--mqtt", mqtt) as there:
            self._clock = clock_from(there["clock"])
            self._began_s = time.monotonic()
            return await self._fly_through({**there, "mqtt": mqtt})

    async def _fly_through(self, there: dict[str, Any]) -> list[Found]:
        folder = self._folder / "gateway"
        folder.mkdir()
        async with contextlib.AsyncExitStack() as stack:
            gateway = await stack.enter_async_context(region(folder, there))
            await asyncio.sleep(max(0.0, _READY_S / self._speed - (time.monotonic() - self._began_s)))
            for fault, place in zip(self._faults, self._places, strict=True):
                order = sortie(place, f"S-{fault.id}")
                await self._fly_one(gateway, order)
            asking = [
                asyncio.create_task(self._ask(gateway, f, p))
                for f, p in zip(self._faults, self._places, strict=True)
            ]
            if any(f.kill for f in self._faults):
                await asyncio.gather(*asking)
                await self._airborne(gateway, 25.0)
                before = gateway.events
                await gateway.kill()
                await asyncio.sleep(_DOWN_S / self._speed)
                gateway = await stack.enter_async_context(region(folder, there))
                gateway.events += before
            return list(
                await asyncio.gather(
                    *(self._watch(gateway, f, p) for f, p in zip(self._faults, self._places, strict=True))
                )
            )

    async def _fly_one(self, gateway: Region, order: SortieOrder) -> None:
        """Give the order to fly; a gateway that is still starting is asked again."""
        await gateway.until(lambda: gateway.states)
        reply = await gateway.command({"id": f"fly-{order.id}", "action": "fly", "sortie": order.to_json()})
        if not reply["accepted"]:
            raise WorkFailed(f"{order.id} was not accepted: {reply['reason']}")

    async def _airborne(self, gateway: Region, seconds: float) -> None:
        """Wait until every drone has been in the air for so many simulated seconds."""
        names = [f"S-{f.id}" for f in self._faults]
        await gateway.until(lambda: all(_flew(gateway.told(n)) or gateway.over(n) for n in names), 200.0)
        await asyncio.sleep(seconds / self._speed)

    async def _ask(self, gateway: Region, fault: Fault, place: Place) -> None:
        """Ask what a person asks, some time after take-off."""
        if fault.asked is None:
            return
        name = f"S-{fault.id}"
        with contextlib.suppress(TimeoutError):
            await gateway.until(lambda: _flew(gateway.told(name)) or gateway.over(name), 300.0)
            await asyncio.sleep((40.0 if fault.kill else fault.asked_s) / self._speed)
            body = {"id": f"{fault.asked}-{name}", "action": str(fault.asked), "sortie": {"id": name}}
            if fault.asked is Wish.DIVERT:
                body["to"] = place.alternate.id
            await gateway.command(body)

    async def _watch(self, gateway: Region, fault: Fault, place: Place) -> Found:
        """Wait for a sortie's end and a little longer, and judge it."""
        name = f"S-{fault.id}"
        moved_on = False
        with contextlib.suppress(TimeoutError):
            landed = asyncio.create_task(self._moves_on(gateway, name, place))
            await gateway.until(lambda: gateway.over(name), _LIMIT_S / self._speed)
            moved_on = await landed
        events = gateway.told(name)
        ended = _ended(events, gateway.states.get(place.drone), place)
        wanted, told = fault.ends_on(self._autopilot), fault.told_on(self._autopilot)
        said = " | ".join(f"{e['state']}: {e['evidence']}" for e in events)
        why = "" if told.lower() in said.lower() else f"{told!r} was not told"
        if ended != wanted:
            why = f"ended in {ended!r}"
        return Found(fault.id, self._autopilot, wanted, ended, said, moved_on, why)

    async def _moves_on(self, gateway: Region, name: str, place: Place) -> bool:
        """Return whether a drone that was told landed is above the ground, armed, or moves afterwards."""
        with contextlib.suppress(TimeoutError):
            await gateway.until(
                lambda: _landed(gateway.told(name)) or gateway.over(name), _LIMIT_S / self._speed
            )
        if not _landed(gateway.told(name)):
            return False
        await asyncio.sleep(0.6)  # until a state has come that is younger than the landing
        first = gateway.states[place.drone]
        until = time.monotonic() + max(2.0, _STILL_S / self._speed)
        while time.monotonic() < until:
            state = gateway.states[place.drone]
            if state["armed"] or abs((state["altitude_m"] or 0.0) - (first["altitude_m"] or 0.0)) > _STILL_M:
                return True
            await asyncio.sleep(0.3)  # states are told a few times a second
        return above_ground_m(first) > _GROUND_M


def _entries(fault: Fault, place: Place) -> list[dict[str, Any]]:
    """Return a fault's lines of the fault file, for its own drone or dock."""
    return [
        {**entry, "dock": place.dock.id}
        if entry["kind"].startswith("dock")
        else {**entry, "drone": place.drone}
        for entry in fault.injected
    ]


def _flew(events: list[dict[str, Any]]) -> bool:
    return any(e["state"] == "flying" for e in events)


def _landed(events: list[dict[str, Any]]) -> bool:
    return any("landed_at" in e for e in events)


def _ended(events: list[dict[str, Any]], state: dict[str, Any] | None, place: Place) -> str:
    """Return in which of the four states a sortie ended, or what else it did."""
    over = next((e for e in events if e["state"] in ("done", "failed")), None)
    if over is None:
        return f"never ended ({events[-1]['state'] if events else 'nothing told'})"
    if "landed_at" not in over:
        stands = state is not None and state["lat_deg"] is not None and not state["armed"]
        away_m = (
            distance_m(LatLon(state["lat_deg"], state["lon_deg"]), place.dock.place)
            if stands and state
            else 0.0
        )
        return (
            End.KEPT
            if away_m < 30.0 and not (state or {}).get("armed")
            else f"{away_m:.0f} m away, not landed"
        )
    kinds = {"dock": End.DOCK, "alternate": End.ALTERNATE, "open ground": End.GROUND}
    return kinds[over["landed_at"]["kind"]]


def _lines(found: Sequence[Found]) -> Iterator[str]:
    """Yield a line each: fault, autopilot, what the table says, where it ended, whether that is explained."""
    for f in found:
        verdict = "yes" if f.explained else f"NO: {f.why or 'landed in the air'}"
        yield f"  {f.fault:<22} {f.autopilot:<11} {f.wanted:<19} {f.ended:<19} {verdict}"
