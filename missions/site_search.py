"""The searches of a site file: what is sought, checked, and from how high it still shows."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from missions.geo import LatLon
from missions.model import DroneModel, Sensor, Sought
from missions.sought import PERSON_M, PIXELS, RECALL
from missions.yaml_lines import Keys, Lined

LOWEST_M = 10.0


def sought(
    lined: Lined, keys: Keys, row: Mapping[str, Any], place: Callable[[Keys, float, float], LatLon]
) -> Sought | None:
    """Return what a demand searches for, None where it watches only.

    Raises:
        SiteWrong: it searches a point or a line, or something was last seen on no map.
    """
    if "search" not in row:
        return None
    said, where = row["search"], row["where"]
    if "point" in where or "half_width_m" in where:
        raise lined.wrong(keys, found="a search at a point or along a line", expected="`where` to be an area")
    if "within_m" in said and "last_seen" not in said:
        raise lined.wrong(keys, found="within_m alone", expected="last_seen, around which it is")
    seen = said.get("last_seen")
    return Sought(
        float(said.get("wide_m", PERSON_M)),
        float(said.get("recall", RECALL)),
        place((*keys, "last_seen"), float(seen[0]), float(seen[1])) if seen else None,
        float(said.get("within_m", Sought().within_m)),
    )


def highest_m(
    lined: Lined,
    keys: Keys,
    wanted: Sought | None,
    sensors: frozenset[Sensor],
    models: tuple[DroneModel, ...],
) -> float:
    """Return from how high each camera that may fly a search still shows what is sought.

    Raises:
        SiteWrong: it is too small to show from where drones may fly.
    """
    if wanted is None:
        return math.inf
    able = [m for m in models if all(m.camera(s) for s in sensors)]
    heights = [wanted.highest_m(c.focal_px) for m in able for c in m.cameras if c.sensor in sensors]
    highest = min(heights, default=math.inf)
    if highest < LOWEST_M:
        raise lined.wrong(
            (*keys, "wide_m"),
            found=f"{wanted.wide_m:g} m, {PIXELS} pixels across from {highest:.0f} m up",
            expected=f"something that shows from {LOWEST_M:.0f} m",
        )
    return highest
