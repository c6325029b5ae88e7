"""The coordinator's looks: plans those that were asked for, and settles what they told.

Reads the database each time and remembers nothing, so a restart forgets nothing. The sorties go the way
of all sorties; only their demand's name (`look:…`) says what they are for.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.stdlib import get_logger

from api import verification
from api.bus import Bus
from api.looks import CannotLook, Sought, demand, smallest
from api.reach import Reach
from api.roles.watching import Watch, Writing
from api.schedule import FRESH, Heard
from api.services import Services
from api.settings import Settings
from api.store import clearing, confirming, coverage, plans, sorties, standings
from api.store.models import FrameRow, IncidentRow, SortieRow
from api.store.tables.witnesses import LookRequestRow
from api.verification import DEMAND, Outcome, close, open_requests, postpone, worded
from missions.geo import LatLon
from missions.model import Demand, Hazard, Plan, Site
from missions.terrain import Terrain
from vision.model import Ellipse

log = get_logger(__name__)

# A request that waits for a drone or a time is looked at so often (wall time); news rings the bell.
LOOK_EVERY_S = 1.0
TIDY_EVERY_S = 60.0
REST = timedelta(seconds=20)
KEPT = timedelta(days=30)
"""What was looked at is remembered so long; the pictures themselves are kept by their own rules."""

# An incident that nobody could look at for so long is told as not seen; a person may ask again.
PATIENCE = timedelta(hours=6)


class Looking:
    """Plans and settles the looks that were asked for. One per active coordinator."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        bus: Bus,
        writing: Writing,
        watch: Watch,
        pool: ProcessPoolExecutor,
        launch: Callable[[], None],
    ) -> None:
        self._settings, self._services, self._bus = settings, services, bus
        self._writing, self._watch, self._pool, self._launch = writing, watch, pool, launch
        self._reach = Reach.of(services.site)
        self._bell = asyncio.Event()

    def wake(self) -> None:
        """Look again now: something has changed."""
        self._bell.set()

    async def run(self) -> None:
        """Plan and settle for ever."""
        tidied_s = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._bell.wait()
            self._bell.clear()
            if time.monotonic() - tidied_s > TIDY_EVERY_S:
                tidied_s = time.monotonic()
                await self._tidy()
            async with self._services.database.read() as session:
                waiting = [request.id for request in await open_requests(session)]
            for request_id in waiting:
                if await self._settle(request_id) or await self._plan(request_id):
                    await self._bus.publish("changes", {})
                    self._launch()

    async def _tidy(self) -> None:
        """Let go of old words and of what was looked at long ago."""
        services, now = self._services, self._services.clock.now()
        public_url = services.options.public_url
        async with self._writing() as session:
            await clearing.let_go(session, self._reach, site=services.site, now=now, public_url=public_url)
            await coverage.forget(session, before=now - KEPT)
            await confirming.forget(session, before=now - KEPT)

    async def _settle(self, request_id: str) -> bool:
        """Close a request whose answer is known; return whether something changed."""
        services = self._services
        async with self._writing() as session:
            request = await session.get_one(LookRequestRow, request_id, with_for_update=True)
            incident = await session.get_one(IncidentRow, request.incident)
            now = services.clock.now()
            if await clearing.is_seen(session, request, incident):
                told = await standings.standing(session, incident.id)
                await close(
                    session, request, Outcome.SEEN, told.reason if told else worded("seen_again"), now=now
                )
                log.info("look", request=request.id, outcome="seen", incident=incident.id)
                return True
            flown = await _flown(session, request)
            if flown is None:
                return False
            if flown and await _waiting_pictures(session, flown):
                return False
            return await self._conclude(session, request, incident, flown)

    async def _conclude(
        self,
        session: AsyncSession,
        request: LookRequestRow,
        incident: IncidentRow,
        flown: Sequence[SortieRow],
    ) -> bool:
        services, now = self._services, self._services.clock.now()
        verdict = await clearing.verdict(session, request, incident, services.site)
        if verdict.outcome is Outcome.CLEAN:
            await clearing.clear(
                session, incident, verdict.reason,
                site=services.site, now=now, public_url=services.options.public_url,
            )  # fmt: skip
            await close(session, request, Outcome.CLEAN, verdict.reason, now=now)
        elif verdict.outcome is Outcome.SEEN:
            await close(session, request, Outcome.SEEN, verdict.reason, now=now)
        elif not flown:
            return False  # nobody has flown for it yet
        elif any(_was_vain(row) for row in flown) and now - request.asked_at < PATIENCE:
            lost = "withdrawn" if any(row.state == "replaced" for row in flown) else "failed"
            await postpone(session, request, lost, now=now, rest=REST)
        else:
            await close(session, request, Outcome.NOT_SEEN, verdict.reason, now=now)
        log.info("look", request=request.id, outcome=request.outcome, incident=incident.id)
        return True

    async def _plan(self, request_id: str) -> bool:
        """Plan the sortie of a request that has none; return whether something changed."""
        services = self._services
        async with services.database.read() as session:
            request = await session.get_one(LookRequestRow, request_id)
            incident = await session.get_one(IncidentRow, request.incident)
            flights = await sorties.outlines(session)
        now = services.clock.now()
        if request.state != "asked" or request.next_try_at > now:
            return False
        where = LatLon(incident.lat_deg, incident.lon_deg)
        if not self._reach.can_fly_to(where):
            return await self._give_up(request_id, worded("too_far"))
        busy = {row.drone for row, _ in flights if row.drone and row.state not in sorties.AT_REST}
        ready = [h for h in self._watch.heard() if _is_ready(h, busy) and now - h.at <= FRESH]
        ellipse = Ellipse(incident.major_m, incident.minor_m, incident.bearing_deg)
        wanted = demand(
            f"{DEMAND}{request.id}", Sought(where, ellipse, Hazard(incident.hazard)), services.site
        )
        if not ready:
            return await self._wait(request_id)
        made = await asyncio.get_running_loop().run_in_executor(
            self._pool, _make, services.site, services.terrain, wanted, ready, self._settings.seed
        )
        if isinstance(made, Plan):
            return await self._save(request_id, made)
        if made.is_final:
            return await self._give_up(request_id, worded("no_way", reason=made.reason))
        return await self._wait(request_id)

    async def _save(self, request_id: str, made: Plan) -> bool:
        async with self._writing() as session:
            request = await session.get_one(LookRequestRow, request_id, with_for_update=True)
            if request.state != "asked":
                return False
            now = self._services.clock.now()
            row = await plans.save_plan(session, made, self._services.site, now=now)
            request.state, request.sortie = "planned", f"{row.id}-{made.sorties[0].id}"
            request.reason = worded("under_way", sortie=request.sortie)
            await verification.tell(session, request, now=now)
        log.info("look planned", request=request_id, sortie=request.sortie, flight_s=made.flight_s)
        return True

    async def _wait(self, request_id: str) -> bool:
        async with self._writing() as session:
            request = await session.get_one(LookRequestRow, request_id, with_for_update=True)
            now = self._services.clock.now()
            if now - request.asked_at >= PATIENCE:
                await close(session, request, Outcome.NOT_SEEN, worded("gave_up"), now=now)
            else:
                await postpone(session, request, "no_drone", now=now, rest=REST)
        return True

    async def _give_up(self, request_id: str, reason: dict[str, str]) -> bool:
        async with self._writing() as session:
            request = await session.get_one(LookRequestRow, request_id, with_for_update=True)
            await close(session, request, Outcome.NOT_SEEN, reason, now=self._services.clock.now())
        log.info("look given up", request=request_id, reason=reason["en-US"])
        return True


async def _flown(session: AsyncSession, request: LookRequestRow) -> Sequence[SortieRow] | None:
    """Return the request's sorties when all are over, none when it has none; None while one is to come."""
    if request.sortie is None:
        return ()
    first = await session.get_one(SortieRow, request.sortie)
    rows = (await session.scalars(select(SortieRow).where(SortieRow.plan == first.plan))).all()
    return rows if all(row.state in ("done", "failed", "replaced") for row in rows) else None


async def _waiting_pictures(session: AsyncSession, flown: Sequence[SortieRow]) -> bool:
    """Return whether pictures of these sorties are still to be searched."""
    query = select(func.count()).select_from(FrameRow).where(FrameRow.analysed_at.is_(None))
    return bool(await session.scalar(query.where(FrameRow.sortie.in_([row.id for row in flown]))))


def _was_vain(row: SortieRow) -> bool:
    """Return whether a sortie that is over brought nothing to look at."""
    return row.state != "done" or row.shots_files == 0


def _is_ready(heard: Heard, busy: set[str]) -> bool:
    return heard.state == "docked" and heard.drone not in busy


def _make(
    site: Site, terrain: Terrain, wanted: Demand, ready: Sequence[Heard], seed: int
) -> Plan | CannotLook:
    return smallest(site, terrain, wanted, ready, seed=seed)
