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

    It ends with the `rounds` or the `seconds`, whichever is first; with rounds alone the
    answer is the same on every machine. Seconds are this process's CPU's unless another
    `clock` is given. The search also ends at a cost of `enough`, or when `cancelled` says so.
    """

    seconds: float = math.inf
    rounds: float = math.inf
    clock: Callable[[], float] = time.process_time
    enough: float = -math.inf
    cancelled: Callable[[], bool] | None = None
    progress: Progress | None = None


@dataclass(slots=True)
class Meter:
    """How much of an effort is spent; every round of the search is counted here."""

    effort: Effort
    rounds: int = 0
    _ended: bool = False
    _told_s: float = -math.inf
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._began_s = self.effort.clock()

    @property
    def spent_s(self) -> float:
        """Seconds since the search began."""
        return self.effort.clock() - self._began_s

    @property
    def ended(self) -> bool:
        """Whether the search was told to end, or is at a cost that is good enough."""
        return self._ended

    @property
    def share(self) -> float:
        """The share spent, 1 when the search must end."""
        if self._ended:
            return 1.0
        return min(1.0, max(self.rounds / self.effort.rounds, self.spent_s / self.effort.seconds))

    def count(self, best: float) -> float:
        """Count one round that leaves this best cost; return the share spent."""
        self.rounds += 1
        effort = self.effort
        self._ended = best <= effort.enough or (effort.cancelled is not None and effort.cancelled())
        if effort.progress and self.spent_s - self._told_s >= TELL_EVERY_S:
            self._told_s = self.spent_s
            effort.progress(self.share, best)
        return self.share

    def end(self, best: float) -> None:
        """Tell of the cost the search ended with."""
        if self.effort.progress:
            self.effort.progress(1.0, best)
