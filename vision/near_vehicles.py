"""How near to felled ground a vehicle stood in the same picture: who felled it may still be there."""

from collections.abc import Sequence
from dataclasses import replace

from shapely.geometry import Point, Polygon

from missions.model import Hazard
from vision.model import Observation
from vision.tangent import Scale

MACHINERY = "machinery"
"""The kind of a vehicle where a felling is looked for."""

NEAR_M, STEP_M = 300.0, 10.0
"""A vehicle farther off is nobody's at the felling; distances are told in steps of this, upwards."""


def beside_vehicles(seen: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return a picture's observations, those of felled ground with how near the nearest vehicle stood.

    The fact is `vehicle_within_m`, in metres from the felled ground's edge. Both lie in one picture, so what
    its pose is wrong by moves both alike.
    """
    vehicles = [one for one in seen if one.hazard is Hazard.LOGGING and one.kind == MACHINERY]
    if not vehicles:
        return tuple(seen)
    return tuple(_told(one, vehicles) for one in seen)


def _told(one: Observation, vehicles: Sequence[Observation]) -> Observation:
    if one.hazard is not Hazard.LOGGING or one.kind == MACHINERY:
        return one
    scale = Scale.at(one.place)
    ground = Polygon([scale.to_local(p) for p in one.outline.outer]) if one.outline else Point(0.0, 0.0)
    away = min(float(ground.distance(Point(scale.to_local(v.place)))) for v in vehicles)
    if away > NEAR_M:
        return one
    steps = max(1, -(-away // STEP_M))
    return replace(one, facts={**one.facts, "vehicle_within_m": steps * STEP_M})
