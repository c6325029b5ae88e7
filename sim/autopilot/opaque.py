"""The opaque ids of plans, in extension fields that the installed dialect does not know yet.

https://mavlink.io/en/services/mission.html#opaque-id. Extension fields stand behind
all others, in the order of the definition, and do not enter the checksum's seed.
"""

import struct

from sim.autopilot.dialect import mav


class MissionAck(mav.MAVLink_mission_ack_message):  # type: ignore[misc]  # generated and untyped
    """MISSION_ACK with the id of the list that was taken."""

    def __init__(self, system: int, component: int, result: int, kind: int, opaque_id: int) -> None:
        super().__init__(system, component, result, kind)
        self.opaque_id = opaque_id

    def pack(self, mav: object, force_mavlink1: bool = False) -> bytes:
        values = (self.target_system, self.target_component, self.type, self.mission_type)
        payload = self.unpacker.pack(*values) + struct.pack("<I", self.opaque_id)
        return bytes(self._pack(mav, self.crc_extra, payload, force_mavlink1=force_mavlink1))


class MissionCount(mav.MAVLink_mission_count_message):  # type: ignore[misc]
    """MISSION_COUNT with the id of the list that can be read."""

    def __init__(self, system: int, component: int, count: int, kind: int, opaque_id: int) -> None:
        super().__init__(system, component, count, kind)
        self.opaque_id = opaque_id

    def pack(self, mav: object, force_mavlink1: bool = False) -> bytes:
        values = (self.count, self.target_system, self.target_component, self.mission_type)
        payload = self.unpacker.pack(*values) + struct.pack("<I", self.opaque_id)
        return bytes(self._pack(mav, self.crc_extra, payload, force_mavlink1=force_mavlink1))


class MissionCurrent(mav.MAVLink_mission_current_message):  # type: ignore[misc]
    """MISSION_CURRENT with the ids of mission, fence and rally points."""

    def __init__(self, seq: int, total: int, state: int, mode: int, ids: tuple[int, int, int]) -> None:
        super().__init__(seq, total, state, mode)
        self.ids = ids

    def pack(self, mav: object, force_mavlink1: bool = False) -> bytes:
        values = (self.seq, self.total, self.mission_state, self.mission_mode)
        payload = self.unpacker.pack(*values) + struct.pack("<III", *self.ids)
        return bytes(self._pack(mav, self.crc_extra, payload, force_mavlink1=force_mavlink1))
