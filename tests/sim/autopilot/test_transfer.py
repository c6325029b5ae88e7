"""The mission protocol, quirk by quirk."""

from typing import Any

import pytest

from sim.autopilot.dialect import mav
from tests.sim.gcs import HOME, PAD_AMSL_M, SHOOT, WAYPOINT, Station, item, small_mission


@pytest.fixture
def station() -> Station:
    return Station()


def kinds(messages: list[Any]) -> list[str]:
    return [m.get_type() for m in messages]


def count(station: Station, number: int, **changes: Any) -> list[Any]:
    return station.tell(mav.MAVLink_mission_count_message(1, 1, number, 0), **changes)


def test_it_asks_with_mission_request_and_takes_integer_items(station: Station) -> None:
    answers = count(station, 3)
    assert kinds(answers) == ["MISSION_REQUEST"]
    answers = station.tell(station.item_message(0, HOME))
    assert (answers[0].get_type(), answers[0].seq) == ("MISSION_REQUEST", 1)


def test_old_float_items_are_taken_too(station: Station) -> None:
    count(station, 2)
    for seq in range(2):
        answers = station.tell(
            mav.MAVLink_mission_item_message(1, 1, seq, 3, 16, 0, 1, 0, 0, 0, 0, 30.281, 119.421, 50)
        )
    assert answers[0].type == 0
    assert station.download()[1].x == pytest.approx(302810000, abs=30)  # a float32 holds no more


def test_a_whole_upload_is_accepted_once(station: Station) -> None:
    assert station.upload(small_mission()) == 0
    assert "Flight plan received" in station.texts()


def test_an_empty_mission_of_a_vehicle_with_a_home_counts_one() -> None:
    station = Station(ready=False)
    assert station.download() == []
    station.wait(43)
    assert [m.command for m in station.download()] == [WAYPOINT]


def test_home_is_overwritten(station: Station) -> None:
    station.upload([item(WAYPOINT, 500, 500, 999), item(WAYPOINT, 10, 10, 20)])
    home = station.download()[0]
    assert home.frame == 0
    assert home.z == pytest.approx(PAD_AMSL_M, abs=0.01)
    assert home.x != item(WAYPOINT, 500, 500)["x"]


def test_read_back_is_the_upload_in_the_vehicles_own_frames(station: Station) -> None:
    """6 comes back as 3, 2 of a DO item as 0, x and y are exact."""
    sent = [HOME, item(WAYPOINT, 123, 456, 78, frame=6), item(SHOOT, params=(0, 0, 1, 5), frame=2), item(20)]
    station.upload(sent)
    _, waypoint, shoot, home = station.download()
    assert (waypoint.frame, waypoint.x, waypoint.y, waypoint.z) == (3, sent[1]["x"], sent[1]["y"], 78)
    assert (shoot.frame, shoot.command, shoot.param3, shoot.param4) == (0, SHOOT, 1, 5)
    assert (home.frame, home.command) == (0, 20)


def test_too_long_a_mission_is_refused_at_once(station: Station) -> None:
    (ack,) = count(station, 2000)
    assert ack.type == mav.MAV_MISSION_NO_SPACE


@pytest.mark.parametrize(
    ("wrong", "result"),
    [
        (item(31000), mav.MAV_MISSION_UNSUPPORTED),
        (item(WAYPOINT, x=950000000), mav.MAV_MISSION_INVALID_PARAM5_X),
        (item(WAYPOINT, y=1810000000), mav.MAV_MISSION_INVALID_PARAM6_Y),
        (item(WAYPOINT, frame=1), mav.MAV_MISSION_UNSUPPORTED_FRAME),
        (item(WAYPOINT, params=(float("nan"), 0, 0, 0)), mav.MAV_MISSION_INVALID_PARAM1),
    ],
)
def test_a_wrong_item_is_refused_with_its_reason(
    station: Station, wrong: dict[str, Any], result: int
) -> None:
    assert station.upload([HOME, item(WAYPOINT, 1, 1, 20), wrong]) == result


def test_what_a_rejected_upload_had_accepted_stays_on_the_vehicle(station: Station) -> None:
    station.upload(small_mission())
    station.upload([HOME, item(WAYPOINT, 7, 7, 21), item(31000), HOME, HOME, HOME])
    back = station.download()
    assert len(back) == 6  # cut to the new count
    assert back[1].z == 21  # the accepted head
    assert back[2].command == 178  # the old plan's tail


def test_a_count_cuts_the_old_plan_at_once(station: Station) -> None:
    station.upload(small_mission())
    count(station, 3)
    station.wait(10)
    assert len(station.download()) == 3


def test_a_wrong_number_is_invalid_sequence_and_the_upload_goes_on(station: Station) -> None:
    mission = small_mission()
    count(station, len(mission))
    (ack,) = station.tell(station.item_message(4, mission[4]))
    assert ack.type == mav.MAV_MISSION_INVALID_SEQUENCE
    (request,) = station.tell(station.item_message(0, mission[0]))
    assert request.seq == 1


def test_a_missing_item_is_asked_for_again_after_a_second(station: Station) -> None:
    count(station, 3)
    assert "MISSION_REQUEST" not in kinds(station.wait(0.9))
    assert kinds(station.wait(0.4)).count("MISSION_REQUEST") == 1


def test_an_idle_upload_is_given_up_after_eight_seconds(station: Station) -> None:
    count(station, 3)
    station.tell(station.item_message(0, HOME))
    heard = station.wait(7.8)
    assert "MISSION_ACK" not in kinds(heard)
    (ack,) = [m for m in station.wait(0.6) if m.get_type() == "MISSION_ACK"]
    assert ack.type == mav.MAV_MISSION_OPERATION_CANCELLED
    assert "Mission upload timeout" in station.texts()


def test_a_duplicate_of_the_last_item_is_not_answered(station: Station) -> None:
    mission = small_mission()
    station.upload(mission)
    assert station.tell(station.item_message(len(mission) - 1, mission[-1])) == []


def test_a_second_count_of_the_same_station_begins_again(station: Station) -> None:
    count(station, 3)
    station.tell(station.item_message(0, HOME))
    (request,) = count(station, 3)
    assert request.seq == 0


def test_another_stations_upload_and_reads_are_denied_meanwhile(station: Station) -> None:
    count(station, 3)
    assert count(station, 2, sender=(254, 1))[0].type == mav.MAV_MISSION_DENIED
    (ack,) = station.tell(mav.MAVLink_mission_request_list_message(1, 1, 0))
    assert ack.type == mav.MAV_MISSION_DENIED


def test_an_item_past_the_end_is_invalid_sequence(station: Station) -> None:
    station.upload(small_mission())
    (ack,) = station.tell(mav.MAVLink_mission_request_int_message(1, 1, 99, 0))
    assert ack.type == mav.MAV_MISSION_INVALID_SEQUENCE


def test_mission_request_is_answered_with_the_old_item(station: Station) -> None:
    station.upload(small_mission())
    (answer,) = station.tell(mav.MAVLink_mission_request_message(1, 1, 4, 0))
    assert answer.get_type() == "MISSION_ITEM"
    assert answer.x == pytest.approx(30.28045, abs=1e-4)


def test_clear_all_empties_the_mission_but_not_in_auto(station: Station) -> None:
    station.fly()
    station.wait(20)
    (ack,) = station.tell(mav.MAVLink_mission_clear_all_message(1, 1, 0))
    assert ack.type == mav.MAV_MISSION_ERROR
    station.mode(17)
    (ack,) = station.tell(mav.MAVLink_mission_clear_all_message(1, 1, 0))
    assert ack.type == 0
    assert len(station.download()) == 1  # home is always there


def test_a_part_of_the_mission_can_be_written(station: Station) -> None:
    mission = small_mission()
    station.upload(mission)
    (request,) = station.tell(mav.MAVLink_mission_write_partial_list_message(1, 1, 4, 4, 0))
    assert request.seq == 4
    (ack, *_) = station.tell(station.item_message(4, item(WAYPOINT, 5, 5, 99)))
    assert ack.type == 0
    back = station.download()
    assert (back[4].z, len(back)) == (99, len(mission))
    (ack,) = station.tell(mav.MAVLink_mission_write_partial_list_message(1, 1, 4, 90, 0))
    assert ack.type == mav.MAV_MISSION_ERROR


def test_a_fence_with_a_wrong_vertex_count_fails_at_the_end(station: Station) -> None:
    corners = [(0, 0), (100, 0), (100, 100), (0, 100)]
    whole = [item(5001, params=(4, 0, 0, 0), x=302800000 + a, y=1194200000 + b) for a, b in corners]
    assert station.upload(whole, kind=1) == 0
    assert len(station.download(kind=1)) == 4
    assert station.upload(whole[:3], kind=1) == mav.MAV_MISSION_ERROR


def test_an_empty_count_clears(station: Station) -> None:
    station.upload(small_mission())
    (ack, _) = count(station, 0)[:2]
    assert ack.type == 0
    assert len(station.download()) == 1
