"""plan.json: a plan with the docks, drones and models it needs, so that flying wants no site file.

Version 1. Heights are above mean sea level (EGM96); `above_dock_m` is above
the pad of the sortie's dock.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from missions.errors import InputWrong
from missions.geo import Altitude, Area, Datum, LatLon
from missions.model import (
    Camera,
    Dock,
    Drone,
    DroneModel,
    Look,
    NoFly,
    Plan,
    Sensor,
    Site,
    Slot,
    Sortie,
    Task,
    TaskKind,
    Unserved,
    Waypoint,
)

VERSION = 1
_WRITTEN = "that `gridpatrol plan --out` wrote"


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan read back, with what is needed to fly it."""

    plan: Plan
    docks: tuple[Dock, ...]
    models: tuple[DroneModel, ...]
    drones: tuple[Drone, ...]
    site_id: str
    no_fly: tuple[NoFly, ...] = ()

    def dock(self, dock_id: str) -> Dock:
        return next(d for d in self.docks if d.id == dock_id)

    def model(self, name: str) -> DroneModel:
        return next(m for m in self.models if m.name == name)

    def sortie(self, sortie_id: str) -> Sortie:
        """Return the sortie with this id.

        Raises:
            InputWrong: the plan has no such sortie.
        """
        for sortie in self.plan.sorties:
            if sortie.id == sortie_id:
                return sortie
        known = ", ".join(s.id for s in self.plan.sorties) or "none"
        raise InputWrong(f"the plan has no sortie {sortie_id!r}: it has {known}")


def of(plan: Plan, site: Site) -> PlanFile:
    """Return a plan with what flying it needs of its site."""
    return PlanFile(plan, site.docks, site.models, site.drones, site.id, site.no_fly)


def write(plan: Plan, site: Site, path: Path) -> None:
    """Write the plan and what flying it needs."""
    document = to_json(of(plan, site))
    path.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1), "utf-8")


def read(path: Path) -> PlanFile:
    """Return the plan in a file.

    Raises:
        InputWrong: the file is not a plan, or one of a later version.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputWrong(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:  # neither text nor JSON
        raise InputWrong(f"{path}: found no JSON, expected a plan.json {_WRITTEN}") from None
    if not isinstance(document, dict) or "version" not in document or "plan" not in document:
        raise InputWrong(f"{path}: found JSON that is no plan, expected a plan.json {_WRITTEN}")
    if document["version"] != VERSION:
        raise InputWrong(
            f"{path}: found a plan of version {document['version']!r}, expected version {VERSION}: plan again"
        )
    try:
        return from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputWrong(f"{path}: the plan is damaged ({error}), expected one {_WRITTEN}") from None


def to_json(file: PlanFile) -> dict[str, Any]:
    """Return the plan file as plain JSON values."""
    return {
        "version": VERSION,
        "site": file.site_id,
        "docks": [_plain(d) for d in file.docks],
        "models": [_plain(m) for m in file.models],
        "drones": [_plain(d) for d in file.drones],
        "no_fly": [_plain(z) for z in file.no_fly],
        "plan": _plain(file.plan),
    }


def from_json(document: Mapping[str, Any]) -> PlanFile:
    """Return the plan file that plain JSON values say."""
    return PlanFile(
        _plan(document["plan"]),
        tuple(_dock(d) for d in document["docks"]),
        tuple(_model(m) for m in document["models"]),
        tuple(Drone(**d) for d in document["drones"]),
        document["site"],
        tuple(_no_fly(z) for z in document.get("no_fly", ())),
    )


def _plain(value: Any) -> Any:
    """Return a value of ours as JSON has it: fields by name, places as lat_deg and lon_deg."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _place(value: Mapping[str, float]) -> LatLon:
    return LatLon(value["lat_deg"], value["lon_deg"])


def _altitude(value: Mapping[str, Any]) -> Altitude:
    return Altitude(value["metres"], Datum(value["datum"]))


def _no_fly(value: Mapping[str, Any]) -> NoFly:
    area = value["area"]
    outer, holes = tuple(map(_place, area["outer"])), tuple(tuple(map(_place, h)) for h in area["holes"])
    hours = value.get("hours")
    return NoFly(**{**value, "area": Area(outer, holes), "hours": tuple(hours) if hours else None})


def _dock(value: Mapping[str, Any]) -> Dock:
    return Dock(**{**value, "place": _place(value["place"])})


def _model(value: Mapping[str, Any]) -> DroneModel:
    return DroneModel(**{**value, "cameras": tuple(_camera(c) for c in value["cameras"])})


def _camera(value: Mapping[str, Any]) -> Camera:
    k1, k2, p1, p2, k3 = value["distortion"]
    return Camera(**{**value, "sensor": Sensor(value["sensor"]), "distortion": (k1, k2, p1, p2, k3)})


def _plan(value: Mapping[str, Any]) -> Plan:
    return Plan(
        value["site"],
        value["seed"],
        tuple(_sortie(s) for s in value["sorties"]),
        tuple(_task(t) for t in value["tasks"]),
        tuple(Unserved(**u) for u in value["unserved"]),
        value["saving"],
        tuple(Slot(**slot) for slot in value.get("slots", ())),
    )


def _sortie(value: Mapping[str, Any]) -> Sortie:
    return Sortie(
        **{
            **value,
            "waypoints": tuple(_waypoint(w) for w in value["waypoints"]),
            "tasks": tuple(value["tasks"]),
            "agencies": tuple(value["agencies"]),
        }
    )


def _waypoint(value: Mapping[str, Any]) -> Waypoint:
    return Waypoint(
        **{
            **value,
            "place": _place(value["place"]),
            "altitude": _altitude(value["altitude"]),
            "agencies": tuple(value["agencies"]),
        }
    )


def _task(value: Mapping[str, Any]) -> Task:
    return Task(
        **{
            **value,
            "kind": TaskKind(value["kind"]),
            "looks": tuple(_look(look) for look in value["looks"]),
            "sensors": frozenset(Sensor(s) for s in value["sensors"]),
            "demands": tuple(value["demands"]),
            "agencies": tuple(value["agencies"]),
        }
    )


def _look(value: Mapping[str, Any]) -> Look:
    return Look(
        **{
            **value,
            "place": _place(value["place"]),
            "altitude": _altitude(value["altitude"]),
            "demands": tuple(value["demands"]),
        }
    )
