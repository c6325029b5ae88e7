"""The vehicle's half of the mission protocol, with PX4's habits (its mavlink_mission.cpp, 2026).

Where it differs from ArduPilot:

* there is no home item: the first item sent is the first flown;
* an upload is asked for with MISSION_REQUEST_INT, again after 250 ms, and given
  up after 5 s of silence with "Operation timeout" and no ACK;
* the new list takes the old one's place when it is complete, and not before;
* a wrong number is passed over in silence; the last item sent again after the
  end is acknowledged again;
* an accepted list is answered with its opaque id (CRC32), which is also in
  MISSION_COUNT and MISSION_CURRENT;
* a reader must ask in order: the next item or the one before, else MAV_MISSION_ERROR;
* a refused upload, a busy link or another partner is answered, never queued.
"""

from dataclasses import dataclass, field

from sim.autopilot import fences, px4_items
from sim.autopilot.dialect import Message, Outgoing, Text, mav
from sim.autopilot.items import Item, received
from sim.autopilot.opaque import MissionAck, MissionCount
from sim.autopilot.transfer import FENCE, MISSION, RALLY, Answer

REQUEST_AGAIN_S = 0.25
IDLE_S = 5.0
MOST = {MISSION: 500, FENCE: 64, RALLY: 32}
_ALL = 255
_ACCEPTED = int(mav.MAV_MISSION_ACCEPTED)
_ERROR = int(mav.MAV_MISSION_ERROR)
_DOWNLOAD_WORDS = "Mission download request ignored, already active"

Partner = tuple[int, int]


@dataclass(slots=True)
class _Receiving:
    kind: int
    count: int
    partner: Partner
    link: int
    heard_s: float
    asked_s: float
    items: list[Item] = field(default_factory=list)
    sent: list[Item] = field(default_factory=list)
    current: int = -1


@dataclass(slots=True)
class _Sending:
    kind: int
    partner: Partner
    heard_s: float
    next: int = 0


class Px4Transfers:
    """The three lists a PX4 holds and the way in and out of them; one transfer at a time."""

    def __init__(self) -> None:
        self.lists: dict[int, list[Item]] = {MISSION: [], FENCE: [], RALLY: []}
        self.ids: dict[int, int] = {MISSION: 0, FENCE: 0, RALLY: 0}
        self.replaced: list[int] = []  # mission items written since the owner last looked
        self.changed: set[int] = set()  # kinds of list that were replaced
        self.start_at: int | None = None  # the item an upload marked as current
        self._receiving: _Receiving | None = None
        self._sending: _Sending | None = None
        self._ended: tuple[Partner, int, int] | None = None  # partner, kind and count of the last upload

    @property
    def receiving(self) -> bool:
        return self._receiving is not None

    def receive(self, message: Message, link: int, now_s: float) -> list[Answer]:
        """Answer one message of the mission protocol."""
        kind = getattr(message, "mission_type", 0)
        partner = (message.get_srcSystem(), message.get_srcComponent())
        clears_all = message.get_type() == "MISSION_CLEAR_ALL" and kind == _ALL
        if kind not in self.lists and not clears_all:
            return [_ack(int(mav.MAV_MISSION_INVALID), kind, partner, link)]
        match message.get_type():
            case "MISSION_COUNT":
                return self._count(message, kind, partner, link, now_s)
            case "MISSION_ITEM" | "MISSION_ITEM_INT":
                return self._item(message, kind, partner, link, now_s)
            case "MISSION_REQUEST_LIST":
                return self._list(kind, partner, link, now_s)
            case "MISSION_REQUEST" | "MISSION_REQUEST_INT":
                return self._read(message, kind, partner, link, now_s)
            case "MISSION_CLEAR_ALL":
                return self._clear(kind, partner, link)
            case "MISSION_ACK":
                self._acked(message, kind, partner)
        return []

    def tick(self, now_s: float) -> list[Answer]:
        """Ask again for what has not come, or give a transfer up."""
        upload = self._receiving
        if upload is not None:
            if now_s - upload.asked_s > REQUEST_AGAIN_S and now_s - upload.heard_s <= IDLE_S:
                return [self._ask(upload, now_s)]
            if now_s - upload.heard_s > IDLE_S:
                self._receiving = None
                return [Text(mav.MAV_SEVERITY_CRITICAL, "Operation timeout")]
        elif self._sending is not None and now_s - self._sending.heard_s > IDLE_S:
            self._sending = None
            return [Text(mav.MAV_SEVERITY_CRITICAL, "Operation timeout")]
        return []

    # --- uploads ---

    def _count(self, message: Message, kind: int, partner: Partner, link: int, now_s: float) -> list[Answer]:
        upload = self._receiving
        if upload is not None:
            if partner != upload.partner or upload.items:
                return [_ack(_ERROR, kind, partner, link)]
            upload.heard_s = now_s
            return [self._ask(upload, now_s)]
        if self._sending is not None:
            busy = Text(mav.MAV_SEVERITY_CRITICAL, "WPM: IGN MISSION_COUNT: Busy")
            return [busy, _ack(_ERROR, kind, partner, link)]
        if message.count > MOST[kind]:
            return [_ack(int(mav.MAV_MISSION_NO_SPACE), kind, partner, link)]
        if message.count == 0:
            self._replace(kind, [], 0)
            return [_ack(_ACCEPTED, kind, partner, link)]
        self._receiving = _Receiving(kind, message.count, partner, link, now_s, now_s)
        return [self._ask(self._receiving, now_s)]

    def _item(self, message: Message, kind: int, partner: Partner, link: int, now_s: float) -> list[Answer]:
        upload = self._receiving
        if upload is None:
            return self._late_item(message, kind, partner, link)
        if partner != upload.partner:
            return [Text(mav.MAV_SEVERITY_CRITICAL, "REJ. MIS ITEM: partner id mismatch")]
        if kind != upload.kind:
            return [_ack(_ERROR, upload.kind, partner, link)]
        upload.heard_s = now_s
        if message.seq != len(upload.items):
            return []
        item = received(message)
        wrong = px4_items.refusal(item) or _misplaced(item, kind)
        if wrong is not None:
            self._receiving = None
            ignored = Text(mav.MAV_SEVERITY_CRITICAL, "IGN MISSION_ITEM: Invalid item")
            return [ignored, _ack(wrong, kind, partner, link)]
        upload.items.append(px4_items.kept(item))
        upload.sent.append(item)
        if message.current:
            upload.current = message.seq
        return self._complete(upload) if len(upload.items) == upload.count else [self._ask(upload, now_s)]

    def _late_item(self, message: Message, kind: int, partner: Partner, link: int) -> list[Answer]:
        """Answer an item with no upload under way: the last one again is taken for a lost ACK."""
        if self._ended == (partner, kind, message.seq + 1):
            return [_ack(_ACCEPTED, kind, partner, link, self.ids[kind])]
        text = Text(mav.MAV_SEVERITY_CRITICAL, "IGN MISSION_ITEM: No transfer")
        return [text, _ack(_ERROR, kind, partner, link)]

    def _complete(self, upload: _Receiving) -> list[Answer]:
        self._receiving = None
        if upload.kind == FENCE and not fences.is_whole(upload.items):
            return [_ack(_ERROR, FENCE, upload.partner, upload.link)]
        number = px4_items.opaque_id(upload.sent)
        self._ended = (upload.partner, upload.kind, upload.count)
        if number != self.ids[upload.kind]:
            self._replace(upload.kind, upload.items, number)
            self.start_at = upload.current if upload.kind == MISSION and upload.current >= 0 else None
        return [_ack(_ACCEPTED, upload.kind, upload.partner, upload.link, number)]

    def _replace(self, kind: int, items: list[Item], number: int) -> None:
        self.lists[kind][:] = items
        self.ids[kind] = number
        self.changed.add(kind)
        if kind == MISSION:
            self.replaced += range(max(1, len(items)))

    def _ask(self, upload: _Receiving, now_s: float) -> Outgoing:
        upload.asked_s = now_s
        request = mav.MAVLink_mission_request_int_message(*upload.partner, len(upload.items), upload.kind)
        return Outgoing(request, upload.link)

    # --- downloads ---

    def _list(self, kind: int, partner: Partner, link: int, now_s: float) -> list[Answer]:
        sending = self._sending
        if sending is not None and sending.next == len(self.lists[sending.kind]):
            sending = None  # it has everything; its last word was lost
        if self._receiving is not None or (
            sending is not None and (sending.kind, sending.partner) != (kind, partner)
        ):
            return [Text(mav.MAV_SEVERITY_INFO, _DOWNLOAD_WORDS)]
        self._sending = _Sending(kind, partner, now_s)
        count = MissionCount(*partner, len(self.lists[kind]), kind, self.ids[kind])
        return [Outgoing(count, link)]

    def _read(self, message: Message, kind: int, partner: Partner, link: int, now_s: float) -> list[Answer]:
        sending = self._sending
        if sending is None:
            return []
        if partner != sending.partner:
            return [Text(mav.MAV_SEVERITY_CRITICAL, "WPM: REJ. CMD: partner id mismatch")]
        if kind != sending.kind:
            return []
        sending.heard_s = now_s
        items = self.lists[kind]
        if message.seq == sending.next and message.seq < len(items):
            sending.next += 1
        elif message.seq != sending.next - 1:
            self._sending = None
            text = Text(mav.MAV_SEVERITY_CRITICAL, "WPM: REJ. CMD: Req. WP was unexpected")
            return [_ack(_ERROR, kind, partner, link), text]
        floats = message.get_type() == "MISSION_REQUEST"
        return [Outgoing(items[message.seq].message(message.seq, kind, target=partner, floats=floats), link)]

    def _acked(self, message: Message, kind: int, partner: Partner) -> None:
        if self._sending is not None and (self._sending.partner, self._sending.kind) == (partner, kind):
            self._sending = None
        elif self._receiving is not None and message.type == mav.MAV_MISSION_OPERATION_CANCELLED:
            self._receiving = None

    def _clear(self, kind: int, partner: Partner, link: int) -> list[Answer]:
        if self._receiving is not None or self._sending is not None:
            return [Text(mav.MAV_SEVERITY_CRITICAL, "WPM: IGN CLEAR CMD: Busy")]
        for one in (MISSION, FENCE, RALLY) if kind == _ALL else (kind,):
            self._replace(one, [], 0)
        return [_ack(_ACCEPTED, kind, partner, link)]


def _misplaced(item: Item, kind: int) -> int | None:
    """Return why an item does not belong into this list, or None."""
    is_fence, is_rally = item.command in px4_items.FENCE_COMMANDS, item.command == px4_items.RALLY_POINT
    if kind == MISSION:
        return _ERROR if is_fence or is_rally else None
    return None if (is_fence if kind == FENCE else is_rally) else _ERROR


def _ack(result: int, kind: int, partner: Partner, link: int, opaque_id: int = 0) -> Outgoing:
    return Outgoing(MissionAck(*partner, result, kind, opaque_id), link)
