"""Fixed cameras: where one stands, which way it saw something, and the picture that shows it.

One bearing tells a direction and no distance: the sighting is a wedge, from the camera to as far as it
sees. Its ellipse is drawn around the wedge; a second camera's wedge, or anybody else's word, cuts it short.
The bearing is given, or follows from the pixel: the bearing of the picture's middle, its field of view, and
the column in which the thing stands.
"""

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from missions.errors import InputWrong
from missions.geo import Area, LatLon, moved
from missions.model import Hazard
from vision.model import Ellipse
from vision.witnesses.report import hazard_named
from vision.witnesses.sighting import Read, Refused, Sighting, Witness
from vision.witnesses.table import named, number, optional_number
from vision.witnesses.when import timed
from vision.witnesses.where import placed

CONFIDENCE = 0.5  # where the file gives none
MOST_CERTAIN = 0.7
"""However sure a detector is of smoke: fog, dust and clouds fool all that look at the horizon."""

RANGE_M, FARTHEST_M, NEAREST_M = 10_000.0, 40_000.0, 200.0
BEARING_ERROR_DEG = 1.5  # one deviation of how a mast camera is levelled and turned, with the box's own width

_NAMES: Mapping[str, tuple[str, ...]] = {
    "camera": ("camera", "camera_id", "station"),
    "lat": ("lat", "lat_deg", "latitude"),
    "lon": ("lon", "long", "lon_deg", "longitude"),
    "at": ("at", "time", "seen_at", "created_at"),
    "hazard": ("hazard", "class"),
    "bearing": ("bearing_deg", "azimuth", "bearing"),
    "middle": ("camera_bearing_deg", "camera_azimuth"),
    "view": ("view_deg", "angle_of_view", "fov_deg"),
    "width": ("width_px", "image_width"),
    "column": ("x_px", "column_px"),
    "error": ("bearing_error_deg",),
    "range": ("range_m",),
    "confidence": ("confidence", "score"),
    "picture": ("picture", "image", "media_url", "url"),
}
_NEEDED = ("camera", "lat", "lon", "at")
_CORNERS = 5


def read_cameras(lines: Iterable[str], *, zone: tzinfo, now: datetime, near: LatLon | None = None) -> Read:
    """Return what fixed cameras saw, from a CSV file.

    Raises:
        InputWrong: the header lacks a column.
    """
    table = csv.DictReader(lines, skipinitialspace=True)
    columns = named(table.fieldnames or (), _NAMES, needed=_NEEDED)
    sightings: list[Sighting] = []
    refused: list[Refused] = []
    rows = 0
    for row in table:
        rows += 1
        try:
            sightings.append(_sighting(row, columns, zone=zone, now=now, near=near))
        except InputWrong as error:
            refused.append(Refused(table.line_num, str(error)))
    return Read(rows, tuple(sightings), refused=tuple(refused))


def wedge(camera: LatLon, bearing_deg: float, half_deg: float, range_m: float) -> Area:
    """Return the ground a camera may mean: from where it stands to as far as it sees."""
    steps = [bearing_deg + half_deg * (2 * i / (_CORNERS - 1) - 1) for i in range(_CORNERS)]
    return Area((camera, *(moved(camera, step, range_m) for step in steps)))


def wedge_ellipse(
    camera: LatLon, bearing_deg: float, error_deg: float, range_m: float
) -> tuple[LatLon, Ellipse]:
    """Return the middle and the 95 % ellipse of a wedge.

    Along the bearing any distance is as likely (a uniform spread); across it the error at the
    wedge's middle counts.
    """
    along = 2.448 * range_m / math.sqrt(12.0)
    across = max(2.448 * math.radians(error_deg) * range_m / 2, 10.0)
    return moved(camera, bearing_deg, range_m / 2), Ellipse(
        max(along, across), min(along, across), bearing_deg % 180.0
    )


def _sighting(
    row: Mapping[str, str], columns: Mapping[str, str], *, zone: tzinfo, now: datetime, near: LatLon | None
) -> Sighting:
    where = placed(number(row, columns["lat"]), number(row, columns["lon"]), near=near)
    when = timed(row[columns["at"]] or "", zone=zone, now=now)
    camera = (row[columns["camera"]] or "").strip()
    if not camera:
        raise InputWrong(f"{columns['camera']}: found nothing, expected the camera's name")
    bearing = _bearing(row, columns)
    error = _within(row, columns, "error", BEARING_ERROR_DEG, 0.01, 45.0)
    range_m = _within(row, columns, "range", RANGE_M, NEAREST_M, FARTHEST_M)
    confidence = _within(row, columns, "confidence", CONFIDENCE, 0.0, 1.0)
    hazard = hazard_named(row[columns["hazard"]]) if columns.get("hazard") else Hazard.SMOKE
    place, ellipse = wedge_ellipse(where.place, bearing, error, range_m)
    picture = (row.get(columns.get("picture", "")) or "").strip() or None
    name = f"camera|{camera}|{when.at.isoformat()}|{bearing:.2f}|{hazard}"
    return Sighting(
        id=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        witness=Witness.CAMERA,
        source=camera,
        hazard=hazard,
        confidence=min(confidence, MOST_CERTAIN),
        place=place,
        ellipse=ellipse,
        seen_at=when.at,
        facts={
            "camera_lat_deg": where.place.lat_deg,
            "camera_lon_deg": where.place.lon_deg,
            "bearing_deg": round(bearing, 2),
            "range_m": range_m,
            "picture": picture,
        },
        outline=wedge(where.place, bearing, 2.448 * error, range_m),
        notes=(*where.notes, *when.notes),
    )


def _bearing(row: Mapping[str, str], columns: Mapping[str, str]) -> float:
    """Return the true bearing of what was seen, as given or from its column in the picture."""
    given = optional_number(row, columns.get("bearing"))
    if given is not None:
        return given % 360.0
    parts = [optional_number(row, columns.get(name)) for name in ("middle", "view", "width", "column")]
    if any(part is None for part in parts):
        raise InputWrong(
            "bearing: found none, expected bearing_deg, or camera_bearing_deg, view_deg, width_px and x_px"
        )
    middle, view, width, column = (float(part) for part in parts if part is not None)
    if not (0 < view < 180 and width > 0 and 0 <= column <= width):
        raise InputWrong(f"x_px: found {column:g} of {width:g} px over {view:g}°, expected a column inside")
    focal_px = width / 2 / math.tan(math.radians(view / 2))
    return (middle + math.degrees(math.atan2(column - width / 2, focal_px))) % 360.0


def _within(
    row: Mapping[str, str], columns: Mapping[str, str], name: str, usual: float, low: float, high: float
) -> float:
    value = optional_number(row, columns.get(name))
    if value is None:
        return usual
    if not low <= value <= high:
        raise InputWrong(f"{columns[name]}: found {value:g}, expected {low:g} to {high:g}")
    return value
