"""The audit trail: an entry for each act that somebody may have to answer for.

Entries are chained: each carries the hash of the one before it, so a changed,
removed or inserted entry breaks the chain at its place, and `gridpatrol audit
verify` names that place. The newest entries could still be cut off unseen;
therefore verifying prints the head (the number and hash of the last entry), and
a head that was noted elsewhere can be asked for again with `--head`. Writing
happens inside the transaction of the act itself: neither is kept without the other.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.tables.audit import AuditRow
from api.store.tokens import Caller

ROOT = "0" * 64
"""What the first entry calls the one before it."""

_PAGE = 500
_CHAIN_LOCK = 7177002  # on PostgreSQL: two writers must not both follow the same entry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted: a person or key by name, its role, and its agency if it has one."""

    name: str
    role: str
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found. `broken_at` is the number of the first entry that does not hold."""

    entries: int
    head: str
    broken_at: int | None = None
    reason: str | None = None

    @property
    def holds(self) -> bool:
        return self.broken_at is None


SYSTEM = Actor("gridpatrol", "service")
"""The service itself, where no person acted."""


def actor_of(caller: Caller) -> Actor:
    """Return a caller as the trail names it."""
    return Actor(caller.name, caller.role.value, caller.agency)


async def record(
    session: AsyncSession,
    actor: Actor,
    action: str,
    target: str,
    *,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> AuditRow:
    """Add one entry inside the caller's writing transaction and return it.

    action: a word pair as "account.disable" or "incident.release". Details hold no secret:
    they are kept for as long as the trail and shown to auditors as they are.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    last = await session.scalar(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1))
    row = AuditRow(
        seq=last.seq + 1 if last else 1,
        at=now,
        actor=actor.name,
        role=actor.role,
        agency=actor.agency,
        action=action,
        target=target,
        details=dict(details or {}),
        previous=last.hash if last else ROOT,
        hash="",
    )
    row.hash = link(row)
    session.add(row)
    await session.flush()
    return row


def link(row: AuditRow) -> str:
    """Return the hash an entry must carry: SHA-256 over its canonical JSON, `previous` included."""
    said = {
        "seq": row.seq,
        "at": row.at.astimezone(UTC).isoformat(),
        "actor": row.actor,
        "role": row.role,
        "agency": row.agency,
        "action": row.action,
        "target": row.target,
        "details": row.details,
        "previous": row.previous,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


async def verify(session: AsyncSession, *, head: str | None = None) -> Verdict:
    """Return whether the whole trail holds, and whether it still contains a head noted earlier."""
    previous, count, seen = ROOT, 0, head in (None, ROOT)
    async for row in _entries(session):
        if (reason := _fault(row, previous, count + 1)) is not None:
            return Verdict(count, previous, count + 1, reason)
        previous, count = row.hash, row.seq
        seen = seen or row.hash == head
    if not seen:
        return Verdict(count, previous, count + 1, "the trail no longer holds the entry of the noted head")
    return Verdict(count, previous)


def _fault(row: AuditRow, previous: str, expected: int) -> str | None:
    if row.seq != expected:
        return f"entry {expected} is missing, the next one there is {row.seq}"
    if row.previous != previous:
        return f"entry {row.seq} does not follow the entry before it"
    if row.hash != link(row):
        return f"entry {row.seq} was changed after it was written"
    return None


async def _entries(session: AsyncSession) -> AsyncIterator[AuditRow]:
    """Yield all entries in order, some hundreds in memory at a time."""
    after = 0
    while True:
        page = (
            await session.scalars(
                select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(_PAGE)
            )
        ).all()
        for row in page:
            yield row
            session.expunge(row)
        if len(page) < _PAGE:
            return
        after = page[-1].seq


async def page(
    session: AsyncSession, *, before: int | None = None, action: str | None = None, limit: int = 100
) -> list[AuditRow]:
    """Return entries from the newest back, older than `before`, of one action or of those below it."""
    wanted = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(AuditRow.seq < before)
    if action is not None:
        wanted = wanted.where((AuditRow.action == action) | AuditRow.action.startswith(f"{action}."))
    return list((await session.scalars(wanted)).all())
