"""The smallest sortie that can confirm or clear an incident: what it looks at, and from which dock.

Pure. It looks at where the incident may be (its 95 % ellipse) with every camera the drone has, at the
height at which this ground is watched anyway. Docks are tried from the nearest on, and the first whose
fullest drone has the charge for it flies it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.schedule import Heard, needed_percent
from api.shapes import ellipse_ring, touches
from missions.geo import Area, LatLon, distance_m
from missions.model import Demand, Hazard, Plan, Sensor, Site
from missions.terrain import Terrain
from vision.model import Ellipse

USUAL_HEIGHT_M = 120.0
POINT_M = 20.0
"""An error no larger than this is in one picture whole, with room for the drone's own error."""

WIDEST_M = 800.0
"""A wider ellipse is looked at this far from its middle; what lies outside stays unseen, and is told so."""

ITERATIONS = 60


@dataclass(frozen=True, slots=True)
class Sought:
    """An incident as a look needs it."""

    place: LatLon
    ellipse: Ellipse
    hazard: Hazard


@dataclass(frozen=True, slots=True)
class CannotLook:
    """Why no sortie can look; `is_final` when waiting will not help."""

    reason: str
    is_final: bool


def demand(name: str, sought: Sought, site: Site) -> Demand:
    """Return what a look asks of the planner; its agency is the first on whose ground it may be."""
    ours = (a for a in site.agencies if touches(a.jurisdiction, sought.place, sought.ellipse))
    owner = next((a.id for a in ours), "")
    cameras = {camera.sensor for model in site.models for camera in model.cameras}
    heights = [d.height_m for d in site.demands if sought.hazard in d.hazards]
    return Demand(
        id=name,
        agency=owner,
        hazards=frozenset({sought.hazard}),
        where=_where(sought),
        sensors=frozenset(cameras) or frozenset({Sensor.THERMAL}),
        height_m=min(heights, default=USUAL_HEIGHT_M),
        revisit_s=3600.0,
        priority=9,
    )


def smallest(
    site: Site, terrain: Terrain, wanted: Demand, ready: Sequence[Heard], *, seed: int = 1
) -> Plan | CannotLook:
    """Return the plan of the look from the nearest dock that can fly it now, or why there is none.

    `ready` are the drones that stand in their docks with nothing to do.
    """
    from missions.planner import plan  # SciPy and the solver: only where a look is planned

    middle = wanted.where if isinstance(wanted.where, LatLon) else _middle(wanted.where)
    could_wait, reason = False, ""
    for dock in sorted(site.docks, key=lambda d: distance_m(d.place, middle)):
        here = [h for h in ready if h.dock == dock.id]
        if not here:
            could_wait = True
            continue
        charge = {h.model: max(o.battery_percent or 0.0 for o in here if o.model == h.model) for h in here}
        drones = tuple(d for d in site.drones if d.id in {h.drone for h in here})
        # A zone that is shut for a part of the day counts as shut: nobody knows when the look will fly.
        shut = tuple(replace(zone, hours=None) for zone in site.no_fly)
        alone = replace(site, docks=(dock,), drones=drones, demands=(wanted,), no_fly=shut)
        made = plan(alone, terrain=terrain, iterations=ITERATIONS, seed=seed, demands=(wanted,))
        if not made.sorties:
            reason = made.unserved[0].reason if made.unserved else "no way was found"
            continue
        needs = {s.model: needed_percent(s.energy_wh, site.model(s.model)) for s in made.sorties}
        if all(charge.get(model, 0.0) >= percent for model, percent in needs.items()):
            return made
        could_wait = True
    return CannotLook(reason, is_final=not could_wait)


def _where(sought: Sought) -> LatLon | Area:
    if sought.ellipse.major_m <= POINT_M:
        return sought.place
    ellipse = Ellipse(
        min(sought.ellipse.major_m, WIDEST_M),
        min(max(sought.ellipse.minor_m, POINT_M), WIDEST_M),
        sought.ellipse.bearing_deg,
    )
    return Area(ellipse_ring(sought.place, ellipse))


def _middle(where: object) -> LatLon:
    assert isinstance(where, Area)
    count = len(where.outer)
    return LatLon(sum(p.lat_deg for p in where.outer) / count, sum(p.lon_deg for p in where.outer) / count)
