"""Verdicts of closed orders as the table that `gridpatrol calibrate` learns from.

A row a look: what the detector said of it, and what people found when they went there. The columns are
those of `vision.calibration.labels`; a mask that was set after the verdict names its owner and its end.
As a package the table brings the crops it is about.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from api.discretion import NOTHING, is_rough, told_ellipse, told_place
from api.store.models import FrameRow, ObservationRow
from api.store.tables.orders import OrderRow
from api.store.tables.witnesses import KnownSourceRow
from missions.geo import LatLon
from missions.model import Hazard, Site
from vision.calibration.labels import COLUMNS, TABLE
from vision.model import Ellipse


@dataclass(frozen=True, slots=True)
class Judged:
    """One look at an incident, the order that judged it, and the mask it left."""

    look: ObservationRow
    frame: FrameRow
    order: OrderRow
    mask: KnownSourceRow | None


def table(
    judged: Iterable[Judged],
    site: Site,
    crops: Mapping[str, bytes] | None = None,
    *,
    knows: frozenset[Hazard] = NOTHING,
) -> str:
    """Return the table as CSV; `crops` are JPEGs by observation, `knows` whose exact places are told."""
    cameras = _cameras(site)
    out = io.StringIO()
    lines = csv.DictWriter(out, COLUMNS)
    lines.writeheader()
    for one in judged:
        crop = crop_name(one) if crops and one.look.id in crops else ""
        lines.writerow(_row(one, cameras, knows) | {"crop": crop})
    return out.getvalue()


def package(
    judged: Iterable[Judged],
    site: Site,
    crops: Mapping[str, bytes],
    *,
    knows: frozenset[Hazard] = NOTHING,
) -> bytes:
    """Return a zip of the table and the crops it names, as `gridpatrol calibrate` reads it."""
    rows, out = list(judged), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        made.writestr(TABLE, table(rows, site, crops, knows=knows))
        for name, data in {crop_name(r): crops[r.look.id] for r in rows if r.look.id in crops}.items():
            made.writestr(name, data)
    return out.getvalue()


def crop_name(one: Judged) -> str:
    """Return where a look's crop lies in the package."""
    return f"crops/{one.look.id}_{one.look.hazard}.jpg".replace(" ", "_")


def _row(one: Judged, cameras: Mapping[tuple[str, str], str], knows: frozenset[Hazard]) -> dict[str, object]:
    """Return a line; where a place is told roughly, the picture, whose ground is known, is not named."""
    look, frame, order, mask = one.look, one.frame, one.order, one.mask
    place = told_place(look.hazard, LatLon(look.lat_deg, look.lon_deg), knows)
    ellipse = told_ellipse(look.hazard, Ellipse(look.major_m, look.minor_m, look.bearing_deg), knows)
    named = look.id if is_rough(look.hazard, knows) else frame.id
    return {
        "file": f"{named}{PurePosixPath(frame.name).suffix}",
        "camera": cameras.get((frame.drone, frame.sensor), f"{frame.drone} {frame.sensor}"),
        "hazard": look.hazard,
        "score": look.confidence,
        "lat_deg": round(place.lat_deg, 7),
        "lon_deg": round(place.lon_deg, 7),
        "ellipse_m": round(ellipse.major_m, 1),
        "area_m2": "" if look.area_m2 is None else round(look.area_m2, 2),
        "seen_at": look.seen_at.isoformat(),
        "verdict": order.verdict,
        "owner": mask.name if mask else "",
        "expires_at": mask.until_at.isoformat() if mask and mask.until_at else "",
        "officer": order.agency,
    }


def _cameras(site: Site) -> dict[tuple[str, str], str]:
    """Return the cameras' names by drone and sensor."""
    models = {model.name: model for model in site.models}
    return {
        (drone.id, camera.sensor.value): camera.name
        for drone in site.drones
        if drone.model in models
        for camera in models[drone.model].cameras
    }
