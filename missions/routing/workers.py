"""Searches side by side in processes of their own, told to end together, telling of the best of them."""

import math
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.sharedctypes import SynchronizedArray
from multiprocessing.synchronize import Event
from typing import Protocol

from missions.routing.effort import Progress
from missions.routing.problem import Answer

LOOK_EVERY_S = 0.1


class One(Protocol):
    """A search from a seed, that can be told to end and tells of its best cost."""

    def __call__(self, seed: int, cancelled: Callable[[], bool], tell: Progress) -> Answer:
        """Return what it found."""
        ...


def together(
    one: One, seeds: Sequence[int], *, cancelled: Callable[[], bool] | None, tell: Progress
) -> list[Answer]:
    """Return what each search found; `tell` hears the least share done and the best cost of all."""
    context = get_context("spawn")
    end, board = context.Event(), context.Array("d", [0.0, math.inf] * len(seeds))
    with ProcessPoolExecutor(len(seeds), context, _begin, (end, board)) as pool:
        running = [pool.submit(_run, one, seed, place) for place, seed in enumerate(seeds)]
        while wait(running, timeout=LOOK_EVERY_S).not_done:
            if cancelled is not None and cancelled():
                end.set()
            if min(board[1::2]) < math.inf:
                tell(min(board[0::2]), min(board[1::2]))
        found = [each.result() for each in running]
    tell(1.0, min(answer.cost for answer in found))
    return found


@dataclass(slots=True)
class _Shared:
    """What a worker process shares with the one that waits, set once when it starts."""

    end: list[Event] = field(default_factory=list)
    board: list["SynchronizedArray[float]"] = field(default_factory=list)


_SHARED = _Shared()


def _begin(end: Event, board: "SynchronizedArray[float]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the waiting process's to hear
    _SHARED.end, _SHARED.board = [end], [board]


def _run(one: One, seed: int, place: int) -> Answer:
    (end,), (board,) = _SHARED.end, _SHARED.board

    def tell(share: float, cost: float) -> None:
        board[2 * place : 2 * place + 2] = [share, cost]

    return one(seed, end.is_set, tell)
