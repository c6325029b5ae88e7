"""The site file: YAML with shapes in a GeoJSON beside it, read into a checked `Site`.

Structure is checked against the published schema `data/site.schema.json`,
meaning (references, shapes, docks on the ground) here. Every refusal is one
sentence: where, what was found, what was expected. Coordinates are converted to
WGS84 here, once; Chinese map coordinates (GCJ-02, BD-09) are no coordinate
systems but offsets, and are refused by name.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jsonschema
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from missions.errors import SiteWrong
from missions.geo import Area, BadPlace, Corridor, LatLon
from missions.model import (
    Agency,
    Camera,
    Demand,
    Dock,
    Drone,
    DroneModel,
    Hazard,
    NamedArea,
    NoFly,
    PowerLine,
    ReferenceLayers,
    River,
    Sensor,
    Severity,
    Site,
    Subscription,
    Wind,
)
from missions.shapes import Line, Shape, Shapes
from missions.terrain import Terrain
from missions.yaml_lines import Lined

Keys = tuple[str | int, ...]


def load_site(path: str | Path) -> Site:
    """Return the site that a file describes, every reference and shape checked.

    Raises:
        SiteWrong: with file and line, what was found and what was expected.
        InputWrong: a file it names cannot be read.
    """
    return _Reader(Lined(Path(path))).site()


@cache
def site_schema() -> dict[str, Any]:
    """Return the published JSON Schema of site files."""
    text = resources.files("missions").joinpath("data/site.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


class _Reader:
    def __init__(self, lined: Lined) -> None:
        self.lined = lined
        self.root: Mapping[str, Any] = lined.root
        self._check_structure()
        self.to_wgs84 = self._transformer()
        folder = lined.path.parent
        self.shapes = (
            Shapes.open(folder / self.root["shapes"], self.to_wgs84) if "shapes" in self.root else None
        )
        self.terrain = Terrain.open(folder / self.root["terrain"])

    def site(self) -> Site:
        root = self.root
        models = tuple(_drone_model(name, row) for name, row in root["drone_models"].items())
        docks = tuple(self._dock(i) for i in range(len(root["docks"])))
        drones = tuple(self._drones({m.name for m in models}))
        agencies = tuple(self._agency(i) for i in range(len(root["agencies"])))
        demands = tuple(self._demand(i, {a.id for a in agencies}) for i in range(len(root["demands"])))
        for key in ("docks", "agencies", "demands"):
            self._no_doubles((key,), [row["id"] for row in root[key]])
        return Site(
            id=root["id"],
            name=dict(root["name"]),
            timezone=self._timezone(),
            terrain=str(self.lined.path.parent / root["terrain"]),
            origin=docks[0].place,
            docks=docks,
            drones=drones,
            models=models,
            agencies=agencies,
            demands=demands,
            no_fly=tuple(self._no_fly(i) for i in range(len(root.get("no_fly", ())))),
            layers=self._layers(),
            wind=Wind(**root["wind"]) if "wind" in root else Wind(),
        )

    def _check_structure(self) -> None:
        if not isinstance(self.root, Mapping):
            raise self.lined.wrong((), found="no keys at all", expected="a site: id, name, timezone, docks …")
        validator = jsonschema.Draft202012Validator(site_schema())
        error = jsonschema.exceptions.best_match(validator.iter_errors(_plain(self.root)))
        if error is not None:
            found, expected = _worded(error)
            raise self.lined.wrong(tuple(error.absolute_path), found=found, expected=expected)

    def _transformer(self) -> Transformer | None:
        name = self.root.get("input_crs", "EPSG:4326")
        if name.upper().replace("-", "").replace("_", "") in {"GCJ02", "BD09"}:
            raise self.lined.wrong(
                ("input_crs",),
                found=f"{name}, which shifts every place by up to 600 m",
                expected="WGS84 or CGCS2000 coordinates; convert the shapes first",
            )
        try:
            crs = CRS.from_user_input(name)
        except CRSError:
            expected = "a coordinate system as EPSG:4326 or EPSG:4549"
            raise self.lined.wrong(("input_crs",), found=repr(name), expected=expected) from None
        return None if crs.to_epsg() == 4326 else Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def _timezone(self) -> str:
        name = str(self.root["timezone"])
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise self.lined.wrong(
                ("timezone",), found=repr(name), expected="an IANA time zone as Asia/Shanghai"
            ) from None
        return name

    def _place(self, keys: Keys, lat: float, lon: float) -> LatLon:
        if self.to_wgs84 is not None:
            lon, lat = self.to_wgs84.transform(lon, lat)
        try:
            return LatLon(float(lat), float(lon))
        except BadPlace as error:
            expected = "latitude -90 to 90, then longitude -180 to 180"
            raise self.lined.wrong(keys, found=str(error).partition(":")[0], expected=expected) from None

    def _shape(self, keys: Keys, wanted: type[Shape]) -> Shape:
        name = self._at(keys)
        what = "a line" if wanted is Line else "a polygon"
        if self.shapes is None:
            raise self.lined.wrong(
                keys, found=f"shape {name!r}", expected="a `shapes:` GeoJSON file that holds it"
            )
        shape = self.shapes.get(name)
        if shape is None:
            expected = f"one of the shapes {', '.join(sorted(self.shapes))} of {self.shapes.source}"
            raise self.lined.wrong(keys, found=f"shape {name!r}", expected=expected)
        if not isinstance(shape, wanted):
            raise self.lined.wrong(keys, found=f"shape {name!r} of another kind", expected=what)
        return shape

    def _area(self, keys: Keys) -> Area:
        shape = self._shape(keys, Area)
        assert isinstance(shape, Area)
        return shape

    def _line(self, keys: Keys) -> tuple[LatLon, ...]:
        shape = self._shape(keys, Line)
        assert isinstance(shape, Line)
        return shape.places

    def _at(self, keys: Keys) -> Any:
        node: Any = self.root
        for key in keys:
            node = node[key]
        return node

    def _dock(self, i: int) -> Dock:
        row, keys = self.root["docks"][i], ("docks", i)
        place = self._place((*keys, "lat_deg"), row["lat_deg"], row["lon_deg"])
        ground = float(self.terrain.elevation_m(place.lat_deg, place.lon_deg))
        if ground != ground:  # NaN: no ground under it
            west, south, east, north = self.terrain.bounds
            raise self.lined.wrong(
                (*keys, "lat_deg"),
                found=f"dock {row['id']} at {place.lat_deg:.5f}, {place.lon_deg:.5f}, outside the terrain",
                expected=f"latitude {south:.4f} to {north:.4f}, longitude {west:.4f} to {east:.4f}",
            )
        return Dock(
            id=row["id"],
            name=dict(row["name"]),
            place=place,
            elevation_m=float(row.get("elevation_m", ground)),
            charge_s=float(row["charge_min"]) * 60,
            max_wind_m_s=float(row["max_wind_m_s"]),
        )

    def _drones(self, models: set[str]) -> Iterator[Drone]:
        ids: list[str] = []
        numbers: list[int] = []
        for i, dock in enumerate(self.root["docks"]):
            for j, row in enumerate(dock["drones"]):
                keys = ("docks", i, "drones", j)
                if row["model"] not in models:
                    expected = f"one of the drone models {', '.join(sorted(models))}"
                    raise self.lined.wrong((*keys, "model"), found=repr(row["model"]), expected=expected)
                self._no_doubles((*keys, "id"), [*ids, row["id"]])
                self._no_doubles((*keys, "system_id"), [*numbers, row["system_id"]])
                ids.append(row["id"])
                numbers.append(row["system_id"])
                yield Drone(row["id"], row["model"], dock["id"], row["system_id"])

    def _agency(self, i: int) -> Agency:
        row, keys = self.root["agencies"][i], ("agencies", i)
        return Agency(
            id=row["id"],
            name=dict(row["name"]),
            language=row["language"],
            jurisdiction=tuple(
                self._area((*keys, "jurisdiction", j)) for j in range(len(row["jurisdiction"]))
            ),
            subscriptions=tuple(
                Subscription(frozenset(Hazard(h) for h in s["hazards"]), Severity(s["floor"]))
                for s in row["subscriptions"]
            ),
        )

    def _demand(self, i: int, agencies: set[str]) -> Demand:
        row, keys = self.root["demands"][i], ("demands", i)
        if row["agency"] not in agencies:
            expected = f"one of the agencies {', '.join(sorted(agencies))}"
            raise self.lined.wrong((*keys, "agency"), found=repr(row["agency"]), expected=expected)
        return Demand(
            id=row["id"],
            agency=row["agency"],
            hazards=frozenset(Hazard(h) for h in row["hazards"]),
            where=self._where((*keys, "where"), row["where"]),
            sensors=frozenset(Sensor(s) for s in row["sensors"]),
            height_m=float(row["height_m"]),
            revisit_s=float(row["revisit_min"]) * 60,
            priority=int(row.get("priority", 1)),
            window=self._window((*keys, "window"), row["window"]) if "window" in row else None,
        )

    def _where(self, keys: Keys, row: Mapping[str, Any]) -> LatLon | Corridor | Area:
        if "point" in row:
            return self._place((*keys, "point"), row["point"][0], row["point"][1])
        if "half_width_m" in row:
            return Corridor(self._line((*keys, "shape")), float(row["half_width_m"]))
        if "shape" not in row:
            raise self.lined.wrong(keys, found="neither", expected="`point` or `shape`")
        return self._area((*keys, "shape"))

    def _window(self, keys: Keys, row: Sequence[str]) -> tuple[float, float]:
        try:
            begin, end = (time.fromisoformat(t) for t in row)
        except ValueError:
            raise self.lined.wrong(
                keys, found=str(list(row)), expected='two times as ["07:00", "19:00"]'
            ) from None
        return begin.hour * 3600.0 + begin.minute * 60.0, end.hour * 3600.0 + end.minute * 60.0

    def _no_fly(self, i: int) -> NoFly:
        row = self.root["no_fly"][i]
        return NoFly(row["id"], self._area(("no_fly", i, "shape")), row.get("floor_m"), row.get("ceiling_m"))

    def _layers(self) -> ReferenceLayers:
        layers = self.root.get("layers", {})
        return ReferenceLayers(
            lines=tuple(self._power_line(i, row) for i, row in enumerate(layers.get("lines", ()))),
            rivers=tuple(
                River(
                    row["id"],
                    dict(row["name"]),
                    self._line(("layers", "rivers", i, "shape")),
                    float(row.get("chainage_m", 0.0)),
                    float(row.get("half_width_m", 10.0)),
                )
                for i, row in enumerate(layers.get("rivers", ()))
            ),
            compartments=tuple(self._named_areas("compartments", "compartment", layers)),
            villages=tuple(self._named_areas("villages", "village", layers)),
        )

    def _power_line(self, i: int, row: Mapping[str, Any]) -> PowerLine:
        places = self._line(("layers", "lines", i, "shape"))
        first = int(row.get("first_number", 1))
        numbers = row.get("tower_numbers") or [str(first + n) for n in range(len(places))]
        if len(numbers) != len(places):
            raise self.lined.wrong(
                ("layers", "lines", i, "tower_numbers"),
                found=f"{len(numbers)} numbers",
                expected=f"{len(places)}, one for each place of the line",
            )
        towers = tuple((str(n), p) for n, p in zip(numbers, places, strict=True))
        return PowerLine(row["id"], dict(row["name"]), float(row["voltage_kv"]), towers)

    def _named_areas(self, key: str, kind: str, layers: Mapping[str, Any]) -> Iterator[NamedArea]:
        for i, row in enumerate(layers.get(key, ())):
            yield NamedArea(row["id"], kind, dict(row["name"]), self._area(("layers", key, i, "shape")))

    def _no_doubles(self, keys: Keys, values: Sequence[object]) -> None:
        seen: set[object] = set()
        for i, value in enumerate(values):
            if value in seen:
                place = (*keys, i, "id") if len(keys) == 1 else keys
                raise self.lined.wrong(place, found=f"{value!r} a second time", expected="a name used once")
            seen.add(value)


def _drone_model(name: str, row: Mapping[str, Any]) -> DroneModel:
    numbers = {key: float(value) for key, value in row.items() if key != "cameras"}
    cameras = tuple(
        Camera.from_optics(
            c["name"],
            Sensor(c["sensor"]),
            width_px=c["width_px"],
            height_px=c["height_px"],
            focal_mm=float(c["focal_mm"]),
            sensor_width_mm=float(c["sensor_width_mm"]),
        )
        for c in row["cameras"]
    )
    return DroneModel(name=name, cameras=cameras, **numbers)


def _plain(node: Any) -> Any:
    """Return the node as plain dicts and lists, which the schema checker compares by type."""
    if isinstance(node, Mapping):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_plain(v) for v in node]
    return node


def _worded(error: jsonschema.ValidationError) -> tuple[str, str]:
    """Return what was found and what was expected, in words."""
    value = error.validator_value
    match error.validator:
        case "required":
            missing = [key for key in value if key not in error.instance]
            return f"no key {missing[0]!r}", f"the keys {', '.join(value)}"
        case "additionalProperties":
            known = error.schema.get("properties", {})
            extra = [key for key in error.instance if key not in known]
            return f"the unknown key {extra[0]!r}", f"only {', '.join(known)}"
        case "enum":
            return repr(error.instance), f"one of {', '.join(map(str, value))}"
        case "type":
            return repr(error.instance), f"a {value}"
        case "exclusiveMinimum":
            return repr(error.instance), f"a number above {value}"
        case "minimum" | "maximum":
            return repr(error.instance), f"a number that is {error.validator} {value}"
        case "pattern":
            return repr(error.instance), f"text of the form {value}"
        case _:
            return repr(error.instance)[:80], error.message


__all__ = ["SiteWrong", "load_site", "site_schema"]
