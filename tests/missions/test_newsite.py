"""A site made from towers and a terrain plans as it stands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from missions.errors import InputWrong
from missions.geo import LatLon, distance_m
from missions.newsite import new_site
from missions.planner import plan
from missions.survey import read_survey
from missions.terrain import Terrain

DEM = Path(__file__).parents[2] / "examples" / "valley" / "valley_dem.tif"
KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Folder><name>Line A</name>
<Placemark><name>T2</name><Point><coordinates>119.412,30.283,0</coordinates></Point></Placemark>
<Placemark><name>T1</name><Point><coordinates>119.409,30.284,0</coordinates></Point></Placemark>
<Placemark><name>T10</name><Point><coordinates>119.420,30.281,0</coordinates></Point></Placemark>
</Folder>
<Folder><name>Woods</name><Placemark><name>Wood</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
119.415,30.275 119.42,30.275 119.42,30.278 119.415,30.275
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder></Document></kml>"""
GEOJSON = """{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"name": "North line"}, "geometry": {"type": "LineString",
"coordinates": [[119.409, 30.284], [119.412, 30.283], [119.42, 30.281]]}}]}"""
CSV = "tower,lat,lon\n1,30.284,119.409\n2,30.283,119.412\n3,30.281,119.42\n"


@pytest.mark.parametrize(
    ("name", "text", "numbers", "areas"),
    [
        ("t.kml", KML, ["1", "2", "10"], 1),
        ("t.geojson", GEOJSON, ["1", "2", "3"], 0),
        ("t.csv", CSV, ["1", "2", "3"], 0),
    ],
)
def test_towers_become_a_numbered_line_with_a_dock(
    tmp_path: Path, name: str, text: str, numbers: list[str], areas: int
) -> None:
    """Towers stand in the order of their numbers, whatever the order of the file."""
    source = tmp_path / name
    source.write_text(text, encoding="utf-8")
    site = new_site(source, DEM, tmp_path / "site.yaml", timezone="Asia/Shanghai")
    assert [number for number, _ in site.layers.lines[0].towers] == numbers
    assert len(site.layers.compartments) == areas
    assert len(site.demands) == 1 + areas
    assert [dock.place for dock in site.docks] == [site.layers.lines[0].towers[1][1]]


def test_without_a_time_zone_the_longitude_gives_one(tmp_path: Path) -> None:
    """IANA's Etc zones write the sign the other way round: eight hours east is Etc/GMT-8."""
    source = tmp_path / "t.csv"
    source.write_text(CSV)
    assert new_site(source, DEM, tmp_path / "site.yaml").timezone == "Etc/GMT-8"


def geojson(geometry: dict[str, Any], **properties: object) -> str:
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


@pytest.mark.parametrize(
    ("properties", "voltage_kv"),
    [
        ({"name": "220 kV Jingle line"}, 220.0),
        ({"name": "景乐线35千伏"}, 35.0),
        ({"name": "A", "voltage": "230000;230000"}, 230.0),
        ({"name": "A"}, 110.0),
    ],
)
def test_a_line_keeps_the_voltage_that_is_told(
    tmp_path: Path, properties: dict[str, object], voltage_kv: float
) -> None:
    """By its name, or a column in kilovolts or (OpenStreetMap) in volts; else the commonest, said aloud."""
    source = tmp_path / "t.geojson"
    line = {"type": "LineString", "coordinates": [[119.409, 30.284], [119.412, 30.283]]}
    source.write_text(geojson(line, **properties), encoding="utf-8")
    site = new_site(source, DEM, tmp_path / "site.yaml", timezone="Asia/Shanghai")
    assert site.layers.lines[0].voltage_kv == voltage_kv


def test_towers_in_a_surveyors_shapefile_land_on_their_ground(tmp_path: Path) -> None:
    """CGCS2000 in three-degree zones is what Chinese surveys come in; to a decimetre."""
    to_cgcs = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True)
    places = [(119.409, 30.284), (119.412, 30.283)]
    shapes = shapely.to_wkb(shapely.points([to_cgcs.transform(*place) for place in places]))
    names = [np.array(["N7", "N8"], dtype=object)]
    source = tmp_path / "t.shp"
    pyogrio.raw.write(source, shapes, names, ["name"], geometry_type="Point", crs="EPSG:4549")
    site = new_site(source, DEM, tmp_path / "site.yaml", timezone="Asia/Shanghai")
    (number, place), _ = site.layers.lines[0].towers
    assert number == "7"
    assert distance_m(place, LatLon(30.284, 119.409)) < 0.1


def test_a_made_site_plans(tmp_path: Path) -> None:
    """Every demand is flown from the dock it was given."""
    source = tmp_path / "t.kml"
    source.write_text(KML, encoding="utf-8")
    site = new_site(source, DEM, tmp_path / "site.yaml", timezone="Asia/Shanghai")
    made = plan(site, terrain=Terrain.open(site.terrain), iterations=5)
    assert made.unserved == ()
    assert made.sorties


def test_a_ring_that_touches_itself_is_mended(tmp_path: Path) -> None:
    """Two triangles that share a corner, drawn as one ring, are two areas."""
    ring = [[119.41, 30.28], [119.412, 30.28], [119.414, 30.28], [119.413, 30.281], [119.412, 30.28],
            [119.411, 30.281], [119.41, 30.28]]  # fmt: skip
    source = tmp_path / "t.geojson"
    source.write_text(geojson({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")
    assert [len(area.outer) for _, area in read_survey(source).areas] == [3, 3]


def test_a_refusal_leaves_the_site_that_was_there(tmp_path: Path) -> None:
    """A site file is edited by hand: a wrong second try must not lose the first."""
    source, out = tmp_path / "t.csv", tmp_path / "site.yaml"
    source.write_text(CSV)
    new_site(source, DEM, out, timezone="Asia/Shanghai")
    before = out.read_bytes()
    with pytest.raises(InputWrong, match="IANA time zone"):
        new_site(source, DEM, out, timezone="Asia")
    assert out.read_bytes() == before


CROSSING = {
    "type": "Polygon",
    "coordinates": [[[119.41, 30.28], [119.42, 30.285], [119.42, 30.28], [119.41, 30.285], [119.41, 30.28]]],
}


def test_a_crossing_area_is_refused_by_its_own_name(tmp_path: Path) -> None:
    """By the file that the user gave, not by the one we would have written."""
    source = tmp_path / "t.geojson"
    source.write_text(geojson(CROSSING, name="Wood"), encoding="utf-8")
    with pytest.raises(
        InputWrong, match=r"t\.geojson: polygon Wood: found edges that cross at latitude 30\.28"
    ):
        new_site(source, DEM, tmp_path / "site.yaml")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tower,lat,lon\n1,30.284,119.409\n", "two towers or more"),
        ("tower,lat,lon\n1,30.284,119.409\n2,48.0,11.0\n", "outside"),
        ("tower,height\n1,30\n2,31\n", "columns named lat and lon"),
    ],
)
def test_a_survey_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    """Nothing is written then."""
    source = tmp_path / "t.csv"
    source.write_text(text)
    with pytest.raises(InputWrong, match=said):
        new_site(source, DEM, tmp_path / "site.yaml")
    assert not (tmp_path / "site.yaml").exists()


VECTORS = Path(__file__).parents[3] / "shared" / "data" / "vectors"


def real(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that reads files which real offices published."""
    reason = "the real vectors are not at ../shared/data/vectors"
    return pytest.mark.shared_data(pytest.mark.skipif(not VECTORS.is_dir(), reason=reason)(test))


@real
@pytest.mark.parametrize(
    ("name", "lines", "areas"),
    [
        ("arborgrid/powerlines.geojson", 581, 0),
        ("salzburg/rivers.geojson", 16, 0),
        ("salzburg/Salzburg_Boundaries.geojson", 0, 1),
    ],
)
def test_real_files_are_read_whole(name: str, lines: int, areas: int) -> None:
    """Lines and multi-polygons as three unrelated offices publish them."""
    survey = read_survey(VECTORS / name)
    assert (len(survey.lines), len(survey.areas)) == (lines, areas)


@real
def test_a_real_file_in_doubt_is_refused_with_the_place() -> None:
    """Rings of this one that touch themselves are mended; the polygon with a hole outside it is not."""
    with pytest.raises(InputWrong, match=r"found a hole that lies outside at latitude 41\.467"):
        read_survey(VECTORS / "kvemo_kartli/forest.geojson")


def test_a_survey_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """GDAL passes the bytes on as they are."""
    source = tmp_path / "towers.csv"
    source.write_bytes(b"\xff\xfename,lat,lon\n1,30.28,119.42\n")
    with pytest.raises(InputWrong, match=r"towers\.csv: .*UTF-8"):
        new_site(source, DEM, tmp_path / "site.yaml")
