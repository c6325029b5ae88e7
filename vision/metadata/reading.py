"""What a file says of where its camera was and which way it looked."""

from dataclasses import dataclass, field

from missions.geo import Altitude, LatLon, NoConversion, to_amsl_m
from missions.model import CameraPose, PoseError

CONSUMER_ERROR = PoseError(horizontal_m=3.0, vertical_m=10.0, tilt_deg=1.0, yaw_deg=3.0)
"""A consumer drone without RTK: its height above sea level is a barometer's, set at take-off."""

RTK_ERROR = PoseError(horizontal_m=0.05, vertical_m=0.1, tilt_deg=0.5, yaw_deg=1.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """A pose as a file tells it; None is what it does not say.

    `dialect` names who wrote it. `doubt` says why the angles are not those of
    the picture, where that is so; `notes` what of the file was not believed, and what was made of it.
    `velocity_m_s` is east, north, up.
    """

    dialect: str
    place: LatLon | None = None
    altitude: Altitude | None = None
    above_takeoff_m: float | None = None
    heading_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    error: PoseError = field(default_factory=lambda: CONSUMER_ERROR)
    doubt: str | None = None
    velocity_m_s: tuple[float, float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def altitude_amsl_m(self) -> float | None:
        """The height above mean sea level; None where the file has none that can be turned into it."""
        if self.altitude is None or self.place is None:
            return None
        try:
            return to_amsl_m(self.altitude, self.place)
        except NoConversion:
            return None


def pose_of(reading: Reading) -> CameraPose | str:
    """Return the camera's pose, or a sentence on what is missing."""
    if reading.place is None:
        return "the file does not say where it was taken"
    if reading.altitude_amsl_m is None:
        return "the file says where it was taken but not how high"
    if reading.doubt:
        return reading.doubt
    if reading.heading_deg is None or reading.pitch_deg is None:
        return "the file says where the camera was but not which way it looked (no gimbal angles)"
    return CameraPose(
        reading.place,
        reading.altitude_amsl_m,
        reading.heading_deg % 360.0,
        reading.pitch_deg,
        reading.roll_deg or 0.0,
        reading.error,
        reading.velocity_m_s,
    )
