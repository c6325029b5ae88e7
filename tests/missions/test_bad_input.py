"""What is wrong, too much or impossible: a plain sentence or an honest `unserved`, never a hang."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import calculate_default_transform, reproject

from missions import check
from missions.commands import show
from missions.errors import InputWrong, SiteWrong
from missions.geo import Area
from missions.model import Demand, NoFly, Plan, Site, Wind
from missions.planner import plan
from missions.program import main
from missions.site import load_site
from missions.terrain import Terrain
from missions.yaml_lines import MOST_MB
from tests.missions.tiny import FIRE, THERMAL, line, square

VALLEY = Path(__file__).parents[2] / "examples" / "valley"


def honest(site: Site, terrain: Terrain) -> Plan:
    made = plan(site, terrain=terrain, iterations=30)
    assert check.faults(made, site, terrain) == ()
    assert all(u.reason and u.would_help for u in made.unserved)
    return made


def field(where: Area) -> tuple[Demand, ...]:
    return (Demand("field", "forestry", FIRE, where, THERMAL, 120, 7200),)


def changed(folder: Path, old: str, new: str) -> Path:
    """Return a copy of the valley's site file with a piece of its text replaced."""
    for file in VALLEY.iterdir():
        if file.suffix in (".tif", ".geojson"):
            (folder / file.name).write_bytes(file.read_bytes())
    text = (VALLEY / "site.yaml").read_text("utf-8")
    assert old in text
    (folder / "site.yaml").write_text(text.replace(old, new, 1), "utf-8")
    return folder / "site.yaml"


def test_no_docks_and_no_drones_leave_everything_unserved(site: Site, terrain: Terrain) -> None:
    made = honest(replace(site, drones=()), terrain)
    assert made.sorties == ()
    assert {u.demand for u in made.unserved} == {d.id for d in site.demands}
    assert "no dock of the site has a drone" in made.unserved[0].reason


def test_docks_in_a_zone_are_named(site: Site, terrain: Terrain) -> None:
    zones = tuple(NoFly(f"z{x}", square(x - 50, -50, 100)) for x in (-900, 900))
    made = honest(replace(site, no_fly=zones, demands=field(square(-600, 100, 100))), terrain)
    assert "west, east" in made.unserved[0].reason


def test_a_dock_in_a_zone_is_told_of_though_another_flies_everything(site: Site, terrain: Terrain) -> None:
    """Nothing is unserved then, and nobody would know; a zone high above shuts no dock."""
    zones = (NoFly("fair", square(-950, -50, 100)), NoFly("high", square(850, -50, 100), floor_m=900.0))
    shut = replace(site, no_fly=zones, demands=field(square(-200, 100, 100)))
    made = honest(shut, terrain)
    assert made.unserved == ()
    assert {sortie.dock for sortie in made.sorties} == {"east"}
    told: list[str] = []
    show(made, shut, told.append)
    assert told[0].startswith("west lies in the no-fly zone fair")
    assert not any(line.startswith("east lies") for line in told)


def test_a_speed_in_kilometres_an_hour_is_refused_with_its_line(tmp_path: Path) -> None:
    """No drone of a dock cruises at 43 m/s."""
    with pytest.raises(SiteWrong, match=r"cruise_m_s\): found 43.2, expected .*30"):
        load_site(changed(tmp_path, "cruise_m_s: 12", "cruise_m_s: 43.2"))


def test_wind_above_cruise_speed_is_said(site: Site, terrain: Terrain) -> None:
    model = replace(site.models[0], max_wind_m_s=30.0)
    docks = tuple(replace(d, max_wind_m_s=30.0) for d in site.docks)
    made = honest(
        replace(site, wind=Wind(14, 90), models=(model,), docks=docks, demands=field(square(-600, 100, 100))),
        terrain,
    )
    assert "14 m/s" in made.unserved[0].reason


def test_batteries_too_small_for_any_task_are_said_to_be_so(site: Site, terrain: Terrain) -> None:
    """With what the flight would take, and what a sortie has."""
    weak = replace(site.models[0], battery_wh=5.0)
    made = honest(replace(site, models=(weak,), demands=field(square(-600, 100, 100))), terrain)
    assert made.sorties == ()
    assert "out of reach" in made.unserved[0].reason
    assert "a sortie has 4 Wh" in made.unserved[0].reason


def test_a_polygon_with_a_hole_or_fifty_thousand_corners_is_planned(site: Site, terrain: Terrain) -> None:
    angles = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    rim = line(*zip(150 * np.cos(angles) - 500, 150 * np.sin(angles) + 200, strict=True))
    holed = replace(square(-700, 0, 300), holes=(square(-600, 100, 80).outer,))
    for where in (Area(rim), holed):
        assert honest(replace(site, demands=field(where)), terrain).unserved == ()


def test_nothing_asked_for_is_nothing_flown(site: Site, terrain: Terrain) -> None:
    made = honest(replace(site, demands=()), terrain)
    assert (made.sorties, made.unserved) == ((), ())


def test_more_processes_than_a_machine_can_hold_are_refused_before_any_is_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A slip of the keyboard would bring the machine down."""
    assert main(["plan", str(VALLEY / "site.yaml"), "--workers", "100000"]) == 2
    assert "--workers" in capsys.readouterr().err


def test_hours_that_do_not_last_are_refused_with_their_line(tmp_path: Path) -> None:
    wrong = changed(tmp_path, "revisit_min: 180\n", "revisit_min: 180\n    window: ['08:00', '08:00']\n")
    with pytest.raises(SiteWrong, match="two times alike"):
        load_site(wrong)


def test_a_view_that_does_not_fit_its_shape_is_refused_with_its_line(tmp_path: Path) -> None:
    wrong = changed(tmp_path, "revisit_min: 180\n", "revisit_min: 180\n    view: {dwell_s: 10}\n")
    with pytest.raises(SiteWrong, match="dwell_s for an area"):
        load_site(wrong)


def test_a_site_file_of_a_million_demands_is_refused_at_once(tmp_path: Path) -> None:
    huge = tmp_path / "site.yaml"
    huge.write_bytes(b"#" * int(MOST_MB * 1.1e6))
    with pytest.raises(InputWrong, match="make several sites"):
        load_site(huge)


def test_heights_that_are_missing_are_told_of(site: Site, terrain: Terrain) -> None:
    heights = terrain.heights_m.copy()
    row, column = heights.shape[0] // 2 - 25, heights.shape[1] // 2 - 55
    heights[row : row + 10, column : column + 10] = np.nan
    made = honest(replace(site, demands=field(square(-700, 0, 400))), replace(terrain, heights_m=heights))
    assert "outside the elevation model" in made.unserved[0].reason


def test_an_elevation_model_without_heights_is_said_to_have_none(tmp_path: Path) -> None:
    """At the first dock, whose line is named; and one in metres of another projection is read as it is."""
    site = changed(tmp_path, "valley_dem.tif", "other.tif")
    with rasterio.open(VALLEY / "valley_dem.tif") as dem:
        heights, profile = (
            dem.read(1) * np.float32(dem.scales[0]),
            dem.profile | {"dtype": "float32", "nodata": None},
        )
        crs = "EPSG:32650"
        to, width, height = calculate_default_transform(dem.crs, crs, dem.width, dem.height, *dem.bounds)
        projected = np.full((height, width), np.nan, dtype=np.float32)
        reproject(
            heights, projected, src_transform=dem.transform, src_crs=dem.crs, dst_transform=to, dst_crs=crs
        )
    with rasterio.open(tmp_path / "other.tif", "w", **profile) as out:
        out.write(np.full_like(heights, np.nan), 1)
    with pytest.raises(SiteWrong, match="where the terrain has no height"):
        load_site(site)
    profile |= {"crs": crs, "transform": to, "width": width, "height": height, "nodata": np.nan}
    with rasterio.open(tmp_path / "other.tif", "w", **profile) as out:
        out.write(projected, 1)
    known = load_site(VALLEY / "site.yaml")
    for dock, was in zip(load_site(site).docks, known.docks, strict=True):
        assert dock.elevation_m == pytest.approx(was.elevation_m, abs=1.0)
