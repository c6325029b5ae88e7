"""The MAVFTP server: sessions, bursts, stored replies, and the files of an ArduCopter."""

import struct
from typing import Any

import pytest

from sim.autopilot.dialect import mav
from sim.autopilot.files import packed
from sim.autopilot.ftp import CHUNK, crc32
from tests.sim.gcs import HOME, RETURN, TAKEOFF, WAYPOINT, Station, item, small_mission

ACK, NAK = 128, 129
TERMINATE, RESET, LIST, OPEN, READ, CREATE, WRITE, CRC, BURST = 1, 2, 3, 4, 5, 6, 7, 14, 15
NO_SESSION, EOF, NOT_FOUND = 5, 6, 10
HEADER = struct.Struct("<HBBBBBxI")
ITEM = struct.Struct("<4fiifHHBBBBBB")


class Client:
    """A MAVFTP client of one vehicle, one request at a time."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.seq = 0

    def send(self, opcode: int, data: bytes = b"", *, offset: int = 0, size: int | None = None) -> list[Any]:
        payload = HEADER.pack(self.seq, 1, opcode, len(data) if size is None else size, 0, 0, offset) + data
        message = mav.MAVLink_file_transfer_protocol_message(0, 1, 1, list(payload.ljust(251, b"\0")))
        return self.station.tell(message)

    def ask(
        self, opcode: int, data: bytes = b"", *, offset: int = 0, size: int | None = None
    ) -> tuple[int, bytes]:
        """Return the reply's opcode and its data."""
        (reply,) = self.send(opcode, data, offset=offset, size=size)
        self.seq += 2
        return parsed(reply)[2:]

    def read(self, name: str) -> bytes:
        code, size = self.ask(OPEN, name.encode())
        assert code == ACK
        data = b""
        while len(data) < struct.unpack("<I", size)[0]:
            code, chunk = self.ask(READ, offset=len(data), size=CHUNK)
            assert code == ACK
            data += chunk
        assert self.ask(READ, offset=len(data), size=CHUNK) == (NAK, bytes([EOF]))
        self.ask(TERMINATE)
        return data

    def write(self, name: str, data: bytes) -> None:
        assert self.ask(CREATE, name.encode())[0] == ACK
        for start in range(0, len(data), CHUNK):
            assert self.ask(WRITE, data[start : start + CHUNK], offset=start)[0] == ACK
        assert self.ask(TERMINATE)[0] == ACK


def parsed(reply: Any) -> tuple[int, int, int, bytes]:
    """Return sequence number, offset, opcode and data of a reply."""
    payload = bytes(reply.payload)
    seq, _, opcode, size, _, _, offset = HEADER.unpack_from(payload)
    return seq, offset, opcode, payload[HEADER.size :][:size]


def mission_file(items: list[dict[str, Any]], *, count: int | None = None) -> bytes:
    head = struct.pack("<5H", 0x763D, 0, 0, 0, len(items) if count is None else count)
    records = [
        ITEM.pack(*i["params"], i["x"], i["y"], i["z"], n, i["command"], 1, 1, i["frame"], 0, 1, 0)
        for n, i in enumerate(items)
    ]
    return head + b"".join(records)


def long_mission(count: int) -> list[dict[str, Any]]:
    ways = [item(WAYPOINT, 10 * n, 5, 40) for n in range(count - 3)]
    return [HOME, item(TAKEOFF, up_m=40), *ways, item(RETURN)]


def test_a_mission_written_as_a_file_is_on_board_and_read_back() -> None:
    station = Station()
    items = long_mission(500)
    Client(station).write("@MISSION/mission.dat", mission_file(items))
    assert len(station.vehicle.transfers.lists[0]) == 500
    read = Client(station).read("@MISSION/mission.dat")
    magic, kind, _, start, count = struct.unpack_from("<5H", read)
    assert (magic, kind, start, count) == (0x763D, 0, 0, 500)
    last = ITEM.unpack_from(read, 10 + 499 * ITEM.size)
    assert last[8] == RETURN
    assert [m.x for m in station.download()[2:]] == [i["x"] for i in items[2:]]


def test_a_file_that_is_none_changes_nothing() -> None:
    station = Station()
    station.upload(small_mission())
    before = list(station.vehicle.transfers.lists[0])
    for wrong in (b"", b"short", mission_file(small_mission(), count=3), b"\0" * 100):
        Client(station).write("@MISSION/mission.dat", wrong)
        assert station.vehicle.transfers.lists[0] == before


def test_a_wrong_item_in_a_file_leaves_the_head_on_board() -> None:
    station = Station()
    items = small_mission()
    items[4] = items[4] | {"command": 9999}
    Client(station).write("@MISSION/mission.dat", mission_file(items))
    assert len(station.vehicle.transfers.lists[0]) == 4


def test_a_burst_brings_the_whole_file_and_its_end() -> None:
    station = Station()
    Client(station).write("@MISSION/mission.dat", mission_file(long_mission(100)))
    whole = Client(station).read("@MISSION/mission.dat")
    client = Client(station)
    client.ask(OPEN, b"@MISSION/mission.dat")
    assert client.send(BURST, size=CHUNK) == []
    replies = [parsed(m) for m in station.wait(5) if m.get_type() == "FILE_TRANSFER_PROTOCOL"]
    chunks = {offset: data for _, offset, opcode, data in replies if opcode == ACK}
    assert b"".join(chunks[o] for o in sorted(chunks)) == whole
    assert replies[-1][2:] == (NAK, bytes([EOF]))
    assert [r[0] for r in replies] == list(range(replies[0][0], replies[0][0] + len(replies)))


def test_a_request_sent_again_is_answered_as_before_and_done_once() -> None:
    client = Client(Station())
    first, again = client.send(OPEN, b"@PARAM/param.pck"), client.send(OPEN, b"@PARAM/param.pck")
    assert bytes(first[0].payload) == bytes(again[0].payload)


def test_what_is_not_there_is_said() -> None:
    client = Client(Station())
    assert client.ask(OPEN, b"@MISSION/other.dat") == (NAK, bytes([NOT_FOUND]))
    assert client.ask(READ, size=10) == (NAK, bytes([NO_SESSION]))
    assert client.ask(CREATE, b"@PARAM/param.pck")[0] == NAK
    assert client.ask(99)[0] == NAK


def test_a_forgotten_session_is_taken_over_after_a_while() -> None:
    station = Station()
    client = Client(station)
    client.ask(OPEN, b"@PARAM/param.pck")
    assert client.ask(OPEN, b"@PARAM/param.pck")[0] == NAK
    station.wait(4)
    assert client.ask(OPEN, b"@PARAM/param.pck")[0] == ACK
    assert client.ask(RESET)[0] == ACK


def test_the_checksum_and_the_list_of_files_are_told() -> None:
    station = Station()
    client = Client(station)
    code, checksum = client.ask(CRC, b"@PARAM/param.pck")
    assert (code, struct.unpack("<I", checksum)[0]) == (ACK, crc32(packed(station.vehicle.params)))
    code, names = client.ask(LIST, b"@MISSION")
    assert [n.split(b"\t")[0] for n in names.split(b"\0")[:-1]] == [
        b"Ffence.dat",
        b"Fmission.dat",
        b"Frally.dat",
    ]


def test_the_parameter_file_says_every_value() -> None:
    station = Station()
    found = unpacked(Client(station).read("@PARAM/param.pck"))
    assert found == {name: pytest.approx(value) for name, _, value in station.vehicle.params.packed()}


def unpacked(data: bytes) -> dict[str, float]:
    """Return the parameters of a packed file, as a client reads them."""
    magic, count, total = struct.unpack_from("<HHH", data)
    assert (magic, count) == (0x671B, total)
    found, at, last = {}, 6, ""
    while len(found) < count:
        if data[at] == 0:
            at += 1
            continue
        kind, lengths = data[at] & 15, data[at + 1]
        size = (lengths >> 4) + 1
        name = last[: lengths & 15] + data[at + 2 : at + 2 + size].decode()
        form = {1: "<b", 2: "<h", 3: "<i", 4: "<f"}[kind]
        at += 2 + size
        assert at // CHUNK == (at + struct.calcsize(form) - 1) // CHUNK, name
        found[name] = float(struct.unpack_from(form, data, at)[0])
        at += struct.calcsize(form)
        last = name
    return found
