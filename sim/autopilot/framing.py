"""MAVLink 2 packets of a vehicle's messages, made the short way.

The generated classes build a header object, two buffers and a checksum object
for each packet; a thousand vehicles send thirteen thousand packets a second.
Here the payload is theirs (`Message.pack` computes it and hands it over) and
the rest is one struct and one checksum. Signed packets go the long way.
"""

import struct
from typing import Any

from sim.autopilot.dialect import Message, mav

_HEADER = struct.Struct("<BBBBBBHB")  # length, flags, flags, number, system, component, id (3 bytes)
_MARKER = bytes([mav.PROTOCOL_MARKER_V2])
_MAGIC = [bytes([number]) for number in range(256)]


class Framer:
    """The packets of one component on one link, numbered one after the other."""

    def __init__(self, system_id: int, component: int) -> None:
        self.packer: Any = mav.MAVLink(None, system_id, component)  # knows how to sign
        self._system_id = system_id
        self._component = component

    def frame(self, message: Message) -> bytes:
        """Return the next packet."""
        packer = self.packer
        if packer.signing.sign_outgoing:
            data = bytes(message.pack(packer))
        else:
            message._pack = self._short
            data = message.pack(message)
            del message._pack
        packer.seq = (packer.seq + 1) % 256
        return bytes(data)

    def _short(self, message: Message, seed: int, payload: bytes, force_mavlink1: bool = False) -> bytes:
        """Return the packet of a payload; zeros at its end are not sent, but for the first byte."""
        payload = payload.rstrip(b"\0") or payload[:1]
        number = message.get_msgId()  # `id` may be a field of its own
        head = _HEADER.pack(
            len(payload),
            0,
            0,
            self.packer.seq,
            self._system_id,
            self._component,
            number & 0xFFFF,
            number >> 16,
        )
        body = head + payload
        return _MARKER + body + _CHECKSUM(body + _MAGIC[seed]).to_bytes(2, "little")


def _slow_checksum(data: bytes) -> int:
    return int(mav.x25crc(data).crc)


_CHECKSUM = getattr(mav, "mcrf4xx", None) or _slow_checksum
