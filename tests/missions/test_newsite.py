"""A site made from towers and a terrain plans as it stands."""

from pathlib import Path

import pytest

from missions.errors import InputWrong
from missions.newsite import new_site

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
