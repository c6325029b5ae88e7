"""One coordinator at a time, on a real database."""

import asyncio

import pytest

from api.errors import Conflict
from api.roles import lease
from api.roles.lease import Lease
from api.store.engine import open_database


@pytest.fixture
async def database(tmp_path):
    opened = await open_database(f"sqlite+aiosqlite:///{tmp_path / 'db'}")
    yield opened
    await opened.close()


async def test_the_second_stands_by_until_the_first_gives_up(database, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    first, second = Lease(database), Lease(database)
    await first.take()
    waiting = asyncio.create_task(second.take())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await first.give_up()
    await asyncio.wait_for(waiting, 5)
    assert second.fence == first.fence + 1


async def test_one_that_was_away_too_long_changes_nothing_and_ends(database, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    monkeypatch.setattr(lease, "LEASE_S", 0.1)
    first, second = Lease(database), Lease(database)
    await first.take()
    await second.take()
    with pytest.raises(Conflict, match="another holder has taken over"):
        async with first.writing():
            pytest.fail("a stale coordinator must not get as far as this")
    with pytest.raises(Conflict, match="another holder has taken over"):
        await asyncio.wait_for(first.keep(), 5)
    async with second.writing():
        pass


async def test_one_that_slept_while_another_came_and_went_does_not_go_on(database, monkeypatch):
    """What it remembers is older than what the other has done: it begins anew."""
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    first, second = Lease(database), Lease(database)
    await first.take()
    await first.give_up()
    await second.take()
    await second.give_up()
    with pytest.raises(Conflict, match="another holder has taken over"):
        await asyncio.wait_for(first.keep(), 5)
