"""What places are named by: lines with towers, rivers with chainage, named areas, roads. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    """A forest compartment or a village, by name."""

    id: str
    kind: str  # "compartment" | "village"
    name: Mapping[str, str]
    area: Area


@dataclass(frozen=True, slots=True)
class Road:
    """A road's middle line, which a fire or a flood may reach."""

    id: str
    name: Mapping[str, str]
    line: tuple[LatLon, ...]


@dataclass(frozen=True, slots=True)
class ReferenceLayers:
    """What places are named by."""

    lines: tuple[PowerLine, ...] = ()
    rivers: tuple[River, ...] = ()
    compartments: tuple[NamedArea, ...] = ()
    villages: tuple[NamedArea, ...] = ()
    roads: tuple[Road, ...] = ()
