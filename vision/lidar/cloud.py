"""A point cloud from a LAS or LAZ file: metres in the file's own system, with what the file does not say.

The header may name a coordinate system, or not; points may have classes (ASPRS LAS 1.4: 2 ground, 3-5
vegetation, 6 building, 7 and 18 noise, 9 water, 13-16 wires and towers), or all be 0 or 1. Neither is needed
to find wires and measure distances, and neither is made up: what is missing is in `notes`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import laspy
import numpy as np
import numpy.typing as npt
import pyproj
from laspy.errors import LaspyException
from pyproj.exceptions import CRSError, ProjError

from missions.errors import InputWrong
from missions.geo import Floats
from vision.errors import Unreadable

ENDINGS = frozenset({".las", ".laz"})
NOISE = (7, 18)
GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
STANDARD_S, LEAP_S = 1e9, 18.0  # LAS 1.4: adjusted standard GPS time; GPS is ahead of UTC since 2017
MOST_POINTS = 60_000_000
"""More would not fit in the memory of an office machine: cut the file into tiles."""


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud:
    """Points from `origin_m` (east, north, up) of a system whose metres are `unit_m` of the file's unit.

    `classes` is None where no point has a class that says anything; `crs` where the file names no
    system and nobody else did. `is_known_metres` says whether the unit is stated or only taken for granted.
    """

    points_m: Floats
    origin_m: tuple[float, float, float]
    classes: npt.NDArray[np.uint8] | None
    crs: pyproj.CRS | None
    unit_m: float
    up_unit_m: float
    is_known_metres: bool
    flown_at: datetime | None
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.points_m)

    def file_coordinates(self, points_m: Floats) -> Floats:
        """Return points, (n, 3), as the file counts them."""
        units = np.array([self.unit_m, self.unit_m, self.up_unit_m])
        return np.asarray((points_m + self.origin_m) / units)

    def places(self, points_m: Floats) -> tuple[Floats, Floats] | None:
        """Return latitudes and longitudes of points, (n, 3); None without a coordinate system."""
        if self.crs is None:
            return None
        to_wgs84 = pyproj.Transformer.from_crs(_level(self.crs), "EPSG:4326", always_xy=True)
        given = self.file_coordinates(points_m)
        lon, lat = to_wgs84.transform(given[:, 0], given[:, 1])
        return np.asarray(lat), np.asarray(lon)


def is_cloud(path: Path) -> bool:
    """Return whether a file's ending is a point cloud's."""
    return path.suffix.lower() in ENDINGS


def crs_of(text: str) -> pyproj.CRS:
    """Return the coordinate system that somebody named ("EPSG:28992").

    Raises:
        InputWrong: there is no such system, or it is in degrees.
    """
    try:
        crs = pyproj.CRS.from_user_input(text)
    except CRSError:
        raise InputWrong(f"--crs: found {text!r}, expected a coordinate system such as EPSG:28992") from None
    if not _level(crs).is_projected:
        raise InputWrong(f"--crs: {text} is in degrees, expected the projected system of the points")
    return crs


def read(path: Path, *, crs: pyproj.CRS | None = None) -> PointCloud:
    """Return the cloud in a file; `crs` counts where the header names none.

    Raises:
        Unreadable: it is no LAS or LAZ file, is damaged or empty, or is in degrees.
    """
    header, xyz, classes, flown_at = _content(path)
    stated = _stated(header)
    notes: list[str] = []
    known = stated or crs
    if known is None:
        notes.append(
            "the file names no coordinate system: nothing is put on the map, and its unit is taken for "
            "the metre (--crs EPSG:… says both)"
        )
    elif stated is not None and crs is not None and not stated.equals(crs, ignore_axis_order=True):
        notes.append(f"the file says its system is {stated.name}: --crs is not used")
    unit, up_unit = _units(known)
    metres = xyz * np.array([unit, unit, up_unit])
    if known is not None and _misplaced(known, xyz):
        raise Unreadable(f"its coordinates lie outside {known.name}: expected points of that system")
    if unit != 1.0 or up_unit != 1.0:
        notes.append(f"the file is in feet ({unit:.4f} m a unit): turned into metres")
    said = _said(classes)
    if said is None:
        notes.append("its points have no classes: what stands near a wire is told apart by nothing")
    keep = np.isfinite(metres).all(axis=1) & ~np.isin(classes, NOISE)
    if not keep.any():
        raise Unreadable("holds no points but noise")
    origin = metres[keep].min(axis=0)
    return PointCloud(
        metres[keep] - origin,
        (float(origin[0]), float(origin[1]), float(origin[2])),
        None if said is None else said[keep],
        known,
        unit,
        up_unit,
        known is not None,
        flown_at,
        tuple(notes),
    )


def _content(path: Path) -> tuple[laspy.LasHeader, Floats, npt.NDArray[np.uint8], datetime | None]:
    try:
        with laspy.open(path) as file:
            if file.header.point_count > MOST_POINTS:
                raise Unreadable(f"{file.header.point_count:,} points are too many: cut it into tiles")
            read_points = file.read()
            header = file.header
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror or error}") from None
    except Unreadable:
        raise
    except (LaspyException, ValueError, RuntimeError, MemoryError) as error:
        raise Unreadable(f"not a LAS or LAZ file, or a damaged one: {error}") from None
    if not len(read_points.points):
        raise Unreadable("holds no points")
    xyz = np.column_stack([read_points.x, read_points.y, read_points.z]).astype(float)
    return header, xyz, np.asarray(read_points.classification, np.uint8), _flown_at(header, read_points)


def _flown_at(header: laspy.LasHeader, points: laspy.LasData) -> datetime | None:
    """Return when the last point was taken, None where the file tells only seconds of some week."""
    is_standard = header.global_encoding.gps_time_type == laspy.header.GpsTimeType.STANDARD
    if not is_standard or "gps_time" not in points.point_format.dimension_names:
        return None
    latest = float(np.max(points.gps_time))
    try:
        return GPS_EPOCH + timedelta(seconds=latest + STANDARD_S - LEAP_S) if latest != 0 else None
    except (OverflowError, ValueError):  # of no calendar, or nan
        return None


def _stated(header: laspy.LasHeader) -> pyproj.CRS | None:
    """Return the coordinate system of the header; one that cannot be understood is none."""
    try:
        crs: pyproj.CRS | None = header.parse_crs()
    except (CRSError, ProjError, LaspyException, ValueError):
        return None
    if crs is not None and _level(crs).is_engineering:
        return None
    if crs is not None and not _level(crs).is_projected:
        raise Unreadable(f"is in degrees ({crs.name}): project it to metres first")
    return crs


def _level(crs: pyproj.CRS) -> pyproj.CRS:
    """Return the level part of a system that may be a compound of level and height."""
    return crs.sub_crs_list[0] if crs.is_compound else crs


def _units(crs: pyproj.CRS | None) -> tuple[float, float]:
    """Return the metres in a unit, level and up; heights without a word of their own have the level unit."""
    if crs is None:
        return 1.0, 1.0
    level = float(_level(crs).axis_info[0].unit_conversion_factor)
    parts = crs.sub_crs_list if crs.is_compound else []
    up = float(parts[1].axis_info[0].unit_conversion_factor) if len(parts) > 1 else level
    return level, up


def _misplaced(crs: pyproj.CRS, xyz: Floats) -> bool:
    """Return whether the points' middle lies far outside the ground the system is made for."""
    area = _level(crs).area_of_use
    if area is None:
        return False
    to_wgs84 = pyproj.Transformer.from_crs(_level(crs), "EPSG:4326", always_xy=True)
    lon, lat = to_wgs84.transform(*np.median(xyz[:, :2], axis=0))
    inside = area.west - 2 <= lon <= area.east + 2 and area.south - 2 <= lat <= area.north + 2
    return not (np.isfinite([lon, lat]).all() and inside)


def _said(classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8] | None:
    """Return the classes if they tell more than "unclassified", else None."""
    return classes if np.isin(classes, (3, 4, 5, 6, 14, 15, 26)).any() else None
