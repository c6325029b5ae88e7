"""`gridpatrol coordinator`: the one that decides. Others of its kind stand by.

It holds a lease in the database with a fence number; every change it makes is
made in a transaction that first checks the fence, so a coordinator that was
stopped and comes back late changes nothing. Losing the lease ends the process,
and it comes back standing by.

Six things run side by side: analyses become incidents and alerts; reports of
gateways move sorties; what docks and drones say is kept; the schedule plans what is
due and launches what can start; looks that were asked for are planned and settled; and flights that were
searched become baselines of their places.
The bus only brings the news; what is to be done next is read from the database each
time, so a restart forgets nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from structlog.stdlib import get_logger

from api import analysis
from api.bus import Bus, Delivered
from api.errors import Conflict, NotFound
from api.launch import is_unseen
from api.roles import wiring
from api.roles.following import Pursuits
from api.roles.keeping import Keeping
from api.roles.lease import NAME, Lease
from api.roles.looking import Looking
from api.roles.scheduling import Scheduling, planning_pool
from api.roles.services import build_services
from api.roles.timekeeping import Timekeeper
from api.roles.watching import Watch
from api.services import Services
from api.settings import Settings
from api.store import confirming
from api.store.absorbing import record_observations, tell_silent
from api.store.ageing import age_incidents
from api.store.models import FrameRow
from api.store.sorties import record_sortie_event
from missions.errors import WorkFailed
from missions.geo import LatLon

log = get_logger(__name__)

TRIES = 5
AGAIN_S = 1.0
AGE_EVERY_S = 60.0
SILENT_EVERY_S, SILENT_LEAST_S = 10.0, 0.5


def run(settings: Settings) -> None:
    """Run the role until told to stop."""
    wiring.run(NAME, _main, settings)


async def _main(settings: Settings) -> None:
    with planning_pool() as pool:
        bus = await wiring.open_bus(settings, NAME)
        services = await build_services(settings, bus)
        log.info("ready")
        try:
            await wiring.until_told(_stand_by_and_work(settings, services, bus, pool))
        finally:
            await services.database.close()
            await bus.close()


async def _stand_by_and_work(
    settings: Settings, services: Services, bus: Bus, pool: ProcessPoolExecutor
) -> None:
    lease = Lease(services.database)
    await lease.take()
    log.info("active", fence=lease.fence)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.keep())
            watch = Watch(services, bus, lease.writing)
            scheduling = Scheduling(settings, services, bus, lease.writing, watch, pool)
            looking = Looking(settings, services, bus, lease.writing, watch, pool, launch=scheduling.wake)
            await watch.listen(changed=scheduling.wake)
            await scheduling.answer_wishes()
            pursuits = Pursuits()
            group.create_task(_follow_analyses(services, bus, lease, pursuits))
            group.create_task(_follow_sorties(services, bus, lease, pursuits, scheduling.wake))
            group.create_task(Timekeeper(services, NAME).run())
            group.create_task(watch.keep())
            group.create_task(scheduling.run())
            group.create_task(looking.run())
            if settings.keeps_baselines:
                keeping = Keeping(services, settings.baseline_at, Path(services.site.terrain))
                group.create_task(keeping.run())
            group.create_task(_age(services, bus, lease))
            group.create_task(_tell_silent(services, bus, lease))
    finally:
        await lease.give_up()


async def _follow_analyses(services: Services, bus: Bus, lease: Lease, pursuits: Pursuits) -> None:
    """Turn every analysis into what it changes: one transaction a frame."""

    async def absorb(delivered: Delivered) -> None:
        found = analysis.from_json(delivered.value)
        async with lease.writing() as session:
            recorded = await record_observations(
                session,
                found,
                site=services.site,
                now=services.clock.now(),
                public_url=services.options.public_url,
                live=services.live,
            )
        await bus.publish("changes", {})
        if pursuits and not recorded.repeated:
            await _tell_mover(services, pursuits, found)
        for incident in recorded.incidents:
            log.info("incident", incident=incident, frame=found.frame, alerts=len(recorded.alerts))
            await bus.store(f"incidents.{incident}", {"id": incident}, message_id=f"{incident}:{found.frame}")

    async for delivered in bus.take("OBSERVATIONS", NAME):
        await _once(delivered, absorb)


async def _tell_mover(services: Services, pursuits: Pursuits, found: analysis.Analysis) -> None:
    """Tell the gateway where what it follows is by now, if this frame shows it; the next one tells anew."""
    async with services.database.read() as session:
        frame = await session.get(FrameRow, found.frame)
    told = frame and pursuits.seen(frame.sortie, frame.id, frame.taken_at, found.observations)
    if not told:
        return
    gateway, command = told
    mover = command["mover"]
    if is_unseen(services.site, LatLon(mover["lat_deg"], mover["lon_deg"])):
        command = {**command, "id": f"{command['id']}:end", "action": "unfollow"}
    with contextlib.suppress(TimeoutError, WorkFailed):
        answer = await services.command(gateway, command)
        log.info("mover", sortie=command["sortie"]["id"], action=command["action"], **answer)


async def _age(services: Services, bus: Bus, lease: Lease) -> None:
    """Let incidents that nobody sees any more fade and close, for ever."""
    while True:
        # Hours decide here, so a minute of the service's own time is soon enough.
        await asyncio.sleep(AGE_EVERY_S / services.clock.speed)
        async with lease.writing() as session:
            changed = await age_incidents(
                session,
                services.live,
                site=services.site,
                now=services.clock.now(),
                public_url=services.options.public_url,
            )
        if changed:
            await bus.publish("changes", {})


async def _tell_silent(services: Services, bus: Bus, lease: Lease) -> None:
    """Tell what waits for a further look of a camera that has been silent for a while, for ever."""
    while True:
        await asyncio.sleep(max(SILENT_LEAST_S, SILENT_EVERY_S / services.clock.speed))
        async with services.database.read() as session:
            if not await confirming.anything_overdue(session, now=services.clock.now()):
                continue
        async with lease.writing() as session:
            recorded = await tell_silent(
                session,
                site=services.site,
                now=services.clock.now(),
                public_url=services.options.public_url,
                live=services.live,
            )
        log.info("told after waiting in vain", incidents=recorded.incidents)
        await bus.publish("changes", {})


async def _follow_sorties(
    services: Services, bus: Bus, lease: Lease, pursuits: Pursuits, wake: Callable[[], None]
) -> None:
    """Write down every step that a gateway reports."""

    async def record(delivered: Delivered) -> None:
        pursuits.heard(delivered.subject.rpartition(".")[2], delivered.value)
        async with lease.writing() as session:
            is_new = await record_sortie_event(session, delivered.value, now=services.clock.now())
        if is_new:
            log.info(
                "sortie", **{k: delivered.value.get(k) for k in ("sortie", "drone", "state", "evidence")}
            )
            await bus.publish("changes", {})
            wake()

    async for delivered in bus.take("SORTIES", NAME):
        await _once(delivered, record)


async def _once(delivered: Delivered, work: Callable[[Delivered], Awaitable[None]]) -> None:
    """Do a message's work and acknowledge it; one that cannot be done is tried a few times, then left."""
    try:
        await work(delivered)
    except Conflict:
        raise  # the lease is lost: nothing more is ours to do
    except NotFound as error:
        log.warning(
            "a message about something unknown is left out", subject=delivered.subject, error=str(error)
        )
    except Exception:
        log.exception(
            "a message could not be worked off", subject=delivered.subject, attempt=delivered.attempt
        )
        if delivered.attempt < TRIES:
            await delivered.later(AGAIN_S)
            return
    await delivered.done()
