"""Files over MAVLink FTP, and a mission as a file, against a vehicle that is not ours."""

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import listfile
from fleet.autopilots.ardupilot import ArduCopter
from fleet.bench.airlink import AirLink, run
from fleet.bench.boards import ArduBoard
from fleet.bench.files import FileBoard, file_of, items_of
from fleet.bench.plans import uploaded
from fleet.ftp import FileRead, FileWrite, Op, Packet, packet_from
from fleet.messages import FileMessage, Item, ItemCount
from fleet.placement import Placement

COPTER = ArduCopter()
MISSION = "@MISSION/mission.dat"


def placed(board, items, *, loss: float = 0.0, seed: int = 1, files: bool = True) -> tuple[Placement, float]:
    """Return a placement driven to its end, and how long it took."""
    client = Placement(items, COPTER, files=files)
    took_s = run(client, board, AirLink(random.Random(seed), loss))
    return client, took_s


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.2, 0.3])
def test_a_mission_of_500_items_goes_on_board_as_a_file_whatever_is_lost(loss):
    """Written and read back; not one item goes the slow way."""
    items = uploaded(COPTER, 500)
    for seed in range(5):
        board = FileBoard()
        client, took_s = placed(board, items, loss=loss, seed=seed)
        assert client.result.verified
        assert client.result.uploaded
        assert all(map(COPTER.same, items[1:], board.items.items[1:]))
        assert board.items.uploads == 0
        assert took_s < (8 if loss <= 0.05 else 40)


def test_the_same_file_on_board_is_not_written_again():
    """One reading is the proof."""
    items = uploaded(COPTER, 120)
    board = FileBoard()
    placed(board, items)
    client, took_s = placed(board, items, loss=0.1)
    assert client.result.verified
    assert not client.result.uploaded
    assert board.writes == 1
    assert took_s < 3


def test_a_vehicle_without_files_gets_the_mission_item_by_item():
    """Nobody answers, or the file is not there: the list goes the way that every vehicle takes."""
    items = uploaded(COPTER, 30)
    board = ArduBoard()
    client, took_s = placed(board, items)
    assert client.result.verified
    assert board.uploads == 1
    assert took_s < 15


def test_a_file_that_never_becomes_ours_is_given_up_for_items():
    """A vehicle that keeps something else than was written is offered the list itself."""

    @dataclass
    class Forgetful(FileBoard):
        def _close(self):
            self._open = None
            return 128, b""

    items = uploaded(COPTER, 20)
    board = Forgetful()
    client, _ = placed(board, items)
    assert client.result.verified
    assert board.items.uploads == 1


def test_what_an_earlier_process_left_open_is_closed_first():
    """The vehicle refuses to open a second file."""
    board = FileBoard()
    board.receive(FileMessage(Packet(9, Op.CREATE, data=MISSION.encode()).pack()), 0.0)
    client, took_s = placed(board, uploaded(COPTER, 20))
    assert client.result.verified
    assert board.items.uploads == 0
    assert took_s < 5


def test_a_burst_whose_end_is_lost_is_finished_piece_by_piece():
    """Silence ends a burst as well as its last message does."""

    @dataclass
    class Cut(FileBoard):
        kept: int = 5

        def tick(self, now):
            out = super().tick(now)
            if self.kept > 0:
                self.kept -= len(out)
                return out
            self._bursting.clear()
            return []

    board = Cut(items=ArduBoard(items=list(uploaded(COPTER, 100))))
    client = FileRead(MISSION, length_in=listfile.length_in)
    run(client, board, AirLink(random.Random(1), 0.0))
    assert client.result.done
    assert client.result.data == file_of(board.items.items)


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_a_file_of_unknown_length_is_read_to_where_the_vehicle_says_it_ends(loss):
    """A piece that is short, or the word that there is no more."""
    board = FileBoard(items=ArduBoard(items=list(uploaded(COPTER, 77))))
    client = FileRead(MISSION)
    run(client, board, AirLink(random.Random(2), loss))
    assert client.result.data == file_of(board.items.items)


def test_a_file_that_is_not_there_says_so():
    """By name, so that a person knows which."""
    client = FileRead("@MISSION/nothing.dat")
    run(client, FileBoard(), AirLink(random.Random(1), 0.0))
    assert client.result.missing
    assert "@MISSION/nothing.dat cannot be opened (not found)" in client.result.reason


def test_a_refused_file_is_not_called_written():
    """An item of zeros alone refuses it."""
    data = bytearray(listfile.to_bytes(uploaded(COPTER, 5)))
    data[10 + 38 : 10 + 2 * 38] = bytes(38)
    client = FileWrite(MISSION, bytes(data))
    run(client, FileBoard(), AirLink(random.Random(1), 0.0))
    assert not client.result.done
    assert "refused" in client.result.reason


@given(st.binary(max_size=300))
def test_no_bytes_upset_a_reader_of_files(payload):
    """Neither as a message nor as a file."""
    packet_from(payload)
    listfile.from_bytes(payload)
    reader = FileRead(MISSION)
    reader.start(0.0)
    reader.receive(FileMessage(payload), 0.1)
    reader.tick(1.0)


@given(
    st.lists(
        st.tuples(st.integers(0, 60000), st.integers(0, 20), st.floats(-90, 90), st.floats(-180, 180)),
        max_size=12,
    )
)
def test_our_file_and_the_vehicles_reading_of_it_agree(rows):
    """Two readings of one public format, written apart."""
    items = [
        Item(seq, command or 1, frame, (1.0, 0.0, -2.5, 0.0), round(lat, 7), round(lon, 7), 60.25)
        for seq, (command, frame, lat, lon) in enumerate(rows)
    ]
    theirs = items_of(listfile.to_bytes(items))
    assert theirs == items
    assert listfile.from_bytes(file_of(items)) == tuple(items)


def test_a_file_cut_short_is_no_list():
    """Nor is one of another kind."""
    data = listfile.to_bytes(uploaded(COPTER, 8))
    assert listfile.from_bytes(data[:-1]) is None
    assert listfile.from_bytes(b"\0" + data[1:]) is None
    assert listfile.from_bytes(b"") is None


def test_messages_of_other_machines_are_passed_over_by_files():
    """A count is not for them."""
    reader = FileRead(MISSION)
    reader.start(0.0)
    assert reader.receive(ItemCount(3), 0.1) == []
    assert reader.result is None


def test_an_answer_packs_and_reads_the_same():
    """Twelve bytes and the data."""
    packet = Packet(513, Op.ACK, 3, Op.BURST, 478, b"abc", None, True)
    assert packet_from(packet.pack()) == replace(packet, size=3)


@dataclass
class Silent:
    """A vehicle that says nothing."""

    heard: list = field(default_factory=list)

    def receive(self, message, now):
        self.heard.append(message)
        return []

    def tick(self, now):
        return []


def test_silence_is_given_up_within_seconds():
    """A vehicle that said it has files and answers nothing costs no half minute."""
    client = FileRead(MISSION)
    client.tries_to_open = 6
    took_s = run(client, Silent(), AirLink(random.Random(1), 0.0))
    assert client.result.missing
    assert took_s < 6
