"""The simulated world: a site's ground, what stands on it, and what burns, from one seed.

A world is a value. It is built once, is handed to the processes that need it
(it pickles), and knows everything as a function of the time asked for. Nothing
in Gridpatrol's service may look at it: they meet over MAVLink, MQTT and HTTP.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Point, mapping
from shapely.geometry.base import BaseGeometry

from missions.geo import Floats, LatLon, LocalFrame
from missions.model import Site
from sim.animals import Animal, graze
from sim.changes import Changes
from sim.hazards import Decoy, Fire
from sim.landscape import Landscape, wires
from sim.relief import Heights, Relief
from sim.residents import Call, calls
from sim.scenarios import Sowing, changed, sow, watched_ground


@dataclass(frozen=True, eq=False)
class World:
    """Everything that is really there; `epoch_at` is when the simulation begins."""

    site: Site
    seed: int
    epoch_at: datetime
    relief: Relief
    landscape: Landscape
    fires: tuple[Fire, ...]
    decoys: tuple[Decoy, ...]
    calls: tuple[Call, ...] = ()
    changes: Changes = field(default_factory=Changes)
    animals: tuple[Animal, ...] = ()

    @classmethod
    def build(
        cls, site: Site, terrain: Heights, *, seed: int = 1, scenario: str = "fire", epoch_at: datetime
    ) -> "World":
        """Return the world of a site; the same seed gives the same world.

        Raises:
            InputWrong: there is no such scenario, or the site watches no ground for what it is about.
        """
        frame = LocalFrame(site.origin)
        relief = Relief.sampled(terrain, frame)
        landscape = Landscape.of(site, frame, relief)
        sowing = Sowing(frame, relief, landscape, epoch_at, np.random.default_rng(seed))
        fires, decoys = sow(scenario, site, sowing)
        told = calls(fires, decoys, sowing.rng) if scenario == "report" else ()
        changes = changed(scenario, site, sowing)
        taken = [(f.east_m, f.north_m) for f in fires] + [(d.east_m, d.north_m) for d in decoys]
        animals = () if scenario == "calm" else graze(seed, watched_ground(site, frame), landscape, taken)
        return cls(site, seed, epoch_at, relief, landscape, fires, decoys, told, changes, animals)

    @cached_property
    def frame(self) -> LocalFrame:
        """East and north metres around the site's origin."""
        return LocalFrame(self.site.origin)

    def truth(self, now: datetime) -> dict[str, Any]:
        """Return what is really there as a GeoJSON FeatureCollection of points.

        What covers more ground than a point, a flood or a felling, has its `outline` among its properties.
        Beside the points, `wires` tells each conductor between two towers as it hangs: places and heights
        above sea level, from end to end; `animals` are features as those of hazards, where they stand now.
        Nobody misses them where nobody asked for animals, so they are no part of `features`.
        """
        burning = [f for f in self.fires if f.area_m2(now) > 0]
        fires = [self._feature(f.east_m, f.north_m, _fire_facts(f, now)) for f in burning]
        decoys = [
            self._feature(d.east_m, d.north_m, {"hazard": "none", "decoy": d.kind.value, "id": d.id})
            for d in self.decoys
        ]
        altered = [
            *(self._covered("flood", c.id, c.middle, c.shape) for c in self.changes.floods),
            *(self._covered("logging", c.id, c.middle, c.patch) for c in self.changes.fellings),
        ]
        herds = [self._grazing(a, now) for a in self.animals]
        return {
            "type": "FeatureCollection",
            "features": fires + decoys + altered,
            "wires": self._wires,
            "animals": herds,
        }

    def _grazing(self, animal: Animal, now: datetime) -> dict[str, Any]:
        here = animal.at(now, self.relief)
        facts = {"over_air_k": round(animal.over_air_k, 1), "speed_m_s": round(animal.speed_m_s, 2)}
        told = {"hazard": "wildlife", "id": animal.id, "kind": animal.kind, **facts}
        return self._feature(here.east_m, here.north_m, told)

    @cached_property
    def _wires(self) -> list[list[list[float]]]:
        """Each conductor as [longitude, latitude, metres above sea level] rows."""
        return [
            [
                [round(p.lon_deg, 8), round(p.lat_deg, 8), round(up, 2)]
                for p, up in _placed(strand, self.frame)
            ]
            for span in self.landscape.spans
            for strand in wires(span)
        ]

    def _covered(self, hazard: str, name: str, middle: Point, ground: BaseGeometry) -> dict[str, Any]:
        facts = {"hazard": hazard, "id": name, "area_m2": round(ground.area, 1)}
        return self._feature(middle.x, middle.y, facts | {"outline": self._outline(ground)})

    def _outline(self, ground: BaseGeometry) -> dict[str, Any]:
        """Return ground in local metres as a GeoJSON geometry, to a metre."""
        placed = self.frame.in_degrees(ground.simplify(1.0))
        return dict(mapping(shapely.transform(placed, lambda at: at.round(7))))

    def _feature(self, east_m: float, north_m: float, facts: dict[str, Any]) -> dict[str, Any]:
        place = self.frame.to_place(east_m, north_m)
        point = {"type": "Point", "coordinates": [round(place.lon_deg, 8), round(place.lat_deg, 8)]}
        return {"type": "Feature", "geometry": point, "properties": facts}


def _placed(strand: Floats, frame: LocalFrame) -> list[tuple[LatLon, float]]:
    return [(frame.to_place(east, north), up) for east, north, up in strand.tolist()]


def _fire_facts(fire: Fire, now: datetime) -> dict[str, Any]:
    return {
        "hazard": "fire",
        "id": fire.id,
        "area_m2": round(fire.area_m2(now), 3),
        "temp_c": round(fire.temp_c, 1),
        "ignited_at": fire.ignited_at.isoformat(),
    }
