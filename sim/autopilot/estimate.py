"""What the drone believes about itself: the truth, and the slow drift of its sensors.

The position filter takes the white noise out of the GPS and cannot see its
drift. Heights above home come from the barometer, which drifts far less.
"""

from missions.geo import LatLon
from sim.autopilot.items import GLOBAL, WAYPOINT, Item
from sim.drone import Multirotor, Point
from sim.noise import PoseError, PoseNoise
from sim.tangent import Tangent

_BARO_SHARE = 0.2  # how much of the GPS height drift is left in heights above home
_ADVANCE_S = 0.2
_NO_DRIFT = PoseError(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Estimate:
    """The believed position of one drone, and the home it believes to have started from."""

    def __init__(self, drone: Multirotor, pad: LatLon, pad_amsl_m: float, *, seed: int, now_s: float) -> None:
        self.tangent = Tangent(pad)
        self.pad_amsl_m = pad_amsl_m
        self.noise = PoseNoise(seed)
        self.home: Point | None = None
        self._home_drift = _NO_DRIFT
        self._drone = drone
        self._now_s = now_s
        self._position: tuple[object, tuple[float, float, float, float]] | None = None

    def advance(self, now_s: float, home: Point | None) -> None:
        """Let the errors drift on, and take note of a home that was set."""
        if now_s - self._now_s >= _ADVANCE_S:
            self.noise.advance(now_s - self._now_s)
            self._now_s = now_s
        if home is not self.home:
            self.home, self._home_drift = home, self.noise.drift()

    @property
    def position(self) -> tuple[float, float, float, float]:
        """Latitude, longitude, height above the sea and above home."""
        key = (self._drone.at, self._now_s, self.home)
        if self._position is not None and self._position[0] == key:
            return self._position[1]
        drift = self.noise.drift()
        off_east, off_north, off_up = self._drone.troubles.believed_off_m
        lat, lon = self.place_off(drift.east_m + off_east, drift.north_m + off_north)
        up = self._drone.at.up_m + off_up + _BARO_SHARE * (drift.up_m - self._home_drift.up_m)
        home_up = self.home.up_m if self.home else 0.0
        found = lat, lon, self.pad_amsl_m + up, up - home_up
        self._position = key, found
        return found

    @property
    def heading_deg(self) -> float:
        return (
            self._drone.heading_deg + self.noise.drift().yaw_deg + self._drone.troubles.compass_deg
        ) % 360.0

    def place_off(self, east_m: float, north_m: float) -> tuple[float, float]:
        """Return the latitude and longitude so far off the drone's true place."""
        return self.tangent.to_place(self._drone.at.east_m + east_m, self._drone.at.north_m + north_m)

    def error(self) -> PoseError:
        """Return what one single reading is wrong by: noise, drift and what is broken."""
        e, troubles = self.noise.sample(), self._drone.troubles
        east, north, up = troubles.gps_off_m
        yaw = e.yaw_deg + troubles.compass_deg
        return PoseError(e.east_m + east, e.north_m + north, e.up_m + up, e.pitch_deg, e.roll_deg, yaw)

    def home_item(self) -> Item:
        """Return home as the mission holds it: item 0, height above the sea; 0, 0 while unknown."""
        home = self.home
        if home is None:
            return Item(WAYPOINT, GLOBAL)
        drift = self._home_drift
        lat, lon = self.tangent.to_place(home.east_m + drift.east_m, home.north_m + drift.north_m)
        return Item(WAYPOINT, GLOBAL, x=round(lat * 1e7), y=round(lon * 1e7), z=self.pad_amsl_m + home.up_m)
