"""What docks and drones say is kept until the coordinator is told to stop, and not a moment longer."""

import asyncio

import pytest

from api.roles.watching import Watch


@pytest.mark.parametrize("turns", range(5))
async def test_news_that_comes_with_the_word_to_stop_does_not_drown_it(services, turns):
    """However far the loop has come with the news: a task that misses its end holds up the whole role."""
    watch = Watch(services, bus=None, writing=None)
    keeping = asyncio.create_task(watch.keep())
    await asyncio.sleep(0.01)
    watch._news.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait({keeping}, timeout=2)
    assert keeping.cancelled()
