"""Close-ups of towers as a site's demands, so that `gridpatrol plan` can fly them.

A site says where to look by a place on the ground, how far beside it the drone stands, how high over it, and
along which bearing and pitch it looks. A joint hangs in the air: its demand names the place on the ground
behind it at which the camera would look through the joint.
"""

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from missions.geo import LatLon, moved
from missions.model import Hazard
from vision.georeference import Ground
from vision.lidar.survey import CloseUp, Survey

REVISIT_MIN = 30 * 24 * 60
DWELL_S = 5.0
_STEPS = 4


def demands(survey: Survey, *, agency: str, terrain: Ground | None) -> list[dict[str, Any]]:
    """Return a demand for each viewpoint of a survey that a plan may fly, as the site file has them.

    Heights are over the cloud's own ground; `terrain` is the site's, for where the look meets it.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "-", Path(survey.file).stem).strip("-_") or "cloud"
    found = [d for c in survey.flown if c.place is not None for d in _demand(c, c.place, agency, terrain)]
    # Plans let demands with the very same view close by share a look: a millimetre keeps them apart.
    return [
        d | {"id": f"{name}-{d['id']}", "height_m": round(d["height_m"] + i / 1000.0, 3)}
        for i, d in enumerate(found)
    ]


def fragment(found: list[dict[str, Any]]) -> str:
    """Return the demands as YAML to be put under `demands:` of a site file."""
    head = "# Close-ups of towers: put these under `demands:` of the site file, name your agency.\n"
    text, yaml = io.StringIO(), YAML()
    yaml.dump(found, text)
    return head + text.getvalue()


def _demand(
    close_up: CloseUp, stand: LatLon, agency: str, terrain: Ground | None
) -> Iterator[dict[str, Any]]:
    """Yield the demand of one viewpoint; none where the elevation model does not reach."""
    view, high_m = close_up.view, close_up.above_ground_m
    pitch_deg, heading_deg = round(view.pitch_deg, 1), round(view.heading_deg, 1)
    off_m, over_m = high_m / math.tan(math.radians(-pitch_deg)), high_m
    for _ in range(_STEPS if terrain is not None else 0):
        assert terrain is not None
        target = moved(stand, heading_deg, off_m)
        here, there = _height_m(terrain, stand), _height_m(terrain, target)
        over_m = high_m + here - there
        off_m = over_m / math.tan(math.radians(-pitch_deg))
    if not math.isfinite(off_m) or not off_m > 0:
        return
    target = moved(stand, heading_deg, off_m)
    joint = view.joint
    yield {
        "id": f"joint-{joint.tower + 1}-{joint.wire + 1}-{view.face}",
        "agency": agency,
        "hazards": [Hazard.HOT_JOINT.value],
        "where": {"point": [round(target.lat_deg, 7), round(target.lon_deg, 7)]},
        "sensors": ["thermal", "rgb"],
        "height_m": round(over_m, 1),
        "revisit_min": REVISIT_MIN,
        "view": {
            "stand_off_m": round(off_m, 1),
            "pitch_deg": pitch_deg,
            "heading_deg": heading_deg,
            "dwell_s": DWELL_S,
        },
    }


def _height_m(terrain: Ground, at: LatLon) -> float:
    return float(terrain.elevation_m(np.array([at.lat_deg]), np.array([at.lon_deg]))[0])
