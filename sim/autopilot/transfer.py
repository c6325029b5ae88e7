"""The vehicle's half of the mission protocol, with ArduPilot's habits.

https://mavlink.io/en/services/mission.html, and where ArduPilot differs from it:

* an upload is asked for with MISSION_REQUEST, never MISSION_REQUEST_INT;
* MISSION_COUNT cuts the old plan to the new length at once, and what an upload
  had accepted when it failed stays on the vehicle;
* a wrong number is answered INVALID_SEQUENCE and the upload goes on;
* an item is asked for again after 1 s, and 8 s of silence end the upload;
* an item that comes after the end is not answered at all;
* item 0 of the mission is home: what is sent for it is overwritten.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim.autopilot import fences
from sim.autopilot.dialect import Message, Outgoing, Text, mav
from sim.autopilot.items import ACCEPTED, Item, kept, received, refusal

REQUEST_AGAIN_S = 1.0
IDLE_S = 8.0
MISSION, FENCE, RALLY = 0, 1, 2
MOST = {MISSION: 650, FENCE: 84, RALLY: 84}

Answer = Outgoing | Text


@dataclass(slots=True)
class _Upload:
    kind: int
    first: int
    count: int
    next: int
    sender: tuple[int, int]
    link: int
    heard_s: float
    asked_s: float
    staged: list[Item]

    @property
    def complete(self) -> bool:
        return self.next >= self.count


class Transfers:
    """The three lists a vehicle holds (mission, fence, rally) and the way in and out of them."""

    def __init__(self, *, home: Callable[[], Item], running: Callable[[], bool]) -> None:
        self.lists: dict[int, list[Item]] = {MISSION: [], FENCE: [], RALLY: []}
        self.replaced: list[int] = []  # mission items written since the owner last looked
        self.changed: set[int] = set()  # kinds of list that were replaced
        self._home = home
        self._running = running
        self._upload: _Upload | None = None

    @property
    def receiving(self) -> bool:
        return self._upload is not None

    def receive(self, message: Message, link: int, now_s: float) -> list[Answer]:
        """Answer one message of the mission protocol."""
        kind = getattr(message, "mission_type", 0)
        sender = (message.get_srcSystem(), message.get_srcComponent())
        if kind not in self.lists:
            return [_ack(mav.MAV_MISSION_UNSUPPORTED, kind, sender, link)]
        match message.get_type():
            case "MISSION_COUNT":
                return self._begin(message, kind, sender, link, now_s, first=0, count=message.count)
            case "MISSION_WRITE_PARTIAL_LIST":
                return self._partial(message, kind, sender, link, now_s)
            case "MISSION_ITEM" | "MISSION_ITEM_INT":
                return self._item(message, kind, sender, link, now_s)
            case "MISSION_REQUEST_LIST":
                return self._list(kind, sender, link)
            case "MISSION_REQUEST" | "MISSION_REQUEST_INT":
                return self._read(message, kind, sender, link)
            case "MISSION_CLEAR_ALL":
                return self._clear(kind, sender, link)
        return []

    def tick(self, now_s: float) -> list[Answer]:
        """Ask again for what has not come, or give the upload up."""
        upload = self._upload
        if upload is None:
            return []
        if now_s - upload.heard_s > IDLE_S:
            self._upload = None
            cancelled = _ack(mav.MAV_MISSION_OPERATION_CANCELLED, upload.kind, upload.sender, upload.link)
            return [cancelled, Text(mav.MAV_SEVERITY_WARNING, "Mission upload timeout")]
        if now_s - upload.asked_s > REQUEST_AGAIN_S:
            return [self._ask(upload, now_s)]
        return []

    def shown(self, kind: int) -> list[Item]:
        """Return a list as a reader sees it, home being item 0 of the mission."""
        if kind != MISSION:
            return list(self.lists[kind])
        return [self._home(), *self.lists[kind][1:]][: self._count(kind)]

    def take_file(self, kind: int, items: list[Item], *, start: int, keep: bool) -> bool:
        """Take a whole list at once, as a file brings it; return whether it was taken.

        Like an upload it is not atomic: what comes before a wrong item stays.
        """
        if kind != MISSION:
            good = not any(fences.refusal(i, rally=kind == RALLY) is not None for i in items)
            if not good or (kind == FENCE and not fences.is_whole(items)):
                return False
            self.lists[kind][:] = items
            self.changed.add(kind)
            return True
        if not keep:
            self.lists[MISSION].clear()
        for seq, item in enumerate(items, start):
            if refusal(item) is not None or seq > len(self.lists[MISSION]):
                return False
            self.lists[MISSION][seq : seq + 1] = [self._home() if seq == 0 else kept(item)]
            self.replaced.append(seq)
        self.replaced = self.replaced or [0]
        return True

    def _begin(
        self,
        message: Message,
        kind: int,
        sender: tuple[int, int],
        link: int,
        now_s: float,
        *,
        first: int,
        count: int,
    ) -> list[Answer]:
        if self._upload is not None and self._upload.sender != sender:
            return [_ack(mav.MAV_MISSION_DENIED, kind, sender, link)]
        if count > MOST[kind]:
            return [_ack(mav.MAV_MISSION_NO_SPACE, kind, sender, link)]
        if message.get_type() == "MISSION_COUNT" and kind == MISSION:
            del self.lists[kind][count:]
        self._upload = None
        upload = _Upload(kind, first, count, first, sender, link, now_s, now_s, [])
        if upload.complete:
            return self._finish(upload)
        self._upload = upload
        return [self._ask(upload, now_s)]

    def _partial(
        self, message: Message, kind: int, sender: tuple[int, int], link: int, now_s: float
    ) -> list[Answer]:
        start, end = message.start_index, message.end_index
        if kind != MISSION or not 0 <= start <= end < len(self.lists[kind]):
            return [_ack(mav.MAV_MISSION_ERROR, kind, sender, link)]
        return self._begin(message, kind, sender, link, now_s, first=start, count=end + 1)

    def _item(
        self, message: Message, kind: int, sender: tuple[int, int], link: int, now_s: float
    ) -> list[Answer]:
        upload = self._upload
        if upload is None or upload.kind != kind:
            return []
        if sender != upload.sender:
            return [_ack(mav.MAV_MISSION_DENIED, kind, sender, link)]
        if message.seq != upload.next:
            return [_ack(mav.MAV_MISSION_INVALID_SEQUENCE, kind, sender, link)]
        wrong = self._keep(received(message), upload)
        if wrong is not None:
            self._upload = None
            return [_ack(wrong, kind, sender, link)]
        upload.heard_s = now_s
        upload.link = link
        upload.next += 1
        return self._finish(upload) if upload.complete else [self._ask(upload, now_s)]

    def _keep(self, item: Item, upload: _Upload) -> int | None:
        """Store one item, or return why it is refused."""
        if upload.kind != MISSION:
            wrong = fences.refusal(item, rally=upload.kind == RALLY)
            if wrong is None:
                upload.staged.append(item)
            return wrong
        wrong = refusal(item)
        if wrong is not None:
            return wrong
        keep = self._home() if upload.next == 0 else kept(item)
        self.lists[MISSION][upload.next : upload.next + 1] = [keep]
        self.replaced.append(upload.next)
        return None

    def _finish(self, upload: _Upload) -> list[Answer]:
        self._upload = None
        if upload.kind != MISSION:
            if upload.kind == FENCE and not fences.is_whole(upload.staged):
                return [_ack(mav.MAV_MISSION_ERROR, upload.kind, upload.sender, upload.link)]
            self.lists[upload.kind][:] = upload.staged
            self.changed.add(upload.kind)
        words = {MISSION: "Flight plan received", FENCE: "Fence received", RALLY: "Rally points received"}
        return [
            _ack(ACCEPTED, upload.kind, upload.sender, upload.link),
            Text(mav.MAV_SEVERITY_INFO, words[upload.kind]),
        ]

    def _ask(self, upload: _Upload, now_s: float) -> Outgoing:
        upload.asked_s = now_s
        return Outgoing(
            mav.MAVLink_mission_request_message(*upload.sender, upload.next, upload.kind), upload.link
        )

    def _list(self, kind: int, sender: tuple[int, int], link: int) -> list[Answer]:
        if self._upload is not None:
            return [_ack(mav.MAV_MISSION_DENIED, kind, sender, link)]
        return [Outgoing(mav.MAVLink_mission_count_message(*sender, self._count(kind), kind), link)]

    def _count(self, kind: int) -> int:
        """Return how many items a list shows: a vehicle with a home has it even in an empty mission."""
        knows_home = kind == MISSION and (self._home().x, self._home().y) != (0, 0)
        return max(1 if knows_home else 0, len(self.lists[kind]))

    def _read(self, message: Message, kind: int, sender: tuple[int, int], link: int) -> list[Answer]:
        if self._upload is not None:
            return [_ack(mav.MAV_MISSION_DENIED, kind, sender, link)]
        if message.seq >= self._count(kind):
            return [_ack(mav.MAV_MISSION_INVALID_SEQUENCE, kind, sender, link)]
        item = self._home() if kind == MISSION and message.seq == 0 else self.lists[kind][message.seq]
        floats = message.get_type() == "MISSION_REQUEST"
        return [Outgoing(item.message(message.seq, kind, target=sender, floats=floats), link)]

    def _clear(self, kind: int, sender: tuple[int, int], link: int) -> list[Answer]:
        if self._upload is not None:
            return [_ack(mav.MAV_MISSION_DENIED, kind, sender, link)]
        if kind == MISSION and self._running():
            return [_ack(mav.MAV_MISSION_ERROR, kind, sender, link)]
        self.lists[kind].clear()
        self.changed.add(kind)
        return [_ack(ACCEPTED, kind, sender, link)]


def _ack(result: int, kind: int, target: tuple[int, int], link: int) -> Outgoing:
    return Outgoing(mav.MAVLink_mission_ack_message(*target, result, kind), link)
