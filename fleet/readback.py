"""Reading a list on board back, as a machine without I/O (mavlink.io/en/services/mission.html)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.messages import (
    Item,
    ItemCount,
    ItemWanted,
    ListKind,
    ListWanted,
    MissionVerdict,
    Outgoing,
    Transfer,
    Verdict,
)
from fleet.patience import Patience

Messages = list[Outgoing]

_COUNT = -1  # the number under which the count itself is asked for
_MOST_RESTARTS = 20
_SILENT = 8  # unanswered repeats of one item: the vehicle may have forgotten, and its word of that been lost


@dataclass(slots=True)
class _Asked:
    first_s: float
    last_s: float
    repeats: int = 0


@dataclass(slots=True)
class ReadBack:
    """Reads a list on board; stops early once more than `most_wrong` items differ from what they should be.

    `window` requests are kept under way at once: ArduPilot answers each on its
    own, PX4 only the next one, so 1 is right for every vehicle. Items below
    `skip` are not asked for (ArduPilot's item 0 is its home). `enough` may end
    the reading with the count alone, where the autopilot's opaque id says all.
    """

    window: int = 1
    patience: Patience = field(default_factory=Patience)
    wrong: Callable[[Item], bool] = lambda _item: False
    expect: int | None = None
    kind: ListKind = ListKind.MISSION
    skip: int = 0
    most_wrong: int = 0
    enough: Callable[[ItemCount], bool] = lambda _count: False
    items: dict[int, Item] = field(default_factory=dict)
    differing: set[int] = field(default_factory=set)
    count: int | None = None
    opaque_id: int = 0
    done: bool = False
    whole: bool = False  # every item that counts was read
    busy: bool = False
    _asked: dict[int, _Asked] = field(default_factory=dict)
    _next: int = 0
    _heard_s: float = 0.0
    _restarts: int = 0

    def start(self, now: float) -> Messages:
        """Return the request that begins the reading."""
        self._heard_s = now
        return [self._ask(_COUNT, now)]

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message; return what to send next."""
        if self.done or getattr(message, "kind", self.kind) is not self.kind:
            return []
        match message:
            case ItemCount() if self.count is None:
                return self._counted(message, now)
            case Item() if self.count is not None and message.seq < self.count:
                return self._read(message, now)
            case MissionVerdict(verdict=Verdict.DENIED) if self.count is None:
                self.busy = True
            case MissionVerdict(verdict=Verdict.ERROR) if self.count is not None:
                return self._over(now)
        return []

    def tick(self, now: float) -> Messages:
        """Return what must be asked again after too long a silence."""
        if self.done:
            return []
        late = [n for n, a in self._asked.items() if now - a.last_s >= self.patience.after(a.repeats)]
        if self.count is not None and any(self._asked[n].repeats >= _SILENT for n in late):
            return self._over(now)
        return [self._ask(number, now) for number in sorted(late)]

    def silent_s(self, now: float) -> float:
        """Return how long nothing useful has been heard."""
        return now - self._heard_s

    def _counted(self, message: ItemCount, now: float) -> Messages:
        self.count = message.count
        self.opaque_id = message.opaque_id
        self._answered(_COUNT, now)
        self._next = min(self.skip, self.count)
        if (self.expect is not None and self.count != self.expect) or self.enough(message):
            return self._finish()
        return self._more(now)

    def _read(self, item: Item, now: float) -> Messages:
        self._answered(item.seq, now)
        self.items[item.seq] = item
        if self.wrong(item):
            self.differing.add(item.seq)
            if len(self.differing) > self.most_wrong:
                return self._finish()
        return self._more(now)

    def _over(self, now: float) -> Messages:
        """The vehicle forgot that it is being read (PX4 after a request out of turn): begin again."""
        self._restarts += 1
        if self._restarts > _MOST_RESTARTS:
            return self._finish()
        self.count = None
        self.items.clear()
        self.differing.clear()
        self._asked.clear()
        return [self._ask(_COUNT, now)]

    def _more(self, now: float) -> Messages:
        out: Messages = []
        total = self.count or 0
        while self._next < total and len(self._asked) < self.window:
            if self._next not in self.items:
                out.append(self._ask(self._next, now))
            self._next += 1
        if not self._asked:
            self.whole = True
            return self._finish()
        return out

    def _ask(self, number: int, now: float) -> Outgoing:
        asked = self._asked.get(number)
        if asked is None:
            self._asked[number] = _Asked(now, now)
        else:
            asked.last_s = now
            asked.repeats += 1
        return ListWanted(self.kind) if number == _COUNT else ItemWanted(number, self.kind)

    def _answered(self, number: int, now: float) -> None:
        self._heard_s = now
        asked = self._asked.pop(number, None)
        if asked is not None:
            self.patience.answered(now, first_s=asked.first_s, last_s=asked.last_s)

    def _finish(self) -> Messages:
        self.done = True
        return [MissionVerdict(Verdict.ACCEPTED, self.kind)]


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """A list as it is on board, or why it could not be read."""

    items: tuple[Item, ...]
    opaque_id: int = 0
    reason: str = ""


class Download:
    """Reads a whole list off a vehicle."""

    def __init__(
        self, kind: ListKind = ListKind.MISSION, *, window: int = 1, patience: Patience | None = None
    ) -> None:
        self.result: DownloadResult | None = None
        self._reader = ReadBack(window=window, patience=patience or Patience(), kind=kind)

    def start(self, now: float) -> Messages:
        """Return the request that begins it."""
        return self._reader.start(now)

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        out = self._reader.receive(message, now)
        if self._reader.done and self.result is None:
            items = tuple(item for _, item in sorted(self._reader.items.items()))
            self.result = DownloadResult(items, self._reader.opaque_id)
        return out

    def tick(self, now: float) -> Messages:
        """Return what silence demands."""
        if self.result is not None:
            return []
        if self._reader.silent_s(now) > self._reader.patience.give_up_s:
            self.result = DownloadResult((), reason="the vehicle stopped answering while its list was read")
            return []
        return self._reader.tick(now)
