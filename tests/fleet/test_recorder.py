"""The flight's record in the format others read."""

import struct
from datetime import UTC, datetime, timedelta

import pytest

from fleet.recorder import Recorder, packets
from fleet.replay import replay
from missions.clock import FakeClock
from missions.errors import InputWrong
from tests.fleet.test_link import _heartbeat

START = datetime(2026, 6, 1, 2, tzinfo=UTC)


def test_a_record_is_microseconds_big_end_first_and_then_the_packet(tmp_path):
    """As MAVProxy and QGroundControl write it."""
    packet = _heartbeat()
    with Recorder(tmp_path / "a.tlog", FakeClock(START)) as recorder:
        recorder.write(packet)
    data = (tmp_path / "a.tlog").read_bytes()
    assert struct.unpack(">Q", data[:8])[0] == int(START.timestamp() * 1e6)
    assert data[8:] == packet


def test_what_was_written_is_read_back_with_its_times(tmp_path):
    """To the microsecond."""
    clock = FakeClock(START)
    with Recorder(tmp_path / "a.tlog", clock) as recorder:
        recorder.write(_heartbeat(seq=1))
        clock.advance(1.5)
        recorder.write(_heartbeat(seq=2))
    read = list(packets(tmp_path / "a.tlog"))
    assert [at for at, _ in read] == [START, START + timedelta(seconds=1.5)]
    assert [p for _, p in read] == [_heartbeat(seq=1), _heartbeat(seq=2)]


def test_a_torn_end_is_passed_over(tmp_path):
    """The process was killed in the middle of a packet."""
    path = tmp_path / "a.tlog"
    with Recorder(path, FakeClock(START)) as recorder:
        recorder.write(_heartbeat())
        recorder.write(_heartbeat())
    path.write_bytes(path.read_bytes()[:-5])
    assert len(list(packets(path))) == 1


@pytest.mark.parametrize("data", [b"this is a text, not a record", None])
def test_what_is_no_record_is_said(tmp_path, data):
    """In one sentence with the place."""
    path = tmp_path / "a.tlog"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputWrong, match=r"a\.tlog"):
        list(packets(path))


def test_replay_tells_what_happened(tmp_path):
    """Folded by the same code that flew it."""
    path = tmp_path / "a.tlog"
    with Recorder(path, FakeClock(START)) as recorder:
        recorder.write(_heartbeat())
    told = replay(path)
    assert told.packets == 1
    assert [m.text for m in told.moments] == ["mode GUIDED", "disarmed"]


def test_a_record_without_a_packet_is_no_flight_to_replay(tmp_path):
    """An empty file is said to be one instead of being told as nothing."""
    path = tmp_path / "a.tlog"
    path.touch()
    with pytest.raises(InputWrong, match=r"a\.tlog: found no whole packet"):
        replay(path)
