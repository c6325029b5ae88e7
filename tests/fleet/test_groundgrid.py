"""Heights told to a vehicle that follows the ground."""

import math

import numpy as np

from fleet.groundgrid import ground_blocks
from fleet.messages import GroundWanted
from missions.geo import LatLon, distance_m


def wanted(mask: int) -> GroundWanted:
    return GroundWanted(30.28, 119.42, 100, mask)


def test_each_block_asked_for_is_answered_with_its_sixteen_heights():
    """Rows go to the north, and in each row four heights to the east."""
    asked: list[LatLon] = []

    def ground(lat_deg, lon_deg):
        asked.extend(map(LatLon, lat_deg.ravel().tolist(), lon_deg.ravel().tolist()))
        return 101.0 + np.arange(lat_deg.size).reshape(lat_deg.shape)

    (block,) = ground_blocks(wanted(1 << 9), ground)
    assert (block.bit, block.spacing_m) == (9, 100)
    assert block.heights_m == tuple(range(101, 117))
    # Bit 9 is one block of 400 m to the north and one to the east.
    corner = LatLon(asked[0].lat_deg, 119.42)
    assert abs(distance_m(LatLon(30.28, 119.42), corner) - 400) < 2
    assert abs(distance_m(corner, asked[0]) - 400) < 2
    assert asked[1].lat_deg == asked[0].lat_deg
    assert asked[1].lon_deg > asked[0].lon_deg
    assert asked[4].lat_deg > asked[0].lat_deg


def test_a_few_blocks_go_out_at_once():
    """It asks again for what it still lacks."""
    blocks = ground_blocks(wanted((1 << 56) - 1), lambda lat, lon: np.full_like(lat, 10.0))
    assert [b.bit for b in blocks] == list(range(8))


def test_what_nobody_knows_is_not_made_up():
    """The vehicle then refuses to arm, and says what it waits for."""
    assert ground_blocks(wanted(1), lambda lat, lon: np.full_like(lat, math.nan)) == []
