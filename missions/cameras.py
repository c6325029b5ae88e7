"""Cameras as values: what one measures, how its picture comes about, where it was and which way it looked."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from missions.geo import LatLon


class Sensor(StrEnum):
    """What a camera measures."""

    THERMAL = "thermal"
    RGB = "rgb"


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as its pictures show it: size and focal lengths in pixels.

    Distortion is Brown-Conrady (k1, k2, p1, p2, k3), as OpenCV orders it.
    """

    name: str
    sensor: Sensor
    width_px: int
    height_px: int
    focal_px: float
    centre_x_px: float
    centre_y_px: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    @classmethod
    def from_optics(
        cls,
        name: str,
        sensor: Sensor,
        *,
        width_px: int,
        height_px: int,
        focal_mm: float,
        sensor_width_mm: float,
    ) -> "Camera":
        """Return a camera without distortion whose optical axis meets the middle pixel."""
        focal_px = focal_mm / sensor_width_mm * width_px
        return cls(name, sensor, width_px, height_px, focal_px, width_px / 2, height_px / 2)

    @property
    def across_deg(self) -> float:
        """The horizontal field of view."""
        return math.degrees(2 * math.atan(self.width_px / 2 / self.focal_px))

    def gsd_m(self, distance_m: float) -> float:
        """Return the ground sampling distance, metres a pixel, straight ahead at a distance."""
        return distance_m / self.focal_px


@dataclass(frozen=True, slots=True)
class PoseError:
    """One standard deviation of each part of a pose, white and drifting parts together.

    `drift_share` of each variance drifts and is forgotten over `drift_s` (a first-order
    Gauss-Markov process): two looks of one flight share it, and averaging them does not
    remove it. `clock_s` is how far off a picture's time may be.
    """

    horizontal_m: float = 2.2
    vertical_m: float = 2.9
    tilt_deg: float = 0.75
    yaw_deg: float = 2.2
    drift_share: float = 0.5
    drift_s: float = 60.0
    clock_s: float = 0.05


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where a camera was and which way it looked.

    `heading_deg` is the true bearing of the optical axis (of the top of the
    picture when it looks straight down), `pitch_deg` is 0 at the horizon and
    -90 straight down, `roll_deg` turns the picture clockwise as the camera sees it.
    `altitude_m` is above mean sea level. `velocity_m_s` is east, north, up over the
    ground, None where nobody told it.
    """

    place: LatLon
    altitude_m: float
    heading_deg: float
    pitch_deg: float
    roll_deg: float = 0.0
    error: PoseError = field(default_factory=PoseError)
    velocity_m_s: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture taken: by which camera, from where, when, in which file.

    `pose` is None when the file does not say where it was taken.
    """

    id: str
    camera: Camera
    taken_at: datetime | None
    pose: CameraPose | None
    file: str
    drone: str = ""
    sortie: str = ""
    index: int = 0
