"""The audit trail, for the audit administrator alone."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import audit
from api.auth import Auditor, Built
from api.schemas_accounts import AuditEntry, AuditPage, AuditVerdict
from api.store.tables.audit import AuditRow

router = APIRouter(tags=["audit"])


@router.get("/audit")
async def read(
    caller: Auditor,
    built: Built,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="entries older than this one")] = None,
    action: Annotated[str | None, Query(max_length=100, description="as account, or account.add")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AuditPage:
    """List what was done, by whom and when, from the newest back."""
    async with built.database.read() as session:
        rows = await audit.page(session, before=before, action=action, limit=limit)
    return AuditPage(entries=[_entry(row) for row in rows])


@router.get("/audit/verdict")
async def verdict(
    caller: Auditor, built: Built, head: Annotated[str | None, Query(max_length=64)] = None
) -> AuditVerdict:
    """Say whether the whole trail holds, and whether a head noted earlier is still in it."""
    async with built.database.read() as session:
        found = await audit.verify(session, head=head)
    return AuditVerdict(
        holds=found.holds,
        entries=found.entries,
        head=found.head,
        broken_at=found.broken_at,
        reason=found.reason,
    )


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        **{name: getattr(row, name) for name in AuditEntry.model_fields},
    )
