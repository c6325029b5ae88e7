"""What a camera looking straight down sees of the ground, hills included.

A point is in the picture when its offset across and along the heading, over
its depth below the camera, is within the half field of view. That is exact for
a nadir camera over any terrain that does not hide a part of itself.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from missions.geo import Floats
from missions.model import DroneModel, Sensor

# Ground counts as seen when it is this far inside the picture: the pose error of a consumer GPS
# and gimbal (about 4 m on the ground at one standard deviation from 120 m) and the 3.5 m that a
# place can be from the nearest of the points, 5 m apart, at which ground is looked up.
MARGIN_M = 8.0

# What a slope of one in four takes off the half picture on its uphill side, at 120 m.
SLOPE_M = 4.0

SIDELAP = 0.30
FORWARD_OVERLAP = 0.35


@dataclass(frozen=True, slots=True)
class Footprint:
    """The half field of view as tangents, across and along the heading."""

    across: float
    along: float

    @classmethod
    def of(cls, models: tuple[DroneModel, ...], sensors: frozenset[Sensor]) -> "Footprint | None":
        """Return what every one of the sensors sees on every model that carries them all.

        None where no model carries them all.
        """
        cameras = [
            camera
            for model in models
            if all(model.camera(s) for s in sensors)
            for camera in model.cameras
            if camera.sensor in sensors
        ]
        if not cameras:
            return None
        return cls(
            min(c.width_px / 2 / c.focal_px for c in cameras),
            min(c.height_px / 2 / c.focal_px for c in cameras),
        )

    def narrowest(self, other: "Footprint") -> "Footprint":
        """Return what both see."""
        return Footprint(min(self.across, other.across), min(self.along, other.along))

    def lane_spacing_m(self, height_m: float) -> float:
        return 2 * self.across * height_m * (1 - SIDELAP)

    def shot_spacing_m(self, height_m: float) -> float:
        return 2 * self.along * height_m * (1 - FORWARD_OVERLAP)

    def reach_m(self, height_m: float) -> tuple[float, float]:
        """Return how far from the middle, across and along, ground is sure to be seen on a mild slope."""
        return (
            max(self.across * height_m - MARGIN_M - SLOPE_M, 1.0),
            max(self.along * height_m - MARGIN_M - SLOPE_M, 1.0),
        )


@dataclass(frozen=True, slots=True)
class Poses:
    """Planned pictures: place, height above sea level, and the headings each may be taken at.

    A strip may be flown from either end, and in a bend the heading differs; a
    point is approached from anywhere, which NaN says.
    """

    east_m: Floats
    north_m: Floats
    altitude_m: Floats
    headings_deg: Floats  # (n, 2)

    def __len__(self) -> int:
        return len(self.east_m)


def seen(poses: Poses, footprint: Footprint, points: Floats, tree: cKDTree) -> list[npt.NDArray[np.intp]]:
    """Return for each pose the indices of the points that it sees with the margin, however flown.

    `points` has columns east, north, height above sea level; `tree` holds the first two.
    """
    found = []
    lowest_m = np.nanmin(points[:, 2], initial=np.inf)
    for k in range(len(poses)):
        depth = poses.altitude_m[k] - lowest_m
        radius = max(1.0, math.hypot(footprint.across, footprint.along) * depth)
        near = np.asarray(tree.query_ball_point((poses.east_m[k], poses.north_m[k]), radius), dtype=np.intp)
        near.sort()
        found.append(near[_inside(poses, k, footprint, points[near])])
    return found


def _inside(poses: Poses, k: int, footprint: Footprint, points: Floats) -> npt.NDArray[np.bool_]:
    east, north = points[:, 0] - poses.east_m[k], points[:, 1] - poses.north_m[k]
    depth = poses.altitude_m[k] - points[:, 2]
    across_m, along_m = footprint.across * depth - MARGIN_M, footprint.along * depth - MARGIN_M
    if np.isnan(poses.headings_deg[k]).any():
        return np.asarray(np.hypot(east, north) <= np.minimum(across_m, along_m))
    inside = np.ones(len(points), dtype=bool)
    for heading_deg in poses.headings_deg[k]:
        sin, cos = math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg))
        inside &= np.abs(east * cos - north * sin) <= across_m
        inside &= np.abs(east * sin + north * cos) <= along_m
    return inside
