"""Whose place is told only roughly: that of animals, to everybody but those the site trusts with it. Pure.

A den that everybody can find is soon empty. The site file names the agencies that know better
(`exact_places: [wildlife]`, in the valley forestry's); for all others, the operator's people too, a place
is the middle of its square of the public page's grid, its ellipse reaches around that square, and the place
in words is that middle's. What goes out is rough unless somebody is known to be trusted, so that an
interface that never asks gives nothing away.
"""

import math

from api.public import ROUNDED_DEG, rounded
from missions.geo import LatLon
from missions.layers import ReferenceLayers
from missions.model import Hazard, Site
from missions.places import describe_all
from vision.model import Ellipse

ROUGH = frozenset({Hazard.WILDLIFE})
"""Hazards whose places are told roughly."""

NOTHING: frozenset[Hazard] = frozenset()
_DEGREE_M = 111_320.0


def is_rough(hazard: str, knows: frozenset[Hazard] = NOTHING) -> bool:
    """Return whether a hazard's places are told roughly to one who knows those of some."""
    return hazard in ROUGH and hazard not in knows


def untold(knows: frozenset[Hazard]) -> list[str]:
    """Return the hazards that are told roughly to one who knows the places of some."""
    return sorted(hazard.value for hazard in ROUGH - knows)


def told_place(hazard: str, place: LatLon, knows: frozenset[Hazard] = NOTHING) -> LatLon:
    """Return the place that is told of a hazard's."""
    return rounded(place) if is_rough(hazard, knows) else place


def told_ellipse(hazard: str, ellipse: Ellipse, knows: frozenset[Hazard] = NOTHING) -> Ellipse:
    """Return the ellipse that is told: of a rough place one around its whole square."""
    if not is_rough(hazard, knows):
        return ellipse
    around_m = round(ROUNDED_DEG * _DEGREE_M / math.sqrt(2))
    return Ellipse(around_m, around_m, 0.0)


def named_place(hazard: str, place: LatLon, layers: ReferenceLayers) -> dict[str, str]:
    """Return the place that is told in words, in every language: the same to everybody."""
    return describe_all(told_place(hazard, place), layers)


def known_to(agency: str | None, site: Site) -> frozenset[Hazard]:
    """Return the hazards whose exact places an agency is trusted with; none for who is no agency."""
    return next((a.exact_places for a in site.agencies if a.id == agency), NOTHING)
