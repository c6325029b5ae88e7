"""What places are named by: lines with towers, rivers with chainage, named areas, roads. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from missions.geo import Area, LatLon


@dataclass(frozen=True, slots=True)
class PowerLine:
    """A power line with its numbered towers in order."""

    id: str
    name: Mapping[str, str]
    voltage_kv: float
    towers: tuple[tuple[str, LatLon], ...]


@dataclass(frozen=True, slots=True)
class River:
    """A river's middle line, flowing from first to last; chainage starts at `chainage_m`."""

    id: str
    name: Mapping[str, str]
    line: tuple[LatLon, ...]
    chainage_m: float = 0.0
    half_width_m: float = 10.0


@dataclass(frozen=True, slots=True)
class NamedArea:
    """A forest compartment, a village, a standing water, a field under crops or a building.

    A building may have no name.
    """

    id: str
    kind: str  # "compartment" | "village" | "water" | "field" | "building"
    name: Mapping[str, str]
    area: Area


@dataclass(frozen=True, slots=True)
class Road:
    """A road's middle line, which a fire or a flood may reach."""

    id: str
    name: Mapping[str, str]
    line: tuple[LatLon, ...]


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to fell trees inside an area from one moment to another."""

    id: str
    name: Mapping[str, str]
    area: Area
    from_at: datetime
    until_at: datetime

    def holds(self, at: datetime) -> bool:
        """Return whether it is in force."""
        return self.from_at <= at < self.until_at


@dataclass(frozen=True, slots=True)
class Outfall:
    """Where something is let into a river: a known pipe, gate or ditch."""

    id: str
    name: Mapping[str, str]
    place: LatLon


@dataclass(frozen=True, slots=True)
class ReferenceLayers:
    """What places are named by, where water and crops belong, and where felling is allowed."""

    lines: tuple[PowerLine, ...] = ()
    rivers: tuple[River, ...] = ()
    compartments: tuple[NamedArea, ...] = ()
    villages: tuple[NamedArea, ...] = ()
    roads: tuple[Road, ...] = ()
    waters: tuple[NamedArea, ...] = ()
    permits: tuple[Permit, ...] = ()
    fields: tuple[NamedArea, ...] = ()
    outfalls: tuple[Outfall, ...] = ()
    buildings: tuple[NamedArea, ...] = ()
