"""Reading the mission on board back, as a machine without I/O (mavlink.io/en/services/mission.html)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.messages import (
    Item,
    ItemCount,
    ItemWanted,
    ListWanted,
    MissionVerdict,
    Outgoing,
    Transfer,
    Verdict,
)

Messages = list[Outgoing]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long silence lasts before something is sent again, in seconds."""

    resend_s: float = 0.25
    brisk: int = 3  # repeats before backing off: on a lossy link the next copy often arrives
    slowest_s: float = 1.5  # repeats back off to this
    give_up_s: float = 30.0  # without any answer at all

    def after(self, repeats: int) -> float:
        """Return the silence to wait before the next repeat."""
        return min(self.slowest_s, self.resend_s * 1.5 ** max(0, repeats - self.brisk))


@dataclass(slots=True)
class ReadBack:
    """Reads the mission on board; stops early at the first item `wanted` says is wrong.

    `window` requests are kept under way at once: ArduPilot answers each on its
    own, PX4 only the next one, so 1 is right for every vehicle.
    """

    window: int = 1
    patience: Patience = field(default_factory=Patience)
    wrong: Callable[[Item], bool] = lambda _item: False
    expect: int | None = None
    items: dict[int, Item] = field(default_factory=dict)
    count: int | None = None
    done: bool = False
    busy: bool = False
    _asked_at: dict[int, float] = field(default_factory=dict)
    _repeats: int = 0
    _heard_at: float = 0.0

    def start(self, now: float) -> Messages:
        """Return the request that begins the reading."""
        self._asked_at = {-1: now}
        self._heard_at = now
        return [ListWanted()]

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message; return what to send next."""
        if self.done:
            return []
        match message:
            case ItemCount() if self.count is None:
                return self._counted(message.count, now)
            case Item() if self.count is not None and message.seq < self.count:
                return self._read(message, now)
            case MissionVerdict(verdict=Verdict.DENIED) if self.count is None:
                self.busy = True
        return []

    def tick(self, now: float) -> Messages:
        """Return what must be asked again after too long a silence."""
        if self.done:
            return []
        wait_s = self.patience.after(self._repeats)
        late = [seq for seq, at in self._asked_at.items() if now - at >= wait_s]
        if late:
            self._repeats += 1
        return [self._ask(seq, now) for seq in sorted(late)]

    def silent_s(self, now: float) -> float:
        """Return how long nothing useful has been heard."""
        return now - self._heard_at

    def _counted(self, count: int, now: float) -> Messages:
        self.count = count
        self._heard(now)
        self._asked_at.clear()
        if count == 0 or (self.expect is not None and count != self.expect):
            return self._finish()
        return self._more(now)

    def _read(self, item: Item, now: float) -> Messages:
        self._heard(now)
        self._asked_at.pop(item.seq, None)
        self.items[item.seq] = item
        if self.wrong(item) or len(self.items) == self.count:
            return self._finish()
        return self._more(now)

    def _more(self, now: float) -> Messages:
        open_seqs = (s for s in range(self.count or 0) if s not in self.items and s not in self._asked_at)
        room = self.window - len(self._asked_at)
        return [self._ask(seq, now) for seq, _ in zip(open_seqs, range(room), strict=False)]

    def _ask(self, seq: int, now: float) -> Outgoing:
        self._asked_at[seq] = now
        return ListWanted() if seq < 0 else ItemWanted(seq)

    def _heard(self, now: float) -> None:
        self._heard_at = now
        self._repeats = 0

    def _finish(self) -> Messages:
        self.done = True
        return [MissionVerdict(Verdict.ACCEPTED)]
