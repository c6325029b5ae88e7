"""The files ArduPilot offers over MAVFTP: its lists as @MISSION/….dat, its parameters as @PARAM/param.pck."""

import struct
from collections.abc import Callable

from sim.autopilot.ftp import CHUNK, File
from sim.autopilot.items import Item
from sim.autopilot.parameters import INT8, INT16, INT32, Parameters
from sim.autopilot.transfer import FENCE, MISSION, MOST, RALLY, Transfers

_MAGIC = 0x763D
_HEADER = struct.Struct("<5H")  # magic, kind of list, options, first number, count
_ITEM = struct.Struct("<4fiifHHBBBBBB")  # MISSION_ITEM_INT as it lies on the wire
_KEEP_REST = 1  # option: what is not in the file stays
_NAMES = {"mission": MISSION, "fence": FENCE, "rally": RALLY}
_PARAM_MAGIC = 0x671B
_PARAM_TYPES = {INT8: (1, "<b"), INT16: (2, "<h"), INT32: (3, "<i")}
_FLOAT_TYPE = (4, "<f")


def arducopter_files(transfers: Transfers, parameters: Parameters) -> dict[str, File]:
    """Return the files of one vehicle by name."""
    files = {
        f"@MISSION/{name}.dat": File(_reader(transfers, kind), _writer(transfers, kind))
        for name, kind in _NAMES.items()
    }
    return files | {"@PARAM/param.pck": File(lambda: packed(parameters))}


def _reader(transfers: Transfers, kind: int) -> Callable[[], bytes]:
    def read() -> bytes:
        items = transfers.shown(kind)
        head = _HEADER.pack(_MAGIC, kind, 0, 0, len(items))
        return head + b"".join(_item_bytes(item, seq, kind) for seq, item in enumerate(items))

    return read


def _writer(transfers: Transfers, kind: int) -> Callable[[bytes], bool]:
    def write(data: bytes) -> bool:
        """Take a list; return whether it was one. Like ArduPilot it clears the old one first."""
        if len(data) < _HEADER.size:
            return False
        magic, _, options, start, count = _HEADER.unpack_from(data)
        body = data[_HEADER.size :]
        if magic != _MAGIC or len(body) != count * _ITEM.size or count + start > MOST[kind]:
            return False
        records = [body[i : i + _ITEM.size] for i in range(0, len(body), _ITEM.size)]
        if any(not any(record) for record in records):
            return False
        items = [_item(record) for record in records]
        return transfers.take_file(kind, items, start=start, keep=bool(options & _KEEP_REST))

    return write


def _item(record: bytes) -> Item:
    p1, p2, p3, p4, x, y, z, _, command, _, _, frame, _, _, _ = _ITEM.unpack(record)
    return Item(command, frame, (p1, p2, p3, p4), x, y, z)


def _item_bytes(item: Item, seq: int, kind: int) -> bytes:
    return _ITEM.pack(*item.params, item.x, item.y, item.z, seq, item.command, 0, 0, item.frame, 0, 1, kind)


def packed(parameters: Parameters) -> bytes:
    """Return every parameter in ArduPilot's packed form: names by what they share with the one before.

    A value never crosses the border of a chunk, so that a chunk read again is
    never half of one value and half of another: zero bytes are put before it.
    """
    entries = parameters.packed()
    out = bytearray(struct.pack("<HHH", _PARAM_MAGIC, len(entries), len(entries)))
    last = ""
    for name, kind, value in entries:
        number, form = _PARAM_TYPES.get(kind, _FLOAT_TYPE)
        data = struct.pack(form, value if form == "<f" else int(value))
        common = _shared(name, last)
        tail = name[common:].encode()
        entry = bytes([number, common | (len(tail) - 1) << 4]) + tail + data
        over = (len(out) + len(entry)) % CHUNK
        if len(data) > 1 and 0 < over < len(data):
            out += bytes(len(data) - over)
        out += entry
        last = name
    return bytes(out)


def _shared(name: str, last: str) -> int:
    """Return how many letters two names begin with alike, at most all but one and 15."""
    count = 0
    while count < min(len(name) - 1, len(last), 15) and name[count] == last[count]:
        count += 1
    return count
