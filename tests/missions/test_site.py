"""The site file: what it says, and how it is refused."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from missions.errors import InputWrong, SiteWrong
from missions.geo import Corridor, LatLon, distance_m
from missions.model import Hazard, Severity
from missions.program import main
from missions.site import load_site

VALLEY = Path(__file__).parents[2] / "examples" / "valley"

Edit = Callable[[Callable[[str], str]], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The valley in a folder of its own, with its site file changed by a function."""
    for name in ("site.yaml", "shapes.geojson", "valley_dem.tif"):
        shutil.copy(VALLEY / name, tmp_path / name)

    def edit(change: Callable[[str], str]) -> Path:
        path = tmp_path / "site.yaml"
        before = path.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        path.write_text(after, encoding="utf-8")
        return path

    return edit


def line_of(path: Path, text: str) -> int:
    return next(i for i, line in enumerate(path.read_text("utf-8").splitlines(), 1) if text in line)


def test_the_valley_is_what_everybody_knows() -> None:
    """Two docks with two drones each, four agencies, a line with 13 towers, a river with chainage."""
    site = load_site(VALLEY / "site.yaml")
    assert [dock.id for dock in site.docks] == ["dock-west", "dock-east"]
    assert {drone.dock for drone in site.drones} == {"dock-west", "dock-east"}
    assert {agency.id for agency in site.agencies} == {"forestry", "water", "power", "emergency"}
    assert [number for number, _ in site.layers.lines[0].towers] == [str(n) for n in range(1, 14)]
    assert site.layers.rivers[0].chainage_m == 4200
    assert site.agency("emergency").subscriptions[0].floor is Severity.ORANGE
    river = next(d for d in site.demands if d.id == "river-flood")
    assert isinstance(river.where, Corridor)
    assert river.hazards == {Hazard.FLOOD, Hazard.DISCHARGE}
    assert 85 < site.dock("dock-west").elevation_m < 95


@pytest.mark.parametrize(
    ("old", "new", "where", "found"),
    [
        ("timezone: Asia/Shanghai\n", "", "id: valley", "no key 'timezone'"),
        ("timezone: Asia/Shanghai", "timezone: Asia/Shangai", "timezone", "'Asia/Shangai'"),
        ("lat_deg: 30.282000", "lat_deg: 31.282000", "lat_deg: 31", "outside the terrain"),
        ("lat_deg: 30.282000", "lat_deg: 119.4", "lat_deg: 119.4", "no place on earth"),
        ("agency: water\n", "agency: fishery\n", "agency: fishery", "'fishery'"),
        (
            "{shape: compartment-12}\n",
            "{shape: compartment-21}\n",
            "compartment-21",
            "shape 'compartment-21'",
        ),
        ("hazards: [flood, ", "hazards: [floood, ", "floood", "'floood'"),
        ("height_m: 120\n    revisit_min: 240", "height_m: high\n    revisit_min: 240", "high", "'high'"),
        ("- id: dock-east", "- id: dock-west", "id: dock-west", "'dock-west' a second time"),
        ("model: GP-1, system_id: 3", "model: GP-2, system_id: 3", "GP-2", "'GP-2'"),
        ("system_id: 3", "system_id: 1", "system_id: 1", "a second time"),
        ("input_crs: EPSG:4326", "input_crs: GCJ-02", "GCJ-02", "shifts every place"),
        ("input_crs: EPSG:4326", "input_crs: EPSG:9", "EPSG:9", "'EPSG:9'"),
        ("battery_wh: 500", "battery_wh: 0", "battery_wh: 0", "0"),
        ("reserve: 0.25", "reserve: 0.25\n    colour: red", "GP-1:", "unknown key 'colour'"),
        ("battery_wh: 500", "battery_wh: .nan", ".nan", "found nan"),
        ("timezone: Asia/Shanghai", "timezone: Asia", "timezone", "'Asia'"),
        ("{shape: compartment-12}\n", "{half_width_m: 40}\n", "{half_width_m: 40}", "expected either"),
        ("{shape: compartment-12}\n", "{shape: lan-river}\n", "{shape: lan-river}", "of another kind"),
        ("id: c12", "id: c11", "en-US: compartment 12", "'c11' a second time"),
        ("- id: forest-12", "- id: forest-11", "id: forest-11", "'forest-11' a second time"),
        (
            "shape: gas-store}",
            "shape: gas-store, floor_m: 200, ceiling_m: 100}",
            "ceiling_m: 100",
            "a ceiling above the floor",
        ),
        ("    charge_min: 32", "    charge_min: 32\n    elevation_m: 900", "elevation_m: 900", "900 m where"),
    ],
)
def test_a_wrong_site_is_refused_with_line_and_finding(
    edited: Edit, old: str, new: str, where: str, found: str
) -> None:
    """One sentence: the file and line, what was found, what was expected."""
    path = edited(lambda text: text.replace(old, new, 1))
    with pytest.raises(SiteWrong) as refused:
        load_site(path)
    said = str(refused.value)
    assert said.startswith(f"{path}:{line_of(path, where)}") or "a second time" in said
    assert found in said
    assert "expected" in said
    assert "\n" not in said


def test_broken_yaml_names_its_line(edited: Edit) -> None:
    """Also what is no YAML at all gets a place."""
    path = edited(lambda text: text.replace("docks:\n", "docks: [\n", 1))
    with pytest.raises(SiteWrong, match=r"site\.yaml:\d+: found .*expected well-formed YAML"):
        load_site(path)


def test_a_polygon_that_crosses_itself_is_refused_with_the_crossing(edited: Edit, tmp_path: Path) -> None:
    """The shape is named, and where its edges cross."""
    shapes = tmp_path / "shapes.geojson"
    collection = json.loads(shapes.read_text("utf-8"))
    ring = next(f for f in collection["features"] if f["properties"]["id"] == "compartment-11")
    corners = ring["geometry"]["coordinates"][0]
    corners[1], corners[5] = corners[5], corners[1]
    shapes.write_text(json.dumps(collection), "utf-8")
    with pytest.raises(SiteWrong, match=r"'compartment-11'\): found edges that cross at latitude 30\.28"):
        load_site(tmp_path / "site.yaml")


def _compartment(collection: dict[str, Any]) -> dict[str, Any]:
    return next(f for f in collection["features"] if f["properties"]["id"] == "compartment-11")


def _short(collection: dict[str, Any]) -> None:
    geometry = _compartment(collection)["geometry"]
    geometry["coordinates"][0] = geometry["coordinates"][0][:2]


def _swapped(collection: dict[str, Any]) -> None:
    geometry = _compartment(collection)["geometry"]
    geometry["coordinates"][0] = [pair[::-1] for pair in geometry["coordinates"][0]]


def _nan(collection: dict[str, Any]) -> None:
    _compartment(collection)["geometry"]["coordinates"][0][2] = [float("nan"), 30.28]


def _words(collection: dict[str, Any]) -> None:
    _compartment(collection)["geometry"]["coordinates"][0][2] = ["here", 30.28]


def _none(collection: dict[str, Any]) -> None:
    _compartment(collection)["geometry"] = None


def _twice(collection: dict[str, Any]) -> None:
    collection["features"].append(_compartment(collection))


def _number(collection: dict[str, Any]) -> None:
    collection["features"].append(3)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_short, "whose different places number 2"),
        (_swapped, "expected GeoJSON order"),
        (_nan, "longitude nan"),
        (_words, "coordinates that are no numbers"),
        (_none, "no geometry"),
        (_twice, "its name a second time"),
        (_number, "found no GeoJSON"),
    ],
)
def test_a_broken_shape_is_refused_by_name(
    edited: Edit, tmp_path: Path, change: Callable[[dict[str, Any]], None], found: str
) -> None:
    """Whatever is wrong with it: one sentence, and never a traceback."""
    shapes = tmp_path / "shapes.geojson"
    collection = json.loads(shapes.read_text("utf-8"))
    change(collection)
    shapes.write_text(json.dumps(collection), "utf-8")
    with pytest.raises(InputWrong, match=found) as refused:
        load_site(tmp_path / "site.yaml")
    assert "shapes.geojson" in str(refused.value)


def test_a_broken_shape_is_refused_with_its_line(edited: Edit, tmp_path: Path) -> None:
    """The line of the GeoJSON on which its name stands."""
    shapes = tmp_path / "shapes.geojson"
    text = shapes.read_text("utf-8")
    collection = json.loads(text)
    _short(collection)
    shapes.write_text(json.dumps(collection, indent=1), "utf-8")
    line = line_of(shapes, '"id": "compartment-11"')
    with pytest.raises(SiteWrong, match=rf"shapes\.geojson:{line} \(shape 'compartment-11'\)"):
        load_site(tmp_path / "site.yaml")


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "id: a\x07b\n", "a: 1\n---\nb: 2\n", "a: 1\na: 2\n", "a: *b\n"]
)
def test_what_is_no_site_at_all_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    """Empty, a list, a control character, two documents, a key twice, a dangling alias."""
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SiteWrong, match=r"site\.yaml.*: found .*, expected ") as refused:
        load_site(path)
    assert "\n" not in str(refused.value)


def test_the_program_says_it_in_one_sentence_and_exits_with_two(
    edited: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person sees at the terminal."""
    path = edited(lambda text: text.replace("timezone: Asia/Shanghai\n", "", 1))
    assert main(["plan", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"gridpatrol: {path}:3: found no key 'timezone', expected the keys ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", ["site.yaml", "shapes.geojson", "valley_dem.tif"])
def test_a_missing_file_is_named(edited: Edit, tmp_path: Path, name: str) -> None:
    """Whichever of the three is missing."""
    (tmp_path / name).unlink()
    with pytest.raises(InputWrong, match=name):
        load_site(tmp_path / "site.yaml")


def test_cgcs2000_coordinates_become_wgs84(edited: Edit, tmp_path: Path) -> None:
    """A site in a projected system of the surveyors lands on the same ground."""
    from pyproj import Transformer

    to_cgcs = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True)
    shapes = tmp_path / "shapes.geojson"
    collection = json.loads(shapes.read_text("utf-8"))
    for feature in collection["features"]:
        geometry = feature["geometry"]
        rings = geometry["coordinates"] if geometry["type"] == "Polygon" else [geometry["coordinates"]]
        for ring in rings:
            ring[:] = [list(to_cgcs.transform(*pair)) for pair in ring]
    shapes.write_text(json.dumps(collection), "utf-8")
    east, north = to_cgcs.transform(119.4119, 30.282)
    east2, north2 = to_cgcs.transform(119.4296, 30.2793)
    path = edited(
        lambda text: (
            text.replace("EPSG:4326", "EPSG:4549")
            .replace("lat_deg: 30.282000", f"lat_deg: {north}")
            .replace("lon_deg: 119.411900", f"lon_deg: {east}")
            .replace("lat_deg: 30.279300", f"lat_deg: {north2}")
            .replace("lon_deg: 119.429600", f"lon_deg: {east2}")
        )
    )
    site = load_site(path)
    assert distance_m(site.docks[0].place, LatLon(30.282, 119.4119)) < 0.5


def test_age_cold_and_payload_change_what_a_battery_gives_and_a_rotor_takes(edited: Edit) -> None:
    """Nine tenths of a battery at -5 °C give 0.9 · 0.8; half a kilogram on five takes 1.1 to the 3/2."""
    more = "    health: 0.9\n    mass_kg: 5\n    payload_kg: 0.5\n    cruise_m_s: 12\n"
    plain = load_site(VALLEY / "site.yaml").models[0]
    worn = load_site(
        edited(lambda text: "air_c: -5\n" + text.replace("    cruise_m_s: 12\n", more, 1))
    ).models[0]
    assert worn.health == pytest.approx(0.9 * 0.8)
    assert worn.hover_w / plain.hover_w == pytest.approx(1.1**1.5)
    assert worn.battery_wh == plain.battery_wh


def test_a_payload_on_an_unknown_mass_is_refused(edited: Edit) -> None:
    path = edited(
        lambda text: text.replace("    cruise_m_s: 12\n", "    payload_kg: 1\n    cruise_m_s: 12\n", 1)
    )
    with pytest.raises(InputWrong, match="needs mass_kg"):
        load_site(path)


PERMIT = """  permits:
    - {id: p, name: {en-US: Thinning}, shape: compartment-11, first_day: 2026-05-02, last_day: %s}
"""


def test_permits_hold_from_the_first_days_morning_to_the_last_days_night(edited: Edit) -> None:
    """Days are the site's own, whatever zone a picture's clock keeps."""
    (permit,) = load_site(edited(lambda text: text + PERMIT % "2026-06-30")).layers.permits
    assert permit.holds(datetime(2026, 5, 1, 16, 0, tzinfo=UTC))  # midnight in the valley
    assert not permit.holds(datetime(2026, 5, 1, 15, 59, tzinfo=UTC))
    assert permit.holds(datetime(2026, 6, 30, 15, 59, tzinfo=UTC))
    assert not permit.holds(datetime(2026, 6, 30, 16, 1, tzinfo=UTC))


def test_a_permit_that_ends_before_it_begins_is_refused(edited: Edit) -> None:
    with pytest.raises(SiteWrong, match="2026-05-02 or later"):
        load_site(edited(lambda text: text + PERMIT % "2026-05-01"))


MORE_LAYERS = """  fields:
    - {id: f, name: {en-US: Rice}, shape: heping}
"""


def test_fields_outfalls_and_buildings_are_read_and_a_building_needs_no_name(edited: Edit) -> None:
    layers = load_site(edited(lambda text: text + MORE_LAYERS)).layers
    assert [field.kind for field in layers.fields] == ["field"]
    assert layers.outfalls[0].place == LatLon(30.275255, 119.426347)
    assert [len(one.name) for one in layers.buildings] == [2, 0, 0, 0]


def test_an_outfall_on_no_map_is_refused(edited: Edit) -> None:
    with pytest.raises(SiteWrong, match=r"latitude -90 to 90"):
        load_site(edited(lambda text: text.replace("[30.275255", "[130.275255")))
