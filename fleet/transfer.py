"""Putting a list on a vehicle with proof, item by item, as a machine without I/O.

MAVLink's mission protocol (mavlink.io/en/services/mission.html) trusts one
acknowledgement. Real vehicles do not deserve that: ArduPilot truncates the old
plan on MISSION_COUNT, keeps the head of a rejected upload, never answers a
repeated last item, and PX4 acknowledged incomplete uploads until 2026. So an
upload here ends with a proof of what is on board.

    look      ask for the count and, while they match, the items: the same list
              on board needs no upload, one that differs in a few items is
              mended where it differs if the vehicle takes partial writes
    offer     send the count until the vehicle asks for an item
    send      answer each request; after the silence that the link's own pace
              allows send the last item again, and take INVALID_SEQUENCE as
              "already have it", so a lost request costs no second of the vehicle's
    prove     the count and the vehicle's opaque id are those of the list, or
              everything is read back and compared; a difference starts over at `offer`

A lost final acknowledgement is an ordinary case: after a few silent repeats of
the last item the proof decides. `start`, `receive` and `tick` each answer with
the messages to send; times are seconds of any steady clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleet.messages import (
    Item,
    ItemCount,
    ItemWanted,
    ListKind,
    MissionVerdict,
    PartOffer,
    Transfer,
    Verdict,
)
from fleet.patience import Patience
from fleet.readback import Messages, ReadBack


@dataclass(frozen=True, slots=True)
class UploadResult:
    """How an upload ended. `uploaded` is False when the list was on board already.

    `opaque_id` is the vehicle's own number for the list proven on board, 0
    where it has none; `written` counts the items that had to be sent; `checksum`
    is ours over the list as the autopilot keeps it (`fleet/checksum.py`).
    """

    verified: bool
    uploaded: bool
    reason: str = ""
    opaque_id: int = 0
    written: int = 0
    checksum: int = 0


class Stage(StrEnum):
    """Where an upload is; the table is in the module's docstring."""

    IDLE = "idle"
    LOOK = "look"
    OFFER = "offer"
    SEND = "send"
    PROVE = "prove"
    DONE = "done"


# What stops an upload for good; everything else is worth another try.
_FINAL = frozenset(
    {
        Verdict.UNSUPPORTED_FRAME,
        Verdict.UNSUPPORTED,
        Verdict.NO_SPACE,
        Verdict.INVALID,
        Verdict.INVALID_PARAM1,
        Verdict.INVALID_PARAM2,
        Verdict.INVALID_PARAM3,
        Verdict.INVALID_PARAM4,
        Verdict.INVALID_LATITUDE,
        Verdict.INVALID_LONGITUDE,
        Verdict.INVALID_ALTITUDE,
    }
)
_SILENT_ENDS = 3  # unanswered repeats of the last item before the proof decides
_SILENT_MIDDLES = 12  # of any other: the vehicle re-requests by itself while it receives
_COMPLAINTS = 30  # refusals passed over in one upload
_MOST_MENDED = 8  # items that may differ for a partial write


def _equal(sent: Item, read: Item) -> bool:
    return sent == read


class Upload:
    """Puts a list on a vehicle and proves that it is there.

    `same` compares an item sent with the item read back, after the autopilot's
    own way of storing it; `first` is the number of the first item that counts
    (1 on ArduPilot, whose item 0 is home and is overwritten). `known_ids` are the
    opaque ids this list has on such vehicles, computed or remembered. With
    `partial` a list that differs in a few items is mended, not replaced.
    """

    def __init__(
        self,
        items: Sequence[Item],
        *,
        same: Callable[[Item, Item], bool] = _equal,
        first: int = 0,
        window: int = 1,
        patience: Patience | None = None,
        attempts: int = 8,
        kind: ListKind = ListKind.MISSION,
        known_ids: frozenset[int] = frozenset(),
        partial: bool = False,
    ) -> None:
        self.items = tuple(items)
        self.kind = kind
        self.stage = Stage.IDLE
        self.result: UploadResult | None = None
        self.sent = 0  # how far the vehicle has asked, for the progress line
        self._same = same
        self._first = first
        self._window = window
        self._patience = patience or Patience()
        self._attempts_left = attempts
        self._known_ids = known_ids
        self._partial = partial
        self._span = (0, len(self.items) - 1)  # the items to be written in this attempt
        self._uploaded = False
        self._written = 0
        self._pointer = -1  # the item sent last
        self._asked = -1  # the highest item asked for in this attempt
        self._repeats = 0
        self._first_s = 0.0  # when the message that waits for an answer went out first …
        self._acted_s = 0.0  # … and last
        self._heard_s = 0.0
        self._complaints = 0
        self._reader = ReadBack()

    def start(self, now: float) -> Messages:
        """Return the first messages: a look at what is on board already."""
        return self._read(Stage.LOOK, now)

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        if getattr(message, "kind", None) is not self.kind:
            return []
        if self.stage in (Stage.LOOK, Stage.PROVE):
            return self._receive_reading(message, now)
        if self.stage not in (Stage.OFFER, Stage.SEND):
            return []
        match message:
            case ItemWanted() if message.seq < len(self.items):
                return self._wanted(message.seq, now)
            case MissionVerdict():
                return self._judged(message.verdict, now)
        return []

    def tick(self, now: float) -> Messages:
        """Return what silence demands: a repeat, the proof, or giving up."""
        match self.stage:
            case Stage.LOOK | Stage.PROVE:
                if self._reader.silent_s(now) > self._patience.give_up_s:
                    return self._again(now, f"the vehicle stopped answering while its {self._words} was read")
                return self._reader.tick(now)
            case Stage.OFFER | Stage.SEND:
                return self._tick_sending(now)
        return []

    @property
    def _words(self) -> str:
        return self.kind.words

    # --- reading ---

    def _read(self, stage: Stage, now: float) -> Messages:
        self.stage = stage
        mend = self._partial and stage is Stage.LOOK
        self._reader = ReadBack(
            window=self._window,
            patience=self._patience,
            wrong=self._is_wrong,
            expect=len(self.items),
            kind=self.kind,
            # PX4 hands items out one after the other from 0.
            skip=self._first,
            most_wrong=_MOST_MENDED if mend else 0,
            enough=self._told_by_id if stage is Stage.PROVE else self._judged_by_id,
        )
        return self._reader.start(now)

    def _is_wrong(self, read: Item) -> bool:
        return read.seq >= self._first and not self._same(self.items[read.seq], read)

    def _told_by_id(self, count: ItemCount) -> bool:
        return count.opaque_id != 0 and count.opaque_id in self._known_ids

    def _judged_by_id(self, count: ItemCount) -> bool:
        """A look needs no items where the vehicle has ids: another id is another list."""
        return count.opaque_id != 0 and bool(self._known_ids)

    def _receive_reading(self, message: Transfer, now: float) -> Messages:
        if self.stage is Stage.PROVE and isinstance(message, ItemWanted):
            # It still asks: the last item never arrived, so the upload is not over.
            return self._wanted(message.seq, now) if self._asked <= message.seq < len(self.items) else []
        out = self._reader.receive(message, now)
        if self._reader.busy:
            return self._resend_or_offer(now)
        return out + self._judge_reading(now) if self._reader.done else out

    def _resend_or_offer(self, now: float) -> Messages:
        """The vehicle denies reading because it still receives: go on where we were."""
        if self.stage is Stage.LOOK:
            return self._offer(now)
        self.stage = Stage.SEND
        return self._send(self._pointer, now)

    def _judge_reading(self, now: float) -> Messages:
        problem = self._difference()
        if problem is None:
            self._end(
                UploadResult(
                    verified=True,
                    uploaded=self._uploaded,
                    opaque_id=self._reader.opaque_id,
                    written=self._written,
                )
            )
            return []
        if self.stage is Stage.LOOK:
            return self._offer(now)
        return self._again(now, problem)

    def _difference(self) -> str | None:
        """Return how the list on board differs from ours, None if it is ours."""
        reader = self._reader
        if reader.count != len(self.items):
            return f"the vehicle holds {reader.count} of {len(self.items)} items"
        if self._told_by_id(ItemCount(reader.count, self.kind, reader.opaque_id)):
            return None
        if reader.differing:
            wrong = reader.items[min(reader.differing)]
            return f"item {wrong.seq} came back as {_shown(wrong)}, sent was {_shown(self.items[wrong.seq])}"
        if not reader.whole:
            return f"the vehicle's {self._words} could not be read to its end"
        return None

    # --- sending ---

    def _offer(self, now: float) -> Messages:
        self._span = self._to_write()
        self.stage = Stage.OFFER
        self._uploaded = True
        self._pointer = self._asked = -1
        self._repeats = 0
        self._first_s = self._acted_s = self._heard_s = now
        return [self._offered()]

    def _to_write(self) -> tuple[int, int]:
        """Return the first and last item that must be written: all, or those that were seen to differ."""
        reader, last = self._reader, len(self.items) - 1
        if self.stage is Stage.LOOK and self._partial and reader.whole and reader.differing:
            return min(reader.differing), max(reader.differing)
        return 0, last

    def _offered(self) -> ItemCount | PartOffer:
        if self._span == (0, len(self.items) - 1):
            return ItemCount(len(self.items), self.kind)
        return PartOffer(*self._span, self.kind)

    def _wanted(self, seq: int, now: float) -> Messages:
        """Answer any request, but let only a fresh one move the upload on.

        A vehicle asks for the first item first and never goes back, so anything
        else is a request that was delayed or doubled on its way.
        """
        if self.stage is Stage.OFFER and seq != self._span[0]:
            return []
        if seq < self._asked:
            return [self.items[seq]]
        self.stage = Stage.SEND
        self._heard_s = now
        if seq > self._asked:
            self._patience.answered(now, first_s=self._first_s, last_s=self._acted_s)
        self._repeats = 0
        self._asked = seq
        self.sent = max(self.sent, seq)
        return self._send(seq, now)

    def _send(self, seq: int, now: float) -> Messages:
        if seq != self._pointer:
            self._first_s = now
            self._written += 1
        self._pointer = seq
        self._acted_s = now
        return [self.items[seq]]

    def _judged(self, verdict: Verdict, now: float) -> Messages:
        if verdict is Verdict.INVALID_SEQUENCE:
            return self._already_there(now)
        if verdict is Verdict.ACCEPTED:
            # A late answer to the attempt before may come while offering: the proof sorts it out.
            empty = not self.items
            return self._read(Stage.PROVE, now) if empty or self.stage is Stage.SEND else []
        if verdict in _FINAL:
            self._fail(f"the vehicle refused {self._last_sent()}: {verdict.words}")
            return []
        return self._complained(verdict, now)

    def _complained(self, verdict: Verdict, now: float) -> Messages:
        """Pass over a refusal that may be late or may pass, but not over one after the other.

        Where it was meant, silence follows and the proof finds what is missing.
        """
        self._complaints += 1
        if self._complaints > _COMPLAINTS:
            self._fail(f"the vehicle answers {verdict.words} again and again")
        elif self.stage is Stage.SEND:
            return self._offer(now) if verdict is Verdict.CANCELLED else []
        elif verdict is Verdict.ERROR and self._span != (0, len(self.items) - 1):
            self._partial = False  # it takes no partial writes after all
            return self._offer(now)
        elif verdict is Verdict.ERROR:
            # PX4 is still in another transfer with us, the end of which was lost.
            return [MissionVerdict(Verdict.CANCELLED, self.kind)]
        return []

    def _last_sent(self) -> str:
        if self._pointer < 0:
            return f"a {self._words} of {len(self.items)} items"
        return f"item {self._pointer} ({_shown(self.items[self._pointer])})"

    def _already_there(self, now: float) -> Messages:
        """The item sent last was a repeat, so the request for the next one was lost."""
        if self.stage is not Stage.SEND:
            return []
        if self._repeats == 0:  # the answer to a copy that came beside the one it took
            self._patience.hurried()
            return []
        if self._pointer >= self._span[1]:
            return self._read(Stage.PROVE, now)
        self._repeats = 0
        return self._send(self._pointer + 1, now)

    def _tick_sending(self, now: float) -> Messages:
        if now - self._heard_s > self._patience.give_up_s:
            return self._again(now, "the vehicle stopped answering during the upload")
        if now - self._acted_s < self._patience.after(self._repeats):
            return []
        self._repeats += 1
        if self.stage is Stage.OFFER:
            self._acted_s = now
            return [self._offered()]
        is_last = self._pointer == self._span[1]
        if self._repeats > (_SILENT_ENDS if is_last else _SILENT_MIDDLES):
            return self._read(Stage.PROVE, now)
        return self._send(self._pointer, now)

    # --- ends ---

    def _again(self, now: float, why: str) -> Messages:
        self._attempts_left -= 1
        if self._attempts_left <= 0:
            self._fail(why)
            return []
        return self._offer(now)

    def _fail(self, why: str) -> None:
        self._end(UploadResult(verified=False, uploaded=self._uploaded, reason=why, written=self._written))

    def _end(self, result: UploadResult) -> None:
        self.stage = Stage.DONE
        self.result = result


def _shown(item: Item) -> str:
    return (
        f"command {item.command} at {item.lat_deg:.7f}, {item.lon_deg:.7f}, {item.altitude_m:g} m "
        f"with {', '.join(f'{p:g}' for p in item.params)}"
    )
