"""What is kept for how long: each class of data its own time, and nothing under a legal hold goes.

A picture's row stays when its bytes go: its hash, its pose and its custody log
still say what there was. Runs in every api role; a lease lets one of them do it.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from structlog.stdlib import get_logger

from api.services import Services
from api.store import custody, events, holding, leases
from api.store.models import DeliveryRow
from api.store.tables.delivery import TryRow

log = get_logger(__name__)

LEASE = "retention"
EVERY_WALL_S = 600.0
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long each class is kept, in days."""

    pictures: float = 90.0  # that show no incident
    evidence: float = 3 * 365.0  # pictures of incidents, their alerts' messages and their log
    events: float = 7.0  # what a browser that was away can still ask for


async def sweep(services: Services, keeping: Keeping) -> dict[str, int]:
    """Erase what is older than its class is kept; return how much of each."""
    now = services.clock.now()
    idle_before, evidence_before = (
        now - timedelta(days=keeping.pictures),
        now - timedelta(days=keeping.evidence),
    )
    async with services.database.write() as session:
        await events.forget(session, before=now - timedelta(days=keeping.events))
        tries = await session.execute(delete(TryRow).where(TryRow.at < evidence_before))
        old = (DeliveryRow.created_at < evidence_before, DeliveryRow.state != "pending")
        told = await session.execute(delete(DeliveryRow).where(*old))
        frames = await holding.erasable(
            session, idle_before=idle_before, evidence_before=evidence_before, limit=AT_ONCE
        )
    for row in frames:
        for key in (row.key, *(f"marked/{row.id[:2]}/{row.id}{end}.jpg" for end in ("", "-coarse"))):
            await services.pictures.delete(key)
    async with services.database.write() as session:
        for row in frames:
            await custody.add(session, row.id, holding.ERASED, None, now=now)
    counts = {"pictures": len(frames), "deliveries": _count(told), "tries": _count(tries)}
    if any(counts.values()):
        log.info("erased what had grown old", **counts)
    return counts


async def keep_sweeping(services: Services, keeping: Keeping) -> None:
    """Sweep now and then until cancelled, while no other process does."""
    holder = uuid4().hex
    while True:
        try:
            async with services.database.write() as session:
                ttl_s = 2 * EVERY_WALL_S * services.clock.speed
                mine = await leases.take(session, LEASE, holder, now=services.clock.now(), ttl_s=ttl_s)
            while mine is not None and (await sweep(services, keeping))["pictures"] == AT_ONCE:
                pass  # there is more
        except (SQLAlchemyError, OSError):
            log.exception("retention failed; trying again later")
        await asyncio.sleep(EVERY_WALL_S)


def _count(result: object) -> int:
    return int(getattr(result, "rowcount", 0) or 0)
