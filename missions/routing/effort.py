"""How long to search: so many rounds, so many seconds, until good enough, or until told to stop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Told the share of the effort spent, 0 to 1, and the best cost so far.
Progress = Callable[[float, float], None]

TELL_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Effort:
    """What a search may take.

    With `rounds` the answer is the same on every machine; with `seconds` (of this
    process's CPU) it depends on how fast that is. The search also ends at a cost of
    `enough`, after `patience` rounds without a better one, or when `cancelled` says so.
    """

    seconds: float = math.inf
    rounds: int | None = None
    enough: float = -math.inf
    patience: int | None = None
    cancelled: Callable[[], bool] | None = None
    progress: Progress | None = None


@dataclass(slots=True)
class Meter:
    """How much of an effort is spent; every round of the search is counted here."""

    effort: Effort
    rounds: int = 0
    best: float = math.inf
    _since: int = 0
    _ended: bool = False
    _told_s: float = -math.inf
    _began_s: float = field(default_factory=time.process_time)

    @property
    def share(self) -> float:
        """The share spent, 1 when the search must end."""
        if self._ended:
            return 1.0
        if self.effort.rounds is not None:
            return min(1.0, self.rounds / self.effort.rounds)
        return min(1.0, self.spent_s / self.effort.seconds)

    @property
    def spent_s(self) -> float:
        """CPU seconds of this process since the search began."""
        return time.process_time() - self._began_s

    @property
    def left_s(self) -> float:
        """Seconds left; without end when rounds are counted, whatever they take."""
        return math.inf if self.effort.rounds is not None else self.effort.seconds - self.spent_s

    def count(self, best: float) -> float:
        """Count one round that leaves this best cost; return the share spent."""
        self.rounds += 1
        self._since = 0 if best < self.best else self._since + 1
        self.best = min(best, self.best)
        effort = self.effort
        self._ended = (
            self.best <= effort.enough
            or (effort.patience is not None and self._since >= effort.patience)
            or (effort.cancelled is not None and effort.cancelled())
        )
        if effort.progress and self.spent_s - self._told_s >= TELL_EVERY_S:
            self._told_s = self.spent_s
            effort.progress(self.share, self.best)
        return self.share
