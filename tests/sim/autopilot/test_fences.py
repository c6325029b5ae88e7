"""Fences, rally points and terrain of an ArduCopter."""

import math
from typing import Any

import pytest

from sim.autopilot.dialect import mav
from sim.autopilot.fences import CIRCLE_OUT, POLYGON_IN, POLYGON_OUT, RALLY_POINT
from sim.autopilot.geofence import Crossed, Limits, Shape, crossed
from sim.autopilot.terrain import COLUMNS, ROWS, SIZE
from sim.drone import Point
from tests.sim.gcs import HOME, PAD_AMSL_M, RETURN, TAKEOFF, WAYPOINT, Station, item

FENCE, RALLY = 1, 2
AUTO, RTL, LAND, BRAKE = 3, 6, 9, 17
SQUARE = ((-100.0, -100.0), (100.0, -100.0), (100.0, 100.0), (-100.0, 100.0))


def vertex(command: int, spot: tuple[float, float], count: float) -> dict[str, Any]:
    return item(WAYPOINT, *spot, frame=0, params=(count, 0, 0, 0)) | {"command": command}


def square(command: int = POLYGON_IN, half_m: float = 100.0) -> list[dict[str, Any]]:
    return [vertex(command, (x / 100 * half_m, y / 100 * half_m), 4) for x, y in SQUARE]


def outbound(**parameters: float) -> Station:
    """Return a station whose drone flies 400 m to the east, 40 m high."""
    station = Station()
    for name, value in parameters.items():
        station.parameter(name, value)
    station.upload([HOME, item(TAKEOFF, up_m=40), item(WAYPOINT, 400, 0, 40), item(RETURN)])
    return station


def start(station: Station) -> None:
    assert (station.mode(4), station.arm(), station.mode(AUTO)) == (0, 0, 0)
    assert station.command(mav.MAV_CMD_MISSION_START) == 0


# --- the shapes ---


def test_inside_and_outside_of_a_polygon_and_a_circle() -> None:
    kept, shut, round_ = Shape(True, SQUARE), Shape(False, SQUARE), Shape(False, ((0.0, 0.0),), 50.0)
    assert (kept.outside_m((0, 0)), kept.outside_m((130, 0))) == (0, 30)
    assert (shut.outside_m((0, 0)), shut.outside_m((130, 0))) == (100, 0)
    assert (round_.outside_m((20, 0)), round_.outside_m((60, 0))) == (30, 0)


def test_every_fence_crossed_is_told_with_the_worst_distance() -> None:
    limits = Limits(radius_m=100, top_m=50, bottom_m=10)
    home = Point(0, 0, 0)
    assert crossed(Point(0, 0, 20), home, (), limits) == (Crossed.NONE, 0.0)
    assert crossed(Point(0, 130, 60), home, (), limits) == (Crossed.TOP | Crossed.CIRCLE, 30)
    assert crossed(Point(0, 0, 5), home, (Shape(True, SQUARE),), limits) == (Crossed.BOTTOM, 5)


# --- on board ---


def test_a_polygon_is_kept_and_read_back() -> None:
    station = Station()
    assert station.upload(square(), FENCE) == 0
    assert [m.command for m in station.download(FENCE)] == [POLYGON_IN] * 4
    assert station.vehicle.params["FENCE_TOTAL"] == 4
    assert station.upload([*square(), *square(POLYGON_OUT, 20), vertex(CIRCLE_OUT, (50, 50), 10)], FENCE) == 0


def test_a_wrong_number_of_corners_is_refused_at_the_end() -> None:
    assert Station().upload(square()[:3], FENCE) == mav.MAV_MISSION_ERROR


@pytest.mark.parametrize(("action", "mode"), [(1, RTL), (2, LAND), (4, BRAKE), (0, AUTO)])
def test_crossing_a_polygon_does_what_fence_action_says(action: int, mode: int) -> None:
    station = outbound(FENCE_ENABLE=1, FENCE_TYPE=4, FENCE_ACTION=action)
    station.upload(square(), FENCE)
    start(station)
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 115)
    station.wait(1)
    assert "Fence Breached" in station.texts()
    assert station.pilot.mode == mode
    station.command(mav.MAV_CMD_REQUEST_MESSAGE, 162)
    status = station.messages("FENCE_STATUS")[-1]
    assert (status.breach_status, status.breach_type) == (1, mav.FENCE_BREACH_BOUNDARY)


def test_auto_during_a_breach_is_accepted_and_flies_on_outward() -> None:
    station = outbound(FENCE_ENABLE=1, FENCE_TYPE=4)
    station.upload(square(), FENCE)
    start(station)
    station.wait_for(lambda: station.pilot.mode == RTL)
    assert station.mode(AUTO) == 0
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 200)
    assert station.pilot.mode == AUTO


def test_the_fence_of_height_and_radius_work_without_a_polygon() -> None:
    station = outbound(FENCE_ENABLE=1, FENCE_TYPE=3, FENCE_RADIUS=150, FENCE_ALT_MAX=100)
    start(station)
    station.wait_for(lambda: station.pilot.mode == RTL)
    assert 150 < station.vehicle.drone.at.east_m < 175


def test_a_fence_that_is_off_is_not_watched_and_not_told_of() -> None:
    station = outbound()
    station.upload(square(), FENCE)
    start(station)
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 150)
    assert station.pilot.mode == AUTO
    assert station.command(mav.MAV_CMD_REQUEST_MESSAGE, 162) == mav.MAV_RESULT_FAILED


def test_outside_its_fence_nothing_arms() -> None:
    station = Station()
    station.parameter("FENCE_TYPE", 4)
    assert station.command(mav.MAV_CMD_DO_FENCE_ENABLE, 1) == 0
    station.upload([vertex(POLYGON_OUT, spot, 4) for spot in SQUARE], FENCE)
    station.wait(2)
    station.mode(4)
    assert station.arm() == mav.MAV_RESULT_FAILED
    assert "Arm: vehicle outside fence" in station.texts()


# --- rally ---


def returning(rally: list[dict[str, Any]], **parameters: float) -> Station:
    station = outbound(**parameters)
    assert station.upload(rally, RALLY) == 0
    start(station)
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 250)
    station.mode(RTL)
    station.wait_for(lambda: not station.pilot.armed)
    return station


def point(east_m: float, north_m: float) -> dict[str, Any]:
    return item(WAYPOINT, east_m, north_m, 20, frame=3) | {"command": RALLY_POINT}


def test_rtl_lands_at_the_rally_point_that_is_nearer_than_home() -> None:
    station = returning([point(220, 60), point(-200, 0)])
    at = station.vehicle.drone.at
    assert (at.east_m, at.north_m) == (pytest.approx(220, abs=1), pytest.approx(60, abs=1))


def test_a_rally_point_farther_than_home_is_used_only_without_home() -> None:
    far = [point(250, -280)]
    assert abs(returning(far).vehicle.drone.at.north_m) < 1
    at = returning(far, RALLY_INCL_HOME=0).vehicle.drone.at
    assert at.north_m == pytest.approx(-280, abs=1)


def test_a_rally_point_beyond_the_limit_is_not_used() -> None:
    station = returning([point(250, -280)], RALLY_INCL_HOME=0, RALLY_LIMIT_KM=0.1)
    assert abs(station.vehicle.drone.at.north_m) < 1


# --- terrain ---


def slope_m(east_m: float) -> float:
    return PAD_AMSL_M + 0.2 * east_m


def serve(station: Station, *, blocks: int = 99) -> int:
    """Answer terrain requests with a slope to the east; return how many blocks were asked for."""
    served: set[tuple[int, int]] = set()
    for _ in range(60):
        asked = [m for m in station.wait(2.1) if m.get_type() == "TERRAIN_REQUEST"]
        asked = [m for m in asked if (m.lat, m.lon) not in served]
        if not asked and served:
            break
        for request in asked[:1]:
            if len(served) == blocks:
                return blocks
            served.add((request.lat, request.lon))
            _send_block(station, request)
    return len(served)


def _send_block(station: Station, request: Any) -> None:
    tangent, spacing = station.pilot.tangent, request.grid_spacing
    east_0, _ = tangent.to_local(request.lat / 1e7, request.lon / 1e7)
    for bit in range(ROWS * COLUMNS):
        assert request.mask >> bit & 1
        column = bit % COLUMNS * SIZE
        heights = [round(slope_m(east_0 + (column + i % SIZE) * spacing)) for i in range(SIZE * SIZE)]
        station.tell(mav.MAVLink_terrain_data_message(request.lat, request.lon, spacing, bit, heights))


def over_a_slope() -> Station:
    station = Station()
    station.vehicle.drone._ground_m = lambda east, north: 0.2 * max(0.0, east)
    legs = [item(WAYPOINT, east, 0, 30, frame=10) for east in (60, 360)]
    station.upload([HOME, item(TAKEOFF, up_m=40), *legs, item(RETURN)])
    station.tell(mav.MAVLink_request_data_stream_message(1, 1, 12, 1, 1))
    return station


def test_a_mission_over_the_ground_waits_for_that_ground() -> None:
    station = over_a_slope()
    station.mode(4)
    assert station.arm() == mav.MAV_RESULT_FAILED
    assert "Arm: waiting for terrain data" in station.texts()
    assert serve(station) >= 1
    assert station.arm() == 0


def test_it_holds_its_height_over_a_slope() -> None:
    """A real one held 29.8 to 30.0 m over a slope of 20 %."""
    station = over_a_slope()
    serve(station)
    start(station)
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 120)
    heights = []
    while station.vehicle.drone.at.east_m < 340:
        station.wait(1)
        heights.append(station.vehicle.drone.above_ground_m)
    assert min(heights) > 28
    assert max(heights) < 32


def test_terrain_is_asked_for_where_terrain_request_is_set_to_flow() -> None:
    """ArduPilot knows the pair by the number of TERRAIN_REQUEST; that of the report it denies."""
    station = Station()
    assert station.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, 133, 1e6) == 0
    assert [m for m in station.wait(5) if m.get_type() == "TERRAIN_REQUEST"]
    assert station.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, 136, 1e6) == mav.MAV_RESULT_DENIED


def test_it_asks_for_terrain_without_such_a_mission_but_not_when_told_not_to() -> None:
    station = Station()
    station.tell(mav.MAVLink_request_data_stream_message(1, 1, 12, 1, 1))
    assert [m for m in station.wait(5) if m.get_type() == "TERRAIN_REQUEST"]
    station.parameter("TERRAIN_ENABLE", 0)
    assert not [m for m in station.wait(5) if m.get_type() == "TERRAIN_REQUEST"]


def test_a_terrain_check_is_answered_with_what_is_known() -> None:
    station = over_a_slope()
    serve(station)
    there = item(WAYPOINT, 60, 0)
    (report,) = station.tell(mav.MAVLink_terrain_check_message(there["x"], there["y"]))
    assert report.terrain_height == pytest.approx(slope_m(60), abs=1.5)
    assert report.pending == 0
    assert not math.isnan(report.current_height)
