"""A plan in other programs' forms."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from missions.air import NoPhoto, Obstacle
from missions.errors import InputWrong
from missions.export import geojson, kml, picture, planfile, profile, qgc, waypoints, wpml
from missions.export.planfile import PlanFile
from missions.items import NAV_WAYPOINT, mission_items
from missions.model import Plan, Site
from missions.program import main
from missions.terrain import Terrain
from tests.missions.tiny import line, square


@pytest.fixture(scope="module")
def file(planned: Plan, site: Site) -> PlanFile:
    return planfile.of(planned, site)


def test_a_plan_file_says_the_same_when_read_back(file: PlanFile, site: Site, out: Path) -> None:
    planfile.write(file.plan, site, out / "plan.json")
    assert planfile.read(out / "plan.json") == file


@pytest.mark.parametrize("text", ["", "{}", '{"version": 99}', "[1]", '{"version": 1, "plan": {}}'])
def test_what_is_no_plan_file_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(InputWrong, match=r"odd\.json"):
        planfile.read(tmp_path / "odd.json")


def test_an_unknown_sortie_is_refused_with_the_known_ones(file: PlanFile) -> None:
    with pytest.raises(InputWrong, match="it has S1"):
        file.sortie("S77")


def test_a_qgroundcontrol_plan_holds_the_items_that_are_uploaded(file: PlanFile, out: Path) -> None:
    for path, sortie in zip(qgc.write(file, out), file.plan.sorties, strict=True):
        back = qgc.read_items(path)
        sent = mission_items(sortie, file.dock(sortie.dock))
        assert back == tuple(replace(item, shot=None, task=None) for item in sent)
        mission = json.loads(path.read_text())["mission"]
        assert mission["plannedHomePosition"][2] == file.dock(sortie.dock).elevation_m
        assert [i["doJumpId"] for i in mission["items"]] == list(range(1, len(sent) + 1))


def test_a_plan_with_a_survey_item_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.plan").write_text('{"mission": {"items": [{"type": "ComplexItem"}]}}')
    with pytest.raises(InputWrong, match="ComplexItem"):
        qgc.read_items(tmp_path / "x.plan")


def test_waypoints_rows_begin_with_home_and_have_twelve_columns(file: PlanFile, out: Path) -> None:
    path = waypoints.write(file, out)[0]
    head, *rows = path.read_text().splitlines()
    assert head == "QGC WPL 110"
    table = [row.split("\t") for row in rows]
    assert {len(row) for row in table} == {12}
    assert table[0][:4] == ["0", "1", "0", "16"]
    assert len(table) == 1 + len(mission_items(file.plan.sorties[0], file.docks[0]))


def test_geojson_has_docks_tracks_and_looks_with_longitude_first(file: PlanFile, out: Path) -> None:
    geojson.write(file, out / "plan.geojson")
    features = json.loads((out / "plan.geojson").read_text())["features"]
    kinds = [f["properties"]["kind"] for f in features]
    assert kinds.count("dock") == len(file.docks)
    assert kinds.count("sortie") == len(file.plan.sorties)
    assert kinds.count("look") == sum(len(s.shots) for s in file.plan.sorties)
    assert features[0]["geometry"]["coordinates"][0] == pytest.approx(119.41, abs=0.02)


def test_kml_has_a_line_for_each_sortie(file: PlanFile, out: Path) -> None:
    kml.write(file, out / "plan.kml")
    root = Xml.parse(out / "plan.kml").getroot()
    assert len(root.findall(".//{*}LineString")) == len(file.plan.sorties)
    assert len(root.findall(".//{*}Point")) == len(file.docks)


def test_the_picture_is_drawn(planned: Plan, site: Site, terrain: Terrain, out: Path) -> None:
    picture.write(planned, site, terrain, out / "plan.png")
    with Image.open(out / "plan.png") as drawn:
        assert drawn.width == 1650
        assert len(drawn.convert("P").getcolors() or []) > 20


def test_masts_and_no_photo_ground_are_in_the_picture(
    planned: Plan, site: Site, terrain: Terrain, tmp_path: Path
) -> None:
    hidden = replace(site, no_photo=(NoPhoto("camp", square(-700, 100, 200)),))
    masts = replace(site, obstacles=(Obstacle("mast", line((-300, 300), (0, 300)), 60.0),))
    drawn = []
    for number, each in enumerate((site, hidden, masts)):
        picture.write(planned, each, terrain, tmp_path / f"{number}.png")
        drawn.append((tmp_path / f"{number}.png").read_bytes())
    assert len(set(drawn)) == 3


def test_the_export_command_writes_and_names_its_files(
    file: PlanFile, site: Site, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planfile.write(file.plan, site, out / "plan.json")
    for form in ("qgc", "waypoints", "kml", "geojson"):
        assert (
            main(["export", str(out / "plan.json"), "--format", form, "--out", str(out / form), "--json"])
            == 0
        )
        assert all(Path(p).stat().st_size > 100 for p in json.loads(capsys.readouterr().out)["files"])
    assert main(["export", str(out / "plan.json"), "--format", "gpx", "--out", str(out)]) == 2


NAMES = {"k": "http://www.opengis.net/kml/2.2", "w": "http://www.dji.com/wpmz/1.0.2"}


def test_a_kmz_for_dji_flies_what_the_items_say(file: PlanFile, out: Path) -> None:
    """The same waypoints, heights above the start and pictures, in both of its documents."""
    for path, sortie in zip(wpml.write(file, out), file.plan.sorties, strict=True):
        with ZipFile(path) as packed:
            documents = {name: Xml.fromstring(packed.read(name)) for name in packed.namelist()}
        assert documents.keys() == {"wpmz/template.kml", "wpmz/waylines.wpml"}
        items = [i for i in mission_items(sortie, file.dock(sortie.dock)) if i.command == NAV_WAYPOINT]
        for name, height in (("wpmz/template.kml", "w:height"), ("wpmz/waylines.wpml", "w:executeHeight")):
            marks = documents[name].findall(".//k:Placemark", NAMES)
            places = [m.findtext("k:Point/k:coordinates", "", NAMES) for m in marks]
            assert places == [f"{i.lon_deg:.7f},{i.lat_deg:.7f}" for i in items]
            assert [float(m.findtext(height, "nan", NAMES)) for m in marks] == [i.altitude_m for i in items]
            assert [m.findtext("w:index", "", NAMES) for m in marks] == [str(n) for n in range(len(items))]
            functions = documents[name].findall(".//w:actionActuatorFunc", NAMES)
            assert [f.text for f in functions].count("takePhoto") == len(sortie.shots)


def test_the_same_plan_gives_the_same_kmz(file: PlanFile, out: Path) -> None:
    first = [path.read_bytes() for path in wpml.write(file, out)]
    assert [path.read_bytes() for path in wpml.write(file, out)] == first


def test_a_qgroundcontrol_plan_has_the_fence_and_the_other_docks(file: PlanFile, out: Path) -> None:
    for path in qgc.write(file, out):
        document = json.loads(path.read_text())
        first, *others = document["geoFence"]["polygons"]
        assert first["inclusion"]
        assert not any(other["inclusion"] for other in others)
        assert len(document["rallyPoints"]["points"]) == len(file.docks) - 1


def test_a_profile_follows_the_sortie_and_keeps_above_the_ground(planned: Plan, terrain: Terrain) -> None:
    for sortie in planned.sorties:
        heights = profile.profile(sortie, terrain)
        assert len(heights.shots_m) == len(sortie.shots)
        assert np.all(np.diff(heights.along_m) >= 0)
        assert np.all(heights.flown_m > heights.ground_m)


def test_a_profile_is_drawn_for_each_sortie(planned: Plan, terrain: Terrain, out: Path) -> None:
    for path in profile.write(planned, terrain, out):
        with Image.open(path) as drawn:
            assert drawn.size == (1200, 384)
