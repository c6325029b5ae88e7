"""Parameters and streams."""

from collections import Counter

from sim.autopilot.dialect import mav
from tests.sim.gcs import Station


def test_the_whole_list_comes_once_each() -> None:
    station = Station()
    station.tell(mav.MAVLink_param_request_list_message(1, 1))
    station.wait(10)
    values = station.messages("PARAM_VALUE")
    assert len(values) == values[0].param_count
    assert sorted(v.param_index for v in values) == list(range(len(values)))


def test_a_parameter_is_read_by_name_and_by_number() -> None:
    station = Station()
    (named,) = station.tell(mav.MAVLink_param_request_read_message(1, 1, b"RTL_ALT", -1))
    (numbered,) = station.tell(mav.MAVLink_param_request_read_message(1, 1, b"", named.param_index))
    assert (
        (named.param_value, named.param_id) == (numbered.param_value, numbered.param_id) == (1500, "RTL_ALT")
    )


def test_an_unknown_parameter_is_not_answered() -> None:
    station = Station()
    assert station.tell(mav.MAVLink_param_request_read_message(1, 1, b"NO_SUCH", -1)) == []
    assert station.tell(mav.MAVLink_param_set_message(1, 1, b"NO_SUCH", 1, 9)) == []


def test_what_is_set_is_told_and_kept_in_its_type() -> None:
    station = Station()
    (value,) = station.tell(mav.MAVLink_param_set_message(1, 1, b"FS_GCS_ENABLE", 1.4, 9))
    assert value.param_value == 1
    (value,) = station.tell(mav.MAVLink_param_set_message(1, 1, b"BATT_LOW_VOLT", 42.1, 9))
    assert abs(value.param_value - 42.1) < 1e-5
    (value,) = station.tell(mav.MAVLink_param_set_message(1, 1, b"MIS_TOTAL", 5, 9))
    assert value.param_value == 0


def test_the_battery_and_speeds_are_the_drone_models() -> None:
    params = Station().vehicle.params
    assert (params["WPNAV_SPEED"], params["WPNAV_SPEED_UP"], params["WPNAV_SPEED_DN"]) == (1200, 400, 300)
    assert params["BATT_CAPACITY"] == 11261


def test_nothing_flows_until_it_is_asked_for() -> None:
    kinds = {m.get_type() for m in Station().wait(30)}
    assert kinds == {"HEARTBEAT", "TIMESYNC"}


def test_a_stream_comes_at_its_rate() -> None:
    station = Station()
    station.tell(mav.MAVLink_request_data_stream_message(1, 1, mav.MAV_DATA_STREAM_POSITION, 4, 1))
    counts = Counter(m.get_type() for m in station.wait(10))
    assert 38 <= counts["GLOBAL_POSITION_INT"] <= 41
    station.tell(mav.MAVLink_request_data_stream_message(1, 1, mav.MAV_DATA_STREAM_POSITION, 0, 0))
    assert not Counter(m.get_type() for m in station.wait(5))["GLOBAL_POSITION_INT"]


def test_one_message_comes_at_its_interval() -> None:
    station = Station()
    attitude = mav.MAVLINK_MSG_ID_ATTITUDE
    assert station.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, attitude, 500_000) == 0
    assert 19 <= Counter(m.get_type() for m in station.wait(10))["ATTITUDE"] <= 21
    assert station.command(mav.MAV_CMD_GET_MESSAGE_INTERVAL, attitude) == 0
    assert station.messages("MESSAGE_INTERVAL")[-1].interval_us == 500_000
    assert station.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, attitude, -1) == 0
    assert not Counter(m.get_type() for m in station.wait(5))["ATTITUDE"]


def test_an_unknown_message_has_no_interval() -> None:
    station = Station()
    assert station.command(mav.MAV_CMD_SET_MESSAGE_INTERVAL, 60000, 1e6) == mav.MAV_RESULT_DENIED
    assert station.command(mav.MAV_CMD_REQUEST_MESSAGE, 60000) == mav.MAV_RESULT_FAILED


def test_every_message_that_can_be_asked_for_packs() -> None:
    from sim.autopilot.telemetry import BUILDERS

    station = Station()
    for message_id, build in BUILDERS.items():
        message = build(station.vehicle)
        if message is not None:
            assert message.pack(mav.MAVLink(None, 1, 1))
            told = message.get_msgId()
            assert told == message_id or (told, message_id) == (136, 133)  # the terrain's pair


def test_timesync_is_answered() -> None:
    (answer,) = Station().tell(mav.MAVLink_timesync_message(0, 12345))
    assert answer.ts1 == 12345
    assert answer.tc1 > 0


def test_streams_are_per_link() -> None:
    station = Station()
    station.tell(mav.MAVLink_request_data_stream_message(1, 1, 6, 4, 1), link=3)
    station.wait(2)
    links = {
        r.link
        for _, r in station.heard
        if getattr(r, "message", None) and r.message.get_type() == "GLOBAL_POSITION_INT"
    }
    assert links == {3}
