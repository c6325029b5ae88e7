"""The ground below one drone, as a plain function that costs a microsecond.

Heights come from the world's relief; around its own pad the drone stands on the
pad, whatever tower or roof that is.
"""

from collections.abc import Callable
from functools import lru_cache

from missions.geo import LatLon, LocalFrame
from sim.relief import Relief

PAD_M = 6.0


@lru_cache(maxsize=2)
def _rows(relief: Relief) -> list[list[float]]:
    """Return the heights as plain numbers, one list for all drones of a world."""
    rows: list[list[float]] = relief.heights_m.tolist()
    return rows


def ground_under(
    relief: Relief, frame: LocalFrame, pad: LatLon, pad_amsl_m: float
) -> Callable[[float, float], float]:
    """Return the function from metres east and north of a pad to the ground's height above it.

    The two local frames differ by their origins only: within a site the turn
    between their norths is under a hundredth of a degree.
    """
    east_0, north_0 = frame.to_local(pad)
    heights = _rows(relief)
    rows, columns = len(heights), len(heights[0])
    west, south, step = relief.west_m, relief.south_m, relief.step_m

    def ground_m(east_m: float, north_m: float) -> float:
        if abs(east_m) < PAD_M and abs(north_m) < PAD_M:
            return 0.0
        x = min(max((east_m + east_0 - west) / step, 0.0), columns - 1.001)
        y = min(max((north_m + north_0 - south) / step, 0.0), rows - 1.001)
        column, row = int(x), int(y)
        across, up = x - column, y - row
        below, above = heights[row], heights[row + 1]
        low = below[column] + (below[column + 1] - below[column]) * across
        high = above[column] + (above[column + 1] - above[column]) * across
        return low + (high - low) * up - pad_amsl_m

    return ground_m
