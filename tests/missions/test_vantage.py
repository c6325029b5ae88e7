"""Looks from beside, along one side of a line and all round: planned, proven and written as items."""

from dataclasses import replace
from pathlib import Path

import pytest

from missions import check
from missions.export import planfile, qgc, wpml
from missions.geo import Corridor, distance_m
from missions.items import (
    CONDITION_YAW,
    DO_MOUNT_CONTROL,
    IMAGE_START_CAPTURE,
    NAV_DELAY,
    NAV_LAND,
    mission_items,
)
from missions.model import Demand, Plan, Site, TaskKind
from missions.planner import plan
from missions.terrain import Terrain
from missions.view import Side, View
from tests.missions.tiny import FIRE, FRAME, THERMAL, line, square

TOWER = FRAME.to_place(-500, 200)


def demand(name: str, where: object, view: View, agency: str = "power", height_m: float = 40) -> Demand:
    return Demand(name, agency, FIRE, where, THERMAL, height_m, 7200, view=view)  # type: ignore[arg-type]


def planned_for(site: Site, terrain: Terrain, *demands: Demand) -> Plan:
    made = plan(replace(site, demands=demands), terrain=terrain, iterations=60)
    assert check.faults(made, replace(site, demands=demands), terrain) == ()
    return made


def test_a_point_is_looked_at_from_where_it_was_asked_for(site: Site, terrain: Terrain) -> None:
    """From the south, the camera to the north and aimed down at it, for as long as was asked."""
    made = planned_for(site, terrain, demand("joint", TOWER, View(30, heading_deg=0.0, dwell_s=12)))
    (shot,) = made.sorties[0].shots
    assert distance_m(shot.place, TOWER) == pytest.approx(30, abs=0.5)
    assert shot.place.lat_deg < TOWER.lat_deg
    assert (shot.heading_deg, shot.dwell_s) == (0.0, 12)
    assert -60 < shot.pitch_deg < -45
    assert made.unserved == ()


def test_two_agencies_share_the_look_at_one_tower(site: Site, terrain: Terrain) -> None:
    """The longer dwell and both names; another heading is another look."""
    near = FRAME.to_place(-500, 206)
    view = View(30, heading_deg=90.0)
    made = planned_for(
        site,
        terrain,
        demand("joint", TOWER, view),
        demand("nest", near, replace(view, dwell_s=20), agency="forestry"),
        demand("back", TOWER, replace(view, heading_deg=270.0)),
    )
    assert sorted(t.demands for t in made.tasks) == [("back",), ("joint", "nest")]
    shared = next(t for t in made.tasks if len(t.demands) == 2)
    assert shared.agencies == ("forestry", "power")
    assert shared.looks[0].dwell_s == 20
    assert made.shared_tasks == 1


def test_a_pitch_that_misses_is_refused_and_the_reason_said(site: Site, terrain: Terrain) -> None:
    made = planned_for(site, terrain, demand("joint", TOWER, View(30, pitch_deg=-5.0)))
    (left,) = made.unserved
    assert "out of the picture" in left.reason
    assert "pitch_deg" in left.would_help


@pytest.mark.parametrize(("side", "sides"), [(Side.LEFT, 1), (Side.BOTH, 2)])
def test_a_wire_is_looked_at_from_aside_and_followed_in_its_sag(
    side: Side, sides: int, site: Site, terrain: Terrain
) -> None:
    """Level ground: the looks over mid-span are lower than those at the towers, by the sag."""
    where = Corridor(line((-800, -200), (-500, -200)), 10)
    view = View(25, side=side, wire_m=40, sag_m=8)
    made = planned_for(site, terrain, demand("wire", where, view, height_m=15))
    shots = [s for sortie in made.sorties for s in sortie.shots]
    north = {round(FRAME.to_local(s.place)[1]) for s in shots}
    assert len(north) == sides
    assert -175 in north
    heights = [s.altitude.metres for s in shots]
    assert max(heights) - min(heights) == pytest.approx(8, abs=1)
    assert all(s.heading_deg is not None and s.dwell_s > 0 for s in shots)


def test_a_wide_area_is_seen_all_round_from_few_places(site: Site, terrain: Terrain) -> None:
    """Far fewer waypoints than mowing; each place turns the camera round."""
    where = square(-900, -300, 500)
    made = planned_for(site, terrain, demand("watch", where, View(reach_m=400), height_m=90))
    assert not made.unserved
    places = {s.place for sortie in made.sorties for s in sortie.shots}
    assert 1 <= len(places) <= 6
    assert all(task.kind is TaskKind.POINT for task in made.tasks)


def test_what_a_hill_hides_is_not_said_to_be_seen(site: Site, terrain: Terrain) -> None:
    """From 40 m in the west the far side of a ridge of 160 m is out of sight."""
    where = square(-900, -100, 2000, tall_m=200)
    one = replace(site, docks=site.docks[:1], drones=site.drones[:1])
    made = planned_for(one, terrain, demand("watch", where, View(reach_m=600), height_m=40))
    assert made.unserved or len({s.place for x in made.sorties for s in x.shots}) > 2


def test_a_turned_look_is_taken_while_the_drone_waits(site: Site, terrain: Terrain) -> None:
    """Yaw, picture, delay: in this order behind the waypoint, or the drone has flown on."""
    made = planned_for(site, terrain, demand("joint", TOWER, View(30, heading_deg=0.0)))
    commands = [i.command for i in mission_items(made.sorties[0], site.dock(made.sorties[0].dock))]
    at = commands.index(CONDITION_YAW)
    assert commands[at - 1 : at + 3] == [16, CONDITION_YAW, IMAGE_START_CAPTURE, NAV_DELAY]
    assert commands[at - 2] == DO_MOUNT_CONTROL


def test_a_picture_turned_away_is_found_by_the_checker(site: Site, terrain: Terrain) -> None:
    asked = replace(site, demands=(demand("joint", TOWER, View(30, heading_deg=0.0)),))
    made = plan(asked, terrain=terrain, iterations=60)
    turned = replace(
        made,
        tasks=tuple(
            replace(t, looks=tuple(replace(k, heading_deg=120.0) for k in t.looks)) for t in made.tasks
        ),
        sorties=tuple(
            replace(
                s,
                waypoints=tuple(
                    replace(w, heading_deg=120.0) if w.heading_deg is not None else w for w in s.waypoints
                ),
            )
            for s in made.sorties
        ),
    )
    assert any("in no picture" in fault for fault in check.faults(turned, asked, terrain))


def test_every_format_carries_heading_dwell_and_the_other_dock(
    site: Site, terrain: Terrain, tmp_path: Path
) -> None:
    """QGroundControl's file read back gives the same items; DJI's says yaw, hover and where it ends."""
    asked = replace(site, demands=(demand("joint", TOWER, View(30, heading_deg=200.0, dwell_s=9)),))
    made = plan(asked, terrain=terrain, iterations=60)
    one = made.sorties[0]
    last = replace(one.waypoints[-1], place=site.docks[1].place)
    away = replace(one, end=site.docks[1].id, waypoints=(*one.waypoints[:-1], last))
    file = planfile.of(replace(made, sorties=(away,)), asked)
    (path,) = qgc.write(file, tmp_path)
    items = mission_items(away, site.dock(away.dock))
    told = [(i.command, i.frame, i.params, i.lat_deg, i.lon_deg, i.altitude_m) for i in qgc.read_items(path)]
    assert told == [(i.command, i.frame, i.params, i.lat_deg, i.lon_deg, i.altitude_m) for i in items]
    assert items[-1].command == NAV_LAND
    document = wpml.to_bytes(away, site.dock(away.dock), is_template=False).decode()
    for said in ("rotateYaw", "<wpml:aircraftHeading>-160<", "hoverTime>9<", "autoLand"):
        assert said in document
    planfile.write(replace(made, sorties=(away,)), asked, tmp_path / "plan.json")
    assert planfile.read(tmp_path / "plan.json").plan == replace(made, sorties=(away,))
