"""A sortie as mission items."""

from dataclasses import replace

import pytest

from missions import items
from missions.items import TooManyItems, mission_items
from missions.model import Plan, Site


def test_a_mission_takes_off_looks_and_returns(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    dock = site.dock(sortie.dock)
    listed = mission_items(sortie, dock)
    assert [i.command for i in listed[:3]] == [
        items.NAV_TAKEOFF, items.DO_CHANGE_SPEED, items.DO_MOUNT_CONTROL
    ]  # fmt: skip
    assert listed[-1].command == items.NAV_RETURN_TO_LAUNCH
    takeoff = listed[0]
    assert takeoff.altitude_m == pytest.approx(sortie.waypoints[0].above_dock_m)
    assert (takeoff.lat_deg, takeoff.lon_deg) == pytest.approx(
        (dock.place.lat_deg, dock.place.lon_deg), abs=1e-7
    )
    assert listed[1].params[:2] == (1.0, 12.0)
    assert listed[2].params[0] == -90


def test_each_picture_follows_the_waypoint_it_is_taken_at(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    listed = mission_items(sortie, site.dock(sortie.dock))
    captures = [k for k, item in enumerate(listed) if item.command == items.IMAGE_START_CAPTURE]
    assert [listed[k].shot for k in captures] == list(range(len(sortie.shots)))
    for k, shot in zip(captures, sortie.shots, strict=True):
        at = listed[k - 1]
        assert at.command == items.NAV_WAYPOINT
        assert at.params == (0.0, 0.0, 0.0, 0.0)
        assert at.frame == items.FRAME_ABOVE_HOME
        assert (at.lat_deg, at.lon_deg, at.altitude_m) == pytest.approx(
            (shot.place.lat_deg, shot.place.lon_deg, shot.above_dock_m), abs=1e-6
        )
        assert listed[k].params == (0.0, 0.0, 1.0, listed[k].shot + 1)
        assert listed[k].task == at.task == shot.task


def test_the_mount_turns_only_when_the_pitch_changes(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    level = tuple(
        replace(w, pitch_deg=-45.0) if k > len(sortie.waypoints) // 2 else w
        for k, w in enumerate(sortie.waypoints)
    )
    listed = mission_items(replace(sortie, waypoints=level), site.dock(sortie.dock))
    assert [i.params[0] for i in listed if i.command == items.DO_MOUNT_CONTROL] == [-90, -45]


def test_a_mission_longer_than_an_arducopter_holds_is_refused(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    long = replace(sortie, waypoints=sortie.waypoints[:-1] * 20 + sortie.waypoints[-1:])
    with pytest.raises(TooManyItems, match="649"):
        mission_items(long, site.dock(sortie.dock))
