"""When the shutter is pressed: by a command, by distance flown, or every so often."""

import math
from dataclasses import dataclass

from sim.drone import Point


@dataclass(slots=True)
class Shutter:
    """The triggers that are set; its owner presses the button when `due` says so."""

    distance_m: float = 0.0  # 0: not by distance
    interval_s: float = 0.0
    left: float = 0.0  # pictures left of an interval series; inf: until stopped
    _last_at: Point | None = None
    _next_s: float = 0.0

    def by_distance(self, metres: float, at: Point) -> None:
        """Press every so many metres from here on; 0 stops."""
        self.distance_m = max(0.0, metres)
        self._last_at = at

    def by_interval(self, interval_s: float, count: float, now_s: float) -> None:
        """Press `count` times (0: until stopped), the first time at once."""
        self.interval_s = max(0.1, interval_s)
        self.left = count if count > 0 else math.inf
        self._next_s = now_s

    def stop(self) -> None:
        """Press no more by interval."""
        self.left = 0.0

    def due(self, at: Point, now_s: float) -> bool:
        """Return whether the button is to be pressed now."""
        return self._due_by_interval(now_s) or self._due_by_distance(at)

    def _due_by_interval(self, now_s: float) -> bool:
        if self.left <= 0 or now_s < self._next_s:
            return False
        self.left -= 1
        self._next_s += self.interval_s
        return True

    def _due_by_distance(self, at: Point) -> bool:
        if self.distance_m <= 0 or self._last_at is None:
            return False
        flown = math.hypot(at.east_m - self._last_at.east_m, at.north_m - self._last_at.north_m)
        if flown < self.distance_m:
            return False
        self._last_at = at
        return True
