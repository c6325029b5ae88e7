"""Rows `escalation.*`: a thousand timers while their processes are killed, and alerts that are acknowledged.

Two timekeepers run as processes of their own on one SQLite database, as the api and the
coordinator each hold one. Again and again one of them, at random, is killed with SIGKILL and
started anew while the other goes on; a timer is late when its call was committed more than a
second after it was due, by the wall clock. Every second alert is acknowledged at a random moment of
its ladder; the history of an alert has the order of its commits, so a call after the
acknowledgement shows there. At the end both are killed at once and left dead for a while:
what was due meanwhile must be called when they are back.
"""

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api import children, logs
from api.alerts import AlertAct
from api.confirming import Seen
from api.escalation import Patience, ladder
from api.orders import By
from api.pictures import open_pictures
from api.schemas import FrameIn
from api.services import Options, Services
from api.store import alerting, frames
from api.store.absorbing import absorb_all
from api.store.engine import database_url, open_database
from api.store.fleet import seed_site
from api.store.models import AlertRow
from api.store.tables.orders import AlertStepRow, TimerRow
from missions.clock import SystemClock
from missions.duty import Channel, Duty, Member
from missions.geo import Area, LatLon
from missions.measure import Job, Row, at_least, at_most, measured
from missions.model import Agency, Hazard, Severity, Site, Subscription
from missions.site import load_site
from missions.terrain import Terrain
from vision.model import Ellipse, Observation

SEED = 20261122
ALERTS, QUICK = 260, 24
TOLD_OVER_S = 60.0
PATIENCE = Patience(channel_s=5.0, person_s=12.0)
KILL_EVERY_S = (2.0, 6.0)
LATE_S = 1.0
OUTAGE_S = 6.0
SOUTH, WEST, STEP_DEG = 30.0, 119.0, 0.02
VALLEY = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"


@dataclass(slots=True)
class Kept:
    """What the database says afterwards."""

    timers: list[dict[str, Any]] = field(default_factory=list)
    after_ack: int = 0
    acknowledged: int = 0
    lost: int = 0


def rows(job: Job) -> Iterator[Row]:
    """Yield `escalation.late`, `.after_ack` and what they were measured on."""
    many, scale = (QUICK, 0.2) if job.quick else (ALERTS, 1.0)
    logs.configure("bench", "warning")
    with tempfile.TemporaryDirectory() as folder:
        kills, kept, outage = asyncio.run(_measure(Path(folder), many, scale))
    job.raw.write("escalation.timers", *kept.timers)
    lateness = [t["late_s"] for t in kept.timers if not t["in_outage"]]
    after = [t["late_s"] for t in kept.timers if t["in_outage"]]
    yield at_most("escalation.late", sum(s > LATE_S for s in lateness), 0, unit=f"of {len(lateness)} timers")
    yield at_most(
        "escalation.after_ack", kept.after_ack, 0, unit=f"of {kept.acknowledged} alerts", clock="none"
    )
    yield at_most("escalation.lost", kept.lost, 0, unit="calls", clock="none")
    yield measured("escalation.latest_s", max(lateness, default=0.0), unit="s")
    yield measured("escalation.kills", kills, unit="kill -9", clock="none")
    if not job.quick:
        yield at_least("escalation.timers", len(kept.timers), 1_000, unit="timers", clock="none")
    back_s = max(after, default=0.0) - outage
    yield measured("escalation.after_outage_s", max(back_s, 0.0), unit="s after both were back")


async def bench_services(data: Path, patience: Patience) -> Services:
    """Return a service on the database of a folder, with one agency of three people and two channels each."""

    async def nobody(*_: Any) -> Any:
        return {}

    site = bench_site()
    return Services(
        database=await open_database(database_url(None, folder=data), migrate=False),
        pictures=open_pictures(str(data / "pictures")),
        clock=SystemClock(),
        site=site,
        terrain=Terrain.open(site.terrain),
        publish=nobody,
        command=nobody,
        request_plan=nobody,
        options=Options(patience=patience),
    )


def bench_site() -> Site:
    """Return the example site with one agency that is told of every fire far and wide."""
    channels = (Channel("mail", "duty@agency.example"), Channel("sms", "+1"))
    people = tuple(Member(f"m{n}", f"Officer {n}", frozenset({Duty.OFFICER}), channels) for n in range(3))
    corners = ((SOUTH, WEST), (SOUTH, WEST + 1), (SOUTH + 1, WEST + 1), (SOUTH + 1, WEST))
    ground = (Area(tuple(LatLon(lat, lon) for lat, lon in corners)),)
    wants = (Subscription(frozenset({Hazard.FIRE}), Severity.BLUE),)
    name = {"en-US": "Agency", "zh-CN": "部门"}
    agency = Agency("agency", name, "zh-CN", ground, wants, channels=(), members=people)
    return replace(load_site(VALLEY), agencies=(agency,))


async def _measure(data: Path, many: int, scale: float) -> tuple[int, Kept, float]:
    database = await open_database(database_url(None, folder=data))
    async with database.write() as session:
        await seed_site(session, bench_site(), gateway="g1")
    await database.close()
    patience = Patience(PATIENCE.channel_s * scale, PATIENCE.person_s * scale)
    services = await bench_services(data, patience)
    keepers = [_Keeper(data, scale), _Keeper(data, scale)]
    try:
        for keeper in keepers:
            await keeper.start()
        killing = asyncio.create_task(_kill(keepers, random.Random(SEED)))
        await _tell_and_acknowledge(services, many, patience, TOLD_OVER_S * scale)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        kills = sum(keeper.kills for keeper in keepers)
        outage = await _outage(services, keepers, many, patience)
        return kills, await _kept(services, patience, outage), (outage[1] - outage[0]).total_seconds()
    finally:
        for keeper in keepers:
            await keeper.stop()
        await services.database.close()


class _Keeper:
    """One timekeeper process."""

    def __init__(self, data: Path, scale: float) -> None:
        self._command = [sys.executable, "-m", "api.bench.keeper", str(data), str(scale)]
        self._process: asyncio.subprocess.Process | None = None
        self.kills = 0

    async def start(self) -> None:
        self._process = await children.start(
            self._command, environment=dict(os.environ), stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        await self._process.stdout.readline()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
            self.kills += 1

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await children.stop(self._process)


async def _kill(keepers: list[_Keeper], chance: random.Random) -> None:
    while True:
        await asyncio.sleep(chance.uniform(*KILL_EVERY_S))
        victim = chance.choice(keepers)
        await victim.kill()
        await victim.start()


async def _tell_and_acknowledge(services: Services, many: int, patience: Patience, over_s: float) -> None:
    """Raise alerts over some time, acknowledge every second one, and wait until all ladders are climbed."""
    chance = random.Random(SEED + 1)
    whole_s = ladder(services.site.agencies[0], datetime.now(UTC), "UTC", patience)[-1].after_s
    async with asyncio.TaskGroup() as group:
        for number in range(many):
            await tell(services, number)
            if number % 2:
                group.create_task(_acknowledge(services, number, chance.uniform(0, whole_s)))
            await asyncio.sleep(over_s / many)
    await asyncio.sleep(whole_s + 2 * LATE_S)


async def _acknowledge(services: Services, number: int, after_s: float) -> None:
    await asyncio.sleep(after_s)
    async with services.database.write() as session:
        row = await alerting.whole(session, await _alert_id(session, number))
        assert row is not None
        now, by = services.clock.now(), (By.OFFICER,)
        await alerting.act(session, row, AlertAct.ACKNOWLEDGE, by=by, name="officer", now=now)


async def tell(services: Services, number: int) -> None:
    """Let one more fire be seen, a kilometre and more from all others."""
    now, frame = services.clock.now(), f"00000000-0000-4000-8000-{number:012}"
    place = LatLon(SOUTH + STEP_DEG * (1 + number // 40), WEST + STEP_DEG * (1 + number % 40))
    meta = {
        "id": frame,
        "gateway": "g1",
        "drone": "D1",
        "sortie": "P1-S1",
        "shot": number,
        "sensor": "thermal",
        "taken_at": now,
        "sha256": f"{number:064x}",
        "name": "GP.TIF",
        "bytes": 1,
    }
    seen = Observation(
        f"o{number}", Hazard.FIRE, 0.9, place, Ellipse(5, 4, 30), now, frame, "bench 1", 1.0, 400.0
    )
    async with services.database.write() as session:
        await frames.accept_frame(session, FrameIn.model_validate(meta), key=frame, now=now)
        await absorb_all(session, [Seen(frame, seen)], site=services.site, now=now, live=services.live)


async def _outage(
    services: Services, keepers: list[_Keeper], many: int, patience: Patience
) -> tuple[datetime, datetime]:
    """Kill both at once while ladders are under way; return when they died and when the first was back."""
    for number in range(many, many + 10):
        await tell(services, number)
    await asyncio.sleep(2 * LATE_S)
    await asyncio.gather(*(keeper.kill() for keeper in keepers))
    died_at = datetime.now(UTC)
    await asyncio.sleep(OUTAGE_S)
    await asyncio.gather(*(keeper.start() for keeper in keepers))
    back_at = datetime.now(UTC)
    whole_s = ladder(services.site.agencies[0], died_at, "UTC", patience)[-1].after_s
    await asyncio.sleep(whole_s + 2 * LATE_S)
    return died_at, back_at


async def _kept(services: Services, patience: Patience, outage: tuple[datetime, datetime]) -> Kept:
    kept, rungs = Kept(), len(ladder(services.site.agencies[0], outage[0], "UTC", patience))
    async with services.database.read() as session:
        for timer in await session.scalars(select(TimerRow).where(TimerRow.fired_at.is_not(None))):
            assert timer.fired_at is not None
            died, back = outage[0] - timedelta(seconds=LATE_S), outage[1] + timedelta(seconds=LATE_S)
            kept.timers.append(
                {
                    "id": timer.id,
                    "due_at": timer.due_at.isoformat(),
                    "late_s": (timer.fired_at - timer.due_at).total_seconds(),
                    "in_outage": died <= timer.due_at <= back,
                }
            )
        history: dict[str, list[str]] = {}
        for alert, act in await session.execute(
            select(AlertStepRow.alert, AlertStepRow.act).order_by(AlertStepRow.seq)
        ):
            history.setdefault(alert, []).append(act)
    for acts in history.values():
        if "acknowledge" in acts:
            kept.acknowledged += 1
            kept.after_ack += "call" in acts[acts.index("acknowledge") :]
        else:
            kept.lost += rungs - acts.count("call")
    return kept


async def _alert_id(session: Any, number: int) -> str:
    query = select(AlertRow.id).order_by(AlertRow.raised_at).offset(number).limit(1)
    return str(await session.scalar(query))
