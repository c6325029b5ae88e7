"""The site file: YAML with shapes in a GeoJSON beside it, read into a checked `Site`.

Structure is checked against the published schema `data/site.schema.json`,
meaning (references, shapes, docks on the ground) here. Every refusal is one
sentence: where, what was found, what was expected. Coordinates are converted to
WGS84 here, once; Chinese map coordinates (GCJ-02, BD-09) are no coordinate
systems but offsets, and are refused by name.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from missions import site_agencies, site_air, site_search
from missions.errors import SiteWrong
from missions.geo import Area, BadPlace, Corridor, LatLon
from missions.layers import Outfall, Permit
from missions.model import (
    LEAST_CONFIDENCE,
    Agency,
    Demand,
    Dock,
    Drone,
    DroneModel,
    Hazard,
    NamedArea,
    NoFly,
    NoPhoto,
    Obstacle,
    PowerLine,
    ReferenceLayers,
    River,
    Road,
    Sensor,
    Severity,
    Site,
    Subscription,
)
from missions.shapes import Line, Shape, Shapes
from missions.site_form import check_form, site_schema
from missions.terrain import Terrain
from missions.yaml_lines import Keys, Lined

# Of masts and wires, unless the file says another.
MARGIN_M = 20.0

# A pad stands on the ground, a roof or a pylon; further off, the height is in feet or the place is wrong.
PAD_OFF_GROUND_M = 100.0


def load_site(path: str | Path) -> Site:
    """Return the site that a file describes, every reference and shape checked.

    Raises:
        SiteWrong: with file and line, what was found and what was expected.
        InputWrong: a file it names cannot be read.
    """
    return _Reader(Lined(Path(path))).site()


class _Reader:
    def __init__(self, lined: Lined) -> None:
        check_form(lined)
        self.lined = lined
        self.root: Mapping[str, Any] = lined.root
        self.to_wgs84 = self._transformer()
        folder = lined.path.parent
        self.shapes = (
            Shapes.open(folder / self.root["shapes"], self.to_wgs84) if "shapes" in self.root else None
        )
        self.terrain = Terrain.open(folder / self.root["terrain"])

    def site(self) -> Site:
        root = self.root
        for key in ("docks", "agencies", "demands", "no_fly", "no_photo", "obstacles"):
            self._no_doubles((key,))
        for layer in root.get("layers", ()):
            self._no_doubles(("layers", layer))
        models = tuple(site_air.drone_model(name, row, root) for name, row in root["drone_models"].items())
        docks = tuple(self._dock(i) for i in range(len(root["docks"])))
        drones = tuple(self._drones({m.name for m in models}))
        agencies = tuple(self._agency(i) for i in range(len(root["agencies"])))
        known = {a.id for a in agencies}
        demands = tuple(self._demand(i, known, models) for i in range(len(root["demands"])))
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
            wind=site_air.wind(root.get("wind", {}), docks),
            forecast=tuple(site_air.wind(row, docks) for row in root.get("forecast", ())),
            no_photo=tuple(
                NoPhoto(row["id"], self._area(("no_photo", i, "shape")))
                for i, row in enumerate(root.get("no_photo", ()))
            ),
            obstacles=tuple(self._obstacle(i) for i in range(len(root.get("obstacles", ())))),
            sharing=site_agencies.sharing(self.lined, root.get("sharing", ()), {a.id for a in agencies}),
        )

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
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, as "Asia"
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
            is_over = south <= place.lat_deg <= north and west <= place.lon_deg <= east
            at = f"dock {row['id']} at {place.lat_deg:.5f}, {place.lon_deg:.5f}"
            raise self.lined.wrong(
                (*keys, "lat_deg"),
                found=f"{at}, {'where the terrain has no height' if is_over else 'outside the terrain'}",
                expected="a place whose height the elevation model knows"
                if is_over
                else f"latitude {south:.4f} to {north:.4f}, longitude {west:.4f} to {east:.4f}",
            )
        elevation_m = float(row.get("elevation_m", ground))
        if abs(elevation_m - ground) > PAD_OFF_GROUND_M:
            raise self.lined.wrong(
                (*keys, "elevation_m"),
                found=f"{elevation_m:g} m where the terrain is {ground:.0f} m",
                expected=f"metres above sea level, within {PAD_OFF_GROUND_M:g} m of the ground",
            )
        return Dock(
            id=row["id"],
            name=dict(row["name"]),
            place=place,
            elevation_m=elevation_m,
            charge_s=float(row["charge_min"]) * 60,
            max_wind_m_s=float(row["max_wind_m_s"]),
            serial=row.get("serial"),
        )

    def _drones(self, models: set[str]) -> Iterator[Drone]:
        ids: set[object] = set()
        numbers: set[object] = set()
        for i, dock in enumerate(self.root["docks"]):
            for j, row in enumerate(dock["drones"]):
                keys = ("docks", i, "drones", j)
                if row["model"] not in models:
                    expected = f"one of the drone models {', '.join(sorted(models))}"
                    raise self.lined.wrong((*keys, "model"), found=repr(row["model"]), expected=expected)
                self._only_once((*keys, "id"), row["id"], ids)
                self._only_once((*keys, "system_id"), row["system_id"], numbers)
                more = {"serial": row.get("serial"), "clock": row.get("clock")}
                yield Drone(row["id"], row["model"], dock["id"], row["system_id"], **more)

    def _agency(self, i: int) -> Agency:
        row, keys = self.root["agencies"][i], ("agencies", i)
        members = site_agencies.members(self.lined, (*keys, "members"), row.get("members", ()))
        on_call = site_agencies.shifts(self.lined, (*keys, "on_call"), row.get("on_call", ()), members)
        return Agency(
            id=row["id"],
            name=dict(row["name"]),
            language=row["language"],
            jurisdiction=tuple(
                self._area((*keys, "jurisdiction", j)) for j in range(len(row["jurisdiction"]))
            ),
            subscriptions=tuple(
                Subscription(
                    frozenset(Hazard(h) for h in s["hazards"]),
                    Severity(s["floor"]),
                    float(s.get("confidence", LEAST_CONFIDENCE)),
                )
                for s in row["subscriptions"]
            ),
            channels=site_agencies.channels(row.get("channels", [{"kind": "webhook"}])),
            members=members,
            shifts=on_call,
            quiet_hours=self._window((*keys, "quiet_hours"), row["quiet_hours"])
            if "quiet_hours" in row
            else None,
            exact_places=frozenset(Hazard(h) for h in row.get("exact_places", ())),
        )

    def _demand(self, i: int, agencies: set[str], models: tuple[DroneModel, ...]) -> Demand:
        row, keys = self.root["demands"][i], ("demands", i)
        if row["agency"] not in agencies:
            expected = f"one of the agencies {', '.join(sorted(agencies))}"
            raise self.lined.wrong((*keys, "agency"), found=repr(row["agency"]), expected=expected)
        sensors = frozenset(Sensor(s) for s in row["sensors"])
        sought = site_search.sought(self.lined, (*keys, "search"), row, self._place)
        highest_m = site_search.highest_m(self.lined, (*keys, "search"), sought, sensors, models)
        return Demand(
            id=row["id"],
            agency=row["agency"],
            hazards=frozenset(Hazard(h) for h in row["hazards"]),
            where=self._where((*keys, "where"), row["where"]),
            sensors=sensors,
            height_m=min(float(row["height_m"]), highest_m),
            revisit_s=float(row["revisit_min"]) * 60,
            priority=int(row.get("priority", 1)),
            window=self._lasting((*keys, "window"), row["window"]) if "window" in row else None,
            must=bool(row.get("must", False)),
            worth_s=float(row["worth_min"]) * 60 if "worth_min" in row else None,
            view=site_air.view(self.lined, (*keys, "view"), row.get("view", {}), row["where"]),
            sought=sought,
        )

    def _where(self, keys: Keys, row: Mapping[str, Any]) -> LatLon | Corridor | Area:
        if "point" in row:
            return self._place((*keys, "point"), row["point"][0], row["point"][1])
        if "half_width_m" in row:
            return Corridor(self._line((*keys, "shape")), float(row["half_width_m"]))
        return self._area((*keys, "shape"))

    def _window(self, keys: Keys, row: Sequence[str]) -> tuple[float, float]:
        return site_agencies.hours(self.lined, keys, row)

    def _lasting(self, keys: Keys, row: Sequence[str]) -> tuple[float, float]:
        begin_s, end_s = self._window(keys, row)
        if begin_s == end_s:
            expected = "an end after the begin, or before it for hours past midnight"
            raise self.lined.wrong(keys, found=f"two times alike, {row[0]}", expected=expected)
        return begin_s, end_s

    def _no_fly(self, i: int) -> NoFly:
        row, keys = self.root["no_fly"][i], ("no_fly", i)
        floor_m, ceiling_m = row.get("floor_m"), row.get("ceiling_m")
        if floor_m is not None and ceiling_m is not None and ceiling_m <= floor_m:
            expected = f"a ceiling above the floor of {floor_m:g} m"
            raise self.lined.wrong((*keys, "ceiling_m"), found=f"{ceiling_m:g} m", expected=expected)
        shut = self._lasting((*keys, "hours"), row["hours"]) if "hours" in row else None
        return NoFly(row["id"], self._area((*keys, "shape")), floor_m, ceiling_m, shut)

    def _obstacle(self, i: int) -> Obstacle:
        row, keys = self.root["obstacles"][i], ("obstacles", i)
        if "point" in row:
            line: tuple[LatLon, ...] = (self._place((*keys, "point"), row["point"][0], row["point"][1]),)
        else:
            line = self._line((*keys, "shape"))
        return Obstacle(row["id"], line, float(row["height_m"]), float(row.get("margin_m", MARGIN_M)))

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
            roads=tuple(
                Road(row["id"], dict(row["name"]), self._line(("layers", "roads", i, "shape")))
                for i, row in enumerate(layers.get("roads", ()))
            ),
            waters=tuple(self._named_areas("waters", "water", layers)),
            permits=tuple(self._permit(i, row) for i, row in enumerate(layers.get("permits", ()))),
            fields=tuple(self._named_areas("fields", "field", layers)),
            outfalls=tuple(self._outfall(i, row) for i, row in enumerate(layers.get("outfalls", ()))),
            buildings=tuple(self._named_areas("buildings", "building", layers)),
        )

    def _outfall(self, i: int, row: Mapping[str, Any]) -> Outfall:
        keys: Keys = ("layers", "outfalls", i, "point")
        return Outfall(row["id"], dict(row["name"]), self._place(keys, row["point"][0], row["point"][1]))

    def _permit(self, i: int, row: Mapping[str, Any]) -> Permit:
        """Return leave to fell, from the first day's beginning to the last day's end in the site's time."""
        keys: Keys = ("layers", "permits", i)
        first, last = (self._day((*keys, key), row[key]) for key in ("first_day", "last_day"))
        if last < first:
            raise self.lined.wrong((*keys, "last_day"), found=str(last), expected=f"{first} or later")
        zone = ZoneInfo(self._timezone())
        begins, ends = (datetime.combine(d, t, zone) for d, t in ((first, time.min), (last, time.max)))
        return Permit(row["id"], dict(row["name"]), self._area((*keys, "shape")), begins, ends)

    def _day(self, keys: Keys, value: object) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise self.lined.wrong(keys, found=repr(value), expected="a day as 2026-06-01") from None

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
            yield NamedArea(
                row["id"], kind, dict(row.get("name", {})), self._area(("layers", key, i, "shape"))
            )

    def _no_doubles(self, keys: Keys) -> None:
        """Refuse a list in which two rows have one id."""
        node: Any = self.root
        for key in keys:
            node = node.get(key, ())
        seen: set[object] = set()
        for i, row in enumerate(node):
            self._only_once((*keys, i, "id"), row["id"], seen)

    def _only_once(self, keys: Keys, value: object, seen: set[object]) -> None:
        if value in seen:
            raise self.lined.wrong(keys, found=f"{value!r} a second time", expected="each once")
        seen.add(value)


__all__ = ["SiteWrong", "load_site", "site_schema"]
