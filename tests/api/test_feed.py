"""What listeners in one process hear, and what a slow one loses."""

import asyncio

from api.feed import KEPT, Feed


async def test_a_bell_rung_before_the_wait_is_not_lost() -> None:
    feed = Feed()
    with feed.listen() as listener:
        feed.wake()
        async with asyncio.timeout(1):
            await listener.wait(60)


async def test_a_wait_ends_by_itself_because_others_write_too() -> None:
    with Feed().listen() as listener:
        async with asyncio.timeout(1):
            await listener.wait(0.01)


def test_a_slow_listener_loses_the_oldest_and_the_last_value_stays_known() -> None:
    feed = Feed()
    with feed.listen() as listener:
        for number in range(KEPT + 5):
            feed.push("telemetry", "D1", {"n": number})
        assert [value["n"] for _, value in listener.pushed] == list(range(5, KEPT + 5))
    assert feed.last("telemetry") == {"D1": {"n": KEPT + 4}}
    assert feed.last("other") == {}


def test_whoever_has_left_is_told_nothing() -> None:
    feed = Feed()
    with feed.listen() as listener:
        pass
    feed.push("telemetry", "D1", {})
    assert not listener.pushed


async def test_workers_sleep_on_when_nothing_was_promised() -> None:
    feed = Feed()
    with feed.listen() as stream, feed.listen(pushes=False) as worker:
        feed.wake(workers=False)
        async with asyncio.timeout(1):
            await stream.wait(60)
        assert not worker.is_rung
        feed.wake()
        assert worker.is_rung
