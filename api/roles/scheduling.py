"""The coordinator's schedule at work: plans in a process of their own, launches when drones can start."""

import asyncio
import contextlib
import importlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import active_children, get_context
from typing import Any
from zoneinfo import ZoneInfo

from structlog.stdlib import get_logger

from api.bus import Bus
from api.children import dying_with
from api.errors import Conflict, Unavailable
from api.launch import launch
from api.roles.watching import Watch, Writing
from api.schedule import Flight, due, late_s, launches
from api.services import Services
from api.settings import Settings
from api.store import plans, sorties
from api.store.models import SortieRow
from missions.model import Demand, Plan, Site
from missions.terrain import Terrain

log = get_logger(__name__)

# Nothing tells when a revisit time has passed or a battery is full: look at least so often (wall time).
LOOK_EVERY_S = 1.0
# After a refusal, in the clock's time, doubling with each; after no answer, in wall time.
REFUSED_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=30)
UNANSWERED_REST_S = 2.0
# What is planned is launched within this time, and flies round zones that shut in it.
LAUNCHED_WITHIN_S = 3 * 3600.0


class Scheduling:
    """Plans what is due and launches what can start. One per active coordinator."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        bus: Bus,
        writing: Writing,
        watch: Watch,
        pool: ProcessPoolExecutor,
    ) -> None:
        self._settings = settings
        self._services = services
        self._bus = bus
        self._writing = writing
        self._watch = watch
        self._pool = pool
        self._bell = asyncio.Event()
        self._bell.set()
        self._timezone = ZoneInfo(services.site.timezone)
        self._models = {m.name: m for m in services.site.models}
        self._last_launch_at: dict[str, datetime] = {}
        self._rests_until: dict[str, datetime] = {}
        self._refusals: Counter[str] = Counter()
        self._wished_seed: int | None = None
        self._is_wished = False

    def wake(self) -> None:
        """Look again now: something has changed."""
        self._bell.set()

    async def answer_wishes(self) -> None:
        """Take requests for a new plan from now on."""

        async def wish(value: dict[str, Any]) -> dict[str, Any]:
            self._is_wished, self._wished_seed = True, value.get("seed")
            self.wake()
            return {"accepted": True}

        await self._bus.answer("plans.command", wish)

    async def run(self) -> None:
        """Plan and launch for ever."""
        async with asyncio.TaskGroup() as group:
            planning: asyncio.Task[None] | None = None
            while True:
                # Not wait_for: before Python 3.12 it loses a cancellation that comes with the bell.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._bell.wait()
                self._bell.clear()
                flights = await self._flights()
                await self._launch(flights)
                if planning is None or planning.done():
                    planning = await self._begin_planning(group, flights)

    async def _begin_planning(
        self, group: asyncio.TaskGroup, flights: list[Flight]
    ) -> asyncio.Task[None] | None:
        seed = self._settings.seed if self._wished_seed is None else self._wished_seed
        if self._is_wished:
            self._is_wished, self._wished_seed = False, None
            return group.create_task(self._plan(self._services.site.demands, seed, replaces=True))
        now, tried = self._services.clock.now(), await self._tried()
        wanted = due(self._services.site.demands, flights, tried, now=now, timezone=self._timezone)
        late = late_s(wanted, flights, tried, now=now)
        return group.create_task(self._plan(wanted, seed, late=late)) if wanted else None

    async def _plan(
        self,
        wanted: tuple[Demand, ...],
        seed: int,
        *,
        replaces: bool = False,
        late: Mapping[str, float] | None = None,
    ) -> None:
        services, began = self._services, asyncio.get_running_loop().time()
        local = services.clock.now().astimezone(self._timezone)
        now_s = local.hour * 3600.0 + local.minute * 60.0 + local.second
        make = partial(_make_plan, now_s=now_s, late=dict(late or {}))
        made = await asyncio.get_running_loop().run_in_executor(
            self._pool, make, services.site, services.terrain, self._settings.plan_seconds, seed, wanted
        )
        async with self._writing() as session:
            if replaces:
                await sorties.withdraw_planned(session, now=services.clock.now())
            row = await plans.save_plan(session, made, services.site, now=services.clock.now())
        took_s = round(asyncio.get_running_loop().time() - began, 1)
        log.info(
            "planned", plan=row.id, sorties=len(made.sorties), unserved=len(made.unserved), took_s=took_s
        )
        await self._bus.publish("changes", {})
        self.wake()

    async def _launch(self, flights: list[Flight]) -> None:
        now = self._services.clock.now()
        ready = [f for f in flights if self._rests_until.get(f.id, now) <= now]
        ready.sort(key=lambda flight: not flight.is_asked_for)  # looks before patrols
        chosen = launches(ready, self._watch.heard(), self._models, self._last_launch_at, now=now)
        docks = {f.id: f.dock for f in flights}
        for sortie, drone in chosen:
            rest = await self._launch_one(sortie, drone)
            if rest is None:
                self._last_launch_at[docks[sortie]] = now
            else:
                self._rests_until[sortie] = now + rest
        if chosen:
            await self._bus.publish("changes", {})

    async def _launch_one(self, sortie: str, drone: str | None) -> timedelta | None:
        """Return nothing when the gateway took the sortie, else how long to leave it alone."""
        async with self._writing():
            pass  # only the one that holds the lease may order
        try:
            answer = await launch(self._services, sortie, drone=drone)
        except (Conflict, Unavailable) as error:
            log.warning("not launched", sortie=sortie, error=str(error))
            return timedelta(seconds=UNANSWERED_REST_S * self._services.clock.speed)
        if not answer.accepted:
            log.warning("refused", sortie=sortie, drone=drone, reason=answer.reason)
            self._refusals[sortie] += 1
            return min(REFUSED_REST * (1 << min(self._refusals[sortie] - 1, 8)), LONGEST_REST)
        log.info("launched", sortie=sortie, drone=drone)
        return None

    async def _flights(self) -> list[Flight]:
        async with self._services.database.read() as session:
            return [_flight(*row) for row in await sorties.outlines(session)]

    async def _tried(self) -> dict[str, datetime]:
        """Return when a plan last had to leave a demand out."""
        async with self._services.database.read() as session:
            rows = [row for row, _ in await plans.plans(session)]
        return {left["demand"]: row.made_at for row in reversed(rows) for left in row.unserved}


def _flight(row: SortieRow, changed_at: datetime | None) -> Flight:
    return Flight(
        id=row.id,
        dock=row.dock,
        model=row.model,
        drone=row.drone,
        state=row.state,
        energy_wh=row.energy_wh,
        demands=tuple(row.demands),
        began_at=row.started_at,
        changed_at=changed_at,
    )


@contextmanager
def planning_pool() -> Iterator[ProcessPoolExecutor]:
    """Yield the pool in which plans are made, a process that shares no state with our loop.

    It is started at once, so that it has read its libraries when the first plan is wanted.
    """
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_dies_with_parent)
    pool.submit(importlib.import_module, "missions.planner")
    try:
        yield pool
    finally:
        for planner in active_children():  # a plan that is half made is of no use to anybody
            planner.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _dies_with_parent() -> None:
    dying_with(os.getppid())()


def _make_plan(
    site: Site,
    terrain: Terrain,
    seconds: float,
    seed: int,
    demands: tuple[Demand, ...],
    *,
    now_s: float,
    late: Mapping[str, float],
) -> Plan:
    # Here alone: the coordinator itself need not wait for SciPy and the solver.
    from missions.periods import at_once
    from missions.planner import plan

    # What is due is open now (`due`), and launched as soon as drones are ready.
    now = at_once(replace(site, demands=demands), now_s=now_s, for_s=LAUNCHED_WITHIN_S)
    return plan(now, terrain=terrain, seconds=seconds, seed=seed, late_s=late)
