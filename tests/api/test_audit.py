"""The audit trail holds, and says where it does not."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from api import audit
from api.audit import ROOT, Actor
from api.store.engine import Database
from api.store.tables.audit import AuditRow
from tests.api.world import NOW

MEI = Actor("mei", "security")


async def write(database: Database, entries: int) -> None:
    async with database.write() as session:
        for number in range(entries):
            at = NOW + timedelta(seconds=number)
            await audit.record(session, MEI, "account.unlock", f"u{number}", now=at, details={"by": "电话"})


async def verdict(database: Database, head: str | None = None) -> audit.Verdict:
    async with database.read() as session:
        return await audit.verify(session, head=head)


async def test_an_untouched_trail_holds(database: Database) -> None:
    assert await verdict(database) == audit.Verdict(0, ROOT)
    await write(database, 7)
    found = await verdict(database)
    assert (found.holds, found.entries) == (True, 7)


async def test_a_trail_longer_than_one_page_is_read_to_its_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PAGE", 3)
    await write(database, 9)
    assert (await verdict(database)).entries == 9


@pytest.mark.parametrize(
    ("tampering", "where", "reason"),
    [
        (update(AuditRow).where(AuditRow.seq == 3).values(target="u9"), 3, "was changed"),
        (delete(AuditRow).where(AuditRow.seq == 2), 2, "entry 2 is missing"),
        (update(AuditRow).where(AuditRow.seq == 4).values(previous=ROOT), 4, "does not follow"),
    ],
)
async def test_tampering_is_found_at_its_place(
    database: Database, tampering: object, where: int, reason: str
) -> None:
    await write(database, 5)
    async with database.write() as session:
        await session.execute(tampering)  # type: ignore[call-overload]
    found = await verdict(database)
    assert found.broken_at == where
    assert reason in (found.reason or "")


async def test_entries_cut_off_at_the_end_are_missed_by_whoever_noted_the_head(database: Database) -> None:
    await write(database, 5)
    head = (await verdict(database)).head
    async with database.write() as session:
        await session.execute(delete(AuditRow).where(AuditRow.seq == 5))
    assert (await verdict(database)).holds
    assert "no longer holds" in ((await verdict(database, head)).reason or "")


async def test_an_entry_goes_with_the_act_it_tells_of(database: Database) -> None:
    async def fail_after_recording() -> None:
        async with database.write() as session:
            await audit.record(session, MEI, "account.add", "wang", now=NOW)
            raise RuntimeError("the act failed")

    with pytest.raises(RuntimeError):
        await fail_after_recording()
    assert (await verdict(database)).entries == 0


async def test_the_newest_entries_come_first_and_actions_can_be_chosen(database: Database) -> None:
    await write(database, 3)
    async with database.write() as session:
        await audit.record(session, MEI, "key.add", "k1", now=NOW)
    async with database.read() as session:
        assert [row.seq for row in await audit.page(session, limit=2)] == [4, 3]
        assert [row.seq for row in await audit.page(session, action="account", before=3)] == [2, 1]
