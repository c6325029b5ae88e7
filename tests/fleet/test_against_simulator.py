"""Missions and keys against the simulator's vehicles, whose half of every protocol was written apart."""

import asyncio
import contextlib
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fleet.bench.plans import DOCK, patrol
from fleet.keyring import Keyring
from fleet.link import Link
from fleet.mavlink import MavlinkCarrier, listen
from fleet.order import SortieOrder
from fleet.signing import Keys
from missions.clock import ScaledClock, SystemClock
from missions.program import main
from tests.fleet.test_end_to_end import SPEED, simulator

pytestmark = pytest.mark.slow

ORDER = SortieOrder(id="S1", drone="D1", dock=DOCK, items=patrol(60), shots=20, expected_s=100.0)


@asynccontextmanager
async def carried(connect: str, keys: Path | None = None):
    """Yield a carrier on a link that runs; everything is stopped on the way out."""
    link = Link(connect, keyring=Keyring(keys) if keys is not None else None)
    await link.open()
    carrier = MavlinkCarrier(link, ScaledClock.starting_now(SystemClock().now(), SPEED))
    tasks = [asyncio.create_task(listen(link, [carrier])), asyncio.create_task(carrier.run())]
    try:
        yield carrier
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(carrier: MavlinkCarrier, is_so, *, wall_s: float = 20.0) -> None:
    async with asyncio.timeout(wall_s):
        while not is_so():
            await carrier.beat()


async def loaded(carrier: MavlinkCarrier):
    """Return how loading the order went."""
    carrier.begin(ORDER)
    carrier.load()
    await until(carrier, lambda: carrier.loading.result is not None)
    return carrier.loading.result


@pytest.mark.parametrize(("autopilot", "by_file"), [("arducopter", True), ("px4", False)])
async def test_a_mission_is_proven_on_board_and_not_sent_twice(autopilot, by_file):
    """By file where there are files, by its opaque id where there are ids."""
    with simulator("--autopilot", autopilot) as described:
        async with carried(described["drones"][0]["connect"]) as carrier:
            await until(carrier, lambda: carrier.state is not None and carrier.state.abilities is not None)
            assert carrier.state.abilities.has_files is by_file
            first, second = await loaded(carrier), await loaded(carrier)
    assert first.verified
    assert first.uploaded
    assert second.verified
    assert not second.uploaded
    assert first.checksum == second.checksum != 0
    assert (first.opaque_id != 0) is not by_file


async def test_a_drone_takes_a_key_changes_it_and_gives_it_back(tmp_path):
    """Whoever has no key is not listened to meanwhile."""
    keys = tmp_path / "signing.json"

    async def sign(connect: str, *arguments: str) -> int:
        return await asyncio.to_thread(main, ["sign", "--connect", connect, "--keys", str(keys), *arguments])

    with simulator() as described:
        connect = described["drones"][0]["connect"]
        assert await sign(connect) == 0
        first = Keyring(keys).of(connect, 1).active
        assert first is not None
        async with carried(connect, keys) as carrier:
            assert (await loaded(carrier)).verified
        async with carried(connect) as stranger:
            stranger.begin(ORDER)
            stranger.load()
            with contextlib.suppress(TimeoutError):
                await until(stranger, lambda: stranger.loading.result is not None, wall_s=1.0)
            assert stranger.loading.result is None or not stranger.loading.result.verified
        assert await sign(connect) == 0
        assert Keyring(keys).of(connect, 1).active not in (None, first)
        assert await sign(connect, "--off") == 0
        assert Keyring(keys).of(connect, 1) == Keys()
        async with carried(connect, keys) as carrier:
            assert (await loaded(carrier)).verified
