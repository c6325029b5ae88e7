"""Verdicts of closed orders as the table that `gridpatrol calibrate` learns from.

A row a look: what the detector said of it, and what people found when they went there. The columns are
those of `vision.calibration.labels`; a mask that was set after the verdict names its owner and its end.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from api.store.models import FrameRow, ObservationRow
from api.store.tables.orders import OrderRow
from api.store.tables.witnesses import KnownSourceRow
from missions.model import Site
from vision.calibration.labels import COLUMNS


@dataclass(frozen=True, slots=True)
class Judged:
    """One look at an incident, the order that judged it, and the mask it left."""

    look: ObservationRow
    frame: FrameRow
    order: OrderRow
    mask: KnownSourceRow | None


def table(judged: Iterable[Judged], site: Site) -> str:
    """Return the table as CSV."""
    cameras = _cameras(site)
    out = io.StringIO()
    lines = csv.DictWriter(out, COLUMNS)
    lines.writeheader()
    for one in judged:
        lines.writerow(_row(one, cameras))
    return out.getvalue()


def _row(one: Judged, cameras: Mapping[tuple[str, str], str]) -> dict[str, object]:
    look, frame, order, mask = one.look, one.frame, one.order, one.mask
    return {
        "crop": "",
        "file": f"{frame.id}{PurePosixPath(frame.name).suffix}",
        "camera": cameras.get((frame.drone, frame.sensor), f"{frame.drone} {frame.sensor}"),
        "hazard": look.hazard,
        "score": look.confidence,
        "lat_deg": round(look.lat_deg, 7),
        "lon_deg": round(look.lon_deg, 7),
        "ellipse_m": round(look.major_m, 1),
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
