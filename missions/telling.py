"""What a long search tells the person at the terminal, and how that person stops it."""

import signal
import sys
import time
from collections.abc import Callable
from types import FrameType, TracebackType

EVERY_S = 0.1
# Where lines are not redrawn, so often one says how good the best is.
LINE_EVERY_S = 5.0


class Told:
    """One line on standard error that says what is done, redrawn in place on a terminal."""

    def __init__(self, *, line_every_s: float = LINE_EVERY_S) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._every_s = EVERY_S if self._is_terminal else line_every_s
        self._what, self._told_s, self._cost_s = "", 0.0, 0.0

    def __call__(self, what: str, share: float) -> None:
        """Tell what is being done, and how much of it is."""
        now_s = time.monotonic()
        is_new = what != self._what
        if not is_new and now_s - self._told_s < self._every_s:
            return
        if not is_new and not self._is_terminal and not self._cost_s:
            return
        if is_new:
            self._cost_s = 0.0
        self._what, self._told_s = what, now_s
        so_far = f", cost so far {self._cost_s:,.0f} s" if self._cost_s else ""
        if self._is_terminal:
            print(f"\r\033[K{what} … {share:.0%}{so_far}", end="", file=sys.stderr, flush=True)
        else:
            print(f"{what} …{so_far.removeprefix(',')}", file=sys.stderr, flush=True)

    def best(self, share: float, cost_s: float) -> None:
        """Keep the cost so far for the next line: seconds flown, sorties' openings and what is left out."""
        self._cost_s = cost_s

    def end(self) -> None:
        """Leave the line empty for what follows."""
        if self._is_terminal and self._what:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class Stopping:
    """Whether Ctrl-C was pressed; pressed twice it ends the program as ever."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._is_asked = say, False

    def __call__(self) -> bool:
        return self._is_asked

    def __enter__(self) -> "Stopping":
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True
        self._say("stopping: the best plan so far is proven and kept (Ctrl-C again to leave without it)")
