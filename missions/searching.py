"""How likely a plan's flights find what is searched for, demand by demand."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from missions.footprint import Footprint
from missions.geo import Area, LatLon, LocalFrame, distance_m
from missions.model import Demand, Plan, Site, TaskKind
from missions.sought import Effort, Sought, sweep_m

_STEPS = 60


def efforts(plan: Plan, site: Site) -> tuple[Effort, ...]:
    """Return what the flown strips lay over each area that is searched, in the order of the demands."""
    return tuple(
        _effort(plan, site, demand, demand.sought, demand.where)
        for demand in site.demands
        if demand.sought is not None and isinstance(demand.where, Area)
    )


def chance_inside(area: Area, sought: Sought) -> float | None:
    """Return the chance that what is sought lies in an area (POC), None where nobody saw it last."""
    if sought.last_seen is None:
        return None
    shape = LocalFrame(sought.last_seen).polygon(area)
    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    # Rings of equal probability around where it was last: the quantiles of a round normal distribution.
    radius = sought.sigma_m * np.sqrt(-2.0 * np.log1p(-steps))
    turn = 2 * np.pi * steps
    return float(np.mean(shapely.contains_xy(shape, *_circles(radius, turn))))


def to_json(effort: Effort) -> dict[str, object]:
    """Return an effort as `plan --json` prints it."""
    return {
        "demand": effort.demand,
        "strips": effort.strips,
        "track_m": round(effort.track_m),
        "height_m": round(effort.height_m, 1),
        "sweep_width_m": round(effort.sweep_m, 1),
        "area_m2": round(effort.area_m2),
        "coverage": round(effort.coverage, 3),
        "probability_of_detection": round(effort.detection, 3),
        "probability_of_area": None if effort.inside is None else round(effort.inside, 3),
        "probability_of_success": None if effort.success is None else round(effort.success, 3),
    }


def table(found: Sequence[Effort]) -> list[tuple[str, ...]]:
    """Return the efforts as rows for people, their heads first; nothing where nothing is searched."""
    if not found:
        return []
    head = ("search", "strips", "km", "height", "sweep width", "coverage", "finds what is there", "finds it")
    return [head, *(_row(effort) for effort in found)]


def _row(effort: Effort) -> tuple[str, ...]:
    return (
        effort.demand,
        str(effort.strips),
        f"{effort.track_m / 1000:.1f}",
        f"{effort.height_m:.0f} m",
        f"{effort.sweep_m:.0f} m",
        f"{effort.coverage:.2f}",
        f"{effort.detection:.0%}",
        "-" if effort.success is None else f"{effort.success:.0%}",
    )


def _effort(plan: Plan, site: Site, demand: Demand, sought: Sought, area: Area) -> Effort:
    """Return what the flown strips lay over one area: each as long as its looks and half a picture more."""
    eye = Footprint.of(site.models, demand.sensors)
    flown = {task for sortie in plan.sorties for task in sortie.tasks}
    strips = [t for t in plan.tasks if t.id in flown and t.kind is TaskKind.STRIP and demand.id in t.demands]
    ahead_m = 2 * eye.along * demand.height_m if eye else 0.0
    track_m = sum(
        _long_m([look.place for look in task.looks if demand.id in look.demands]) for task in strips
    )
    swath_m = 2 * eye.across * demand.height_m if eye else 0.0
    return Effort(
        demand.id,
        len(strips),
        track_m + ahead_m * len(strips),
        sweep_m(swath_m, sought.recall),
        _area_m2(area),
        demand.height_m,
        chance_inside(area, sought),
    )


def _long_m(places: Sequence[LatLon]) -> float:
    return sum(distance_m(a, b) for a, b in pairwise(places))


def _area_m2(area: Area) -> float:
    shape: BaseGeometry = LocalFrame(area.outer[0]).polygon(area)
    return float(shape.area)


def _circles(radius: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points on all circles, as east and north."""
    away, way = np.meshgrid(radius, turn)
    return away * np.sin(way), away * np.cos(way)
