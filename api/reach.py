"""How far the site reaches: whose ground a word may concern, and where a drone can go and look."""

from dataclasses import dataclass

from missions.geo import Area, LatLon, distance_m
from missions.model import Dock, Site

MARGIN_DEG = 0.05
"""About 5 km around all agencies' ground, docks and demands: a wide ellipse beyond it still touches them."""

FARTHEST_M = 8_000.0
"""A sortie lasts 22 minutes at most: at 12 m/s there and back is not farther, whatever the battery."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The box around all that a site cares for, and its docks."""

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float
    docks: tuple[Dock, ...]

    @classmethod
    def of(cls, site: Site) -> "Reach":
        """Return the reach of a site."""
        grounds = [area for agency in site.agencies for area in agency.jurisdiction]
        grounds += [d.where for d in site.demands if isinstance(d.where, Area)]
        places = [p for area in grounds for p in area.outer] + [d.place for d in site.docks] + [site.origin]
        lats, lons = [p.lat_deg for p in places], [p.lon_deg for p in places]
        return cls(
            min(lats) - MARGIN_DEG,
            min(lons) - MARGIN_DEG,
            max(lats) + MARGIN_DEG,
            max(lons) + MARGIN_DEG,
            site.docks,
        )

    def covers(self, place: LatLon) -> bool:
        """Return whether what happens at a place may concern anybody here."""
        inside_lat = self.south_deg <= place.lat_deg <= self.north_deg
        return inside_lat and self.west_deg <= place.lon_deg <= self.east_deg

    def can_fly_to(self, place: LatLon) -> bool:
        """Return whether some dock is near enough for a look; whether a drone can, the planner says."""
        return self.covers(place) and any(distance_m(d.place, place) <= FARTHEST_M for d in self.docks)
