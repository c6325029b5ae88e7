"""Rows `resume.sim` of `gridpatrol bench fleet`: some tens of cuts through real processes.

What `fleet/bench/resume.py` does a thousand times in virtual time is done here by a
simulator, a broker and a gateway process: ten drones are cut by a recall or a low
battery, ten others by SIGKILL of their gateway in the air and a recall after it; the
gateway's own `resume_from` flies the rest, until it says that every picture is there.
"""

import asyncio
import contextlib
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fleet.bench.faultsite import SHOTS, Place, places, sortie, write
from fleet.bench.processes import Region, broker, region, simulator
from missions.errors import WorkFailed
from missions.measure import Job, Row, at_most, measured

_DRONES, _QUICK_DRONES = 10, 2
_SPEED = 6.0
_LIMIT_S = 2500.0  # simulated: a battery is charged meanwhile
_MOST_PARTS = 4


@dataclass(slots=True)
class Cut:
    """One sortie that was cut, and its rests."""

    drone: str
    way: str
    parts: int
    proven: tuple[int, ...]
    taken: int

    @property
    def missed(self) -> int:
        return SHOTS - len(set(self.proven))

    @property
    def repeated(self) -> int:
        return max(0, self.taken - SHOTS)


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    count = _QUICK_DRONES if job.quick else _DRONES
    found: list[Cut] = []
    for killed in (False, True):
        with tempfile.TemporaryDirectory(prefix="gridpatrol-resume-") as folder:
            found += asyncio.run(_Flights(count, Path(folder), killed=killed).fly())
    for cut in found:
        job.say(f"  {cut.drone} {cut.way}: {cut.parts} parts, missed {cut.missed}, repeated {cut.repeated}")
    job.raw.write("resume.sim", *(asdict(c) for c in found))
    yield measured("resume.sim.cuts", len(found), unit="sorties", clock="none")
    yield at_most("resume.sim.missed", sum(c.missed for c in found), 0, unit="shots", clock="none")
    most = max(c.repeated / max(1, c.parts - 1) for c in found)
    yield at_most("resume.sim.max_duplicates", most, 1, unit="a cut", clock="none")


class _Flights:
    """Some sorties in one simulator, cut and flown to their ends."""

    def __init__(self, count: int, folder: Path, *, killed: bool) -> None:
        self._places = places(count)
        self._folder = folder
        self._killed = killed
        self._rng = random.Random(11 + killed)
        self._ways = {p.drone: self._way(n) for n, p in enumerate(self._places)}

    def _way(self, number: int) -> str:
        if self._killed:
            return "kill and recall"
        return "recall" if number % 2 == 0 else "battery"

    async def fly(self) -> list[Cut]:
        """Fly them all, cut them all, fly their rests."""
        site, faults = self._folder / "site.yaml", self._folder / "faults.json"
        write(self._places, site)
        low = [
            {"kind": "battery", "drone": d, "share": 0.14, "after": "takeoff", "at_s": self._when()}
            for d, way in self._ways.items()
            if way == "battery"
        ]
        faults.write_text(json.dumps({"seed": 3, "faults": low}))
        arguments = (
            *("--site", str(site), "--drones", str(len(self._places)), "--mavlink-port", "0"),
            *("--speed", f"{_SPEED:g}", "--faults", str(faults)),
        )
        async with broker(self._folder) as mqtt, simulator(*arguments, "--mqtt", mqtt) as there:
            return await self._through({**there, "mqtt": mqtt})

    async def _through(self, there: dict[str, Any]) -> list[Cut]:
        folder = self._folder / "gateway"
        folder.mkdir()
        async with contextlib.AsyncExitStack() as stack:
            gateway = await stack.enter_async_context(region(folder, there))
            await gateway.until(lambda: gateway.states)
            await asyncio.sleep(45.0 / _SPEED)  # until they have their positions
            for place in self._places:
                order = sortie(place, f"S-{place.drone}")
                await self._accepted(
                    gateway, {"id": f"fly-{order.id}", "action": "fly", "sortie": order.to_json()}
                )
            if self._killed:
                await gateway.until(lambda: all(_flies(gateway, p) for p in self._places), 300.0)
                before = gateway.events
                await gateway.kill()
                gateway = await stack.enter_async_context(region(folder, there))
                gateway.events += before
            return list(await asyncio.gather(*(self._to_its_end(gateway, p) for p in self._places)))

    async def _to_its_end(self, gateway: Region, place: Place) -> Cut:
        way, name = self._ways[place.drone], f"S-{place.drone}"
        if way != "battery":
            await gateway.until(lambda: _flies(gateway, place) or gateway.over(name), 300.0)
            # The next gateway takes some simulated seconds to start: no more than a few later.
            await asyncio.sleep((self._rng.uniform(0.0, 15.0) if self._killed else self._when()) / _SPEED)
            recall = {"id": f"recall-{name}", "action": "recall", "sortie": {"id": name}}
            await gateway.command(recall)
        ends = [await self._over(gateway, name)]
        while len(ends) < _MOST_PARTS:
            part = f"{name}-{len(ends) + 1}"
            body = {"action": "resume_from", "sortie": {"id": ends[-1]["sortie"]}, "as": {"id": part}}
            reply = await gateway.command({"id": f"resume-{part}", **body})
            if not reply["accepted"]:
                if "every picture" not in reply["reason"]:
                    raise WorkFailed(f"{part}: {reply['reason']}")
                break
            ends.append(await self._over(gateway, part))
        proven = tuple(sorted(shot for end in ends for shot in end["proven"]))
        return Cut(place.drone, way, len(ends), proven, sum(e["shots"]["taken"] for e in ends))

    async def _over(self, gateway: Region, name: str) -> dict[str, Any]:
        await gateway.until(lambda: gateway.over(name), _LIMIT_S / _SPEED)
        end = gateway.over(name)
        assert end is not None
        return end

    async def _accepted(self, gateway: Region, body: dict[str, Any]) -> None:
        reply = await gateway.command(body)
        if not reply["accepted"]:
            raise WorkFailed(f"{body['id']}: {reply['reason']}")

    def _when(self) -> float:
        """Return a moment of the flight, in simulated seconds after take-off."""
        return self._rng.uniform(18.0, 60.0)


def _flies(gateway: Region, place: Place) -> bool:
    return any(e["state"] == "flying" for e in gateway.told(f"S-{place.drone}"))
