"""What the person sees: lines as they come, and one line of progress below them."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

# Without a terminal the progress is a line now and then, so that a log stays readable.
PLAIN_EVERY_S = 15.0


class Screen:
    """Standard error, with a live line when it is a terminal. Used from one thread."""

    def __init__(self, minutes: float, *, is_quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=is_quiet)
        self._bar = Progress(
            BarColumn(bar_width=10),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=minutes)
        self._said_s = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, sentence: str) -> None:
        """Print a line that stays."""
        self._console.print(sentence, markup=False)

    def progress(self, minutes: float | None, text: str) -> None:
        """Show how far it is; `minutes` None leaves the bar where it is."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=minutes, description=text)
        elif time.monotonic() - self._said_s > PLAIN_EVERY_S:
            self._said_s = time.monotonic()
            self._console.print(f"… {text}", markup=False)

    def table(self, table: Table) -> None:
        """Print a closing table."""
        self._console.print(table)
