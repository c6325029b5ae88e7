"""The incidents that are live, found by place without looking through all of them.

A grid hash: every incident stands in each cell of 0.002° (some 200 m) that it reaches into, and
an observation is compared with those in the cells around it. Putting and taking out cost as many steps as
an incident has cells: one for most, a few dozen for a long front.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime

from missions.geo import LatLon
from missions.model import Hazard
from vision import lifecycle, spots
from vision.incidents import Decision, absorb
from vision.model import Incident, Observation

CELL_DEG = 0.002
_Cell = tuple[Hazard, int, int]


class OpenIncidents:
    """Live incidents by id and by place; `absorb` and `age` decide, and keep what they decided."""

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        self._by_id: dict[str, Incident] = {}
        self._cells_of: dict[str, tuple[_Cell, ...]] = {}
        self._in_cell: dict[_Cell, dict[str, Incident]] = {}
        for incident in incidents:
            self.put(incident)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Incident]:
        return iter(self._by_id.values())

    def absorb(self, observation: Observation, *, now: datetime) -> Decision:
        """Return what one more observation means, and keep it."""
        decision = absorb(self.near(observation), observation, now=now)
        for ended in decision.ended:
            self.drop(ended.id)
        if decision.incident is not None:
            self.put(decision.incident)
        return decision

    def age(self, *, now: datetime) -> list[lifecycle.Change]:
        """Return what time did to the incidents, and keep it; those that closed are dropped."""
        changes = [c for i in list(self) if (c := lifecycle.aged(i, now=now))]
        for change in changes:
            if change.incident.state.is_live:
                self.put(change.incident)
            else:
                self.drop(change.incident.id)
        return changes

    def near(self, seen: Observation) -> list[Incident]:
        """Return the incidents of its hazard that an observation may belong to."""
        blur = seen.ellipse.major_m if seen.ellipse.major_m > spots.COARSE_M else spots.FARTHEST_M
        reach = spots.radius_m(seen.area_m2) + blur + spots.PARTED_M.get(seen.hazard, 0.0)
        found: dict[str, Incident] = {}
        for cell in _cells(seen.hazard, [(seen.place, reach)]):
            found |= self._in_cell.get(cell, {})
        return list(found.values())

    def put(self, incident: Incident) -> None:
        """Keep an incident, in place of what was known of it."""
        cells = self._cells_of.get(incident.id, ())
        now_in = _cells(incident.hazard, _extent(incident))
        if cells != now_in:
            self._leave(incident.id, cells)
            self._cells_of[incident.id] = now_in
        for cell in now_in:
            self._in_cell.setdefault(cell, {})[incident.id] = incident
        self._by_id[incident.id] = incident

    def drop(self, incident_id: str) -> None:
        """Forget an incident; one that is not there is no matter."""
        self._leave(incident_id, self._cells_of.pop(incident_id, ()))
        self._by_id.pop(incident_id, None)

    def _leave(self, incident_id: str, cells: Iterable[_Cell]) -> None:
        for cell in cells:
            inside = self._in_cell[cell]
            inside.pop(incident_id, None)
            if not inside:
                del self._in_cell[cell]


def _extent(incident: Incident) -> list[tuple[LatLon, float]]:
    """Return an incident's spots, each with how far it reaches: one known only roughly as far as that."""
    return [
        (s.place, s.radius_m + (s.ellipse.major_m if s.ellipse.major_m > spots.COARSE_M else 0.0))
        for s in spots.spots_of(incident)
    ]


def _cells(hazard: Hazard, discs: Iterable[tuple[LatLon, float]]) -> tuple[_Cell, ...]:
    """Return the cells that discs reach into, each once."""
    found: dict[_Cell, None] = {}
    for place, reach_m in discs:
        up = reach_m / 110_570.0
        across = up / max(math.cos(math.radians(place.lat_deg)), 0.01)
        rows = range(
            math.floor((place.lat_deg - up) / CELL_DEG), math.floor((place.lat_deg + up) / CELL_DEG) + 1
        )
        first = math.floor((place.lon_deg - across) / CELL_DEG)
        last = math.floor((place.lon_deg + across) / CELL_DEG)
        for row in rows:
            for column in range(first, last + 1):
                found[hazard, row, column] = None
    return tuple(found)
