"""Rows `mavftp500` of `gridpatrol bench fleet`: 500 items put on board as a file, at 5 % loss.

Virtual time, 50 ms one way, as the rows `upload`; beside it the same mission item by item.
"""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median

from fleet.autopilots.ardupilot import ArduCopter
from fleet.bench.airlink import AirLink, run
from fleet.bench.files import FileBoard
from fleet.bench.plans import uploaded
from fleet.placement import Placement
from missions.measure import Job, Row, at_least, at_most, measured

_ITEMS = 500
_LOSS = 0.05
_SEEDS, _QUICK_SEEDS = 200, 5
_BY_ITEM_SEEDS = 20
_LIMIT_S = 15.0
_ANCHOR = "about 50 s item by item without loss"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: whether it was proven, whether the mission was on board, and by which way it went."""

    seed: int
    proven: bool
    on_board: bool
    by_file: bool
    took_s: float
    carried: int


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    seeds = range(_QUICK_SEEDS if job.quick else _SEEDS)
    found = [_outcome(seed, files=True) for seed in seeds]
    job.raw.write("mavftp500", *(asdict(o) for o in found))
    good = [o for o in found if o.proven and o.on_board]
    yield at_most(
        "mavftp500.median_s",
        median(o.took_s for o in found),
        _LIMIT_S,
        unit="s",
        clock="simulated",
        anchor=_ANCHOR,
    )
    yield at_least("mavftp500.success", len(good) / len(found), 0.995, unit="share", clock="simulated")
    by_file = sum(o.by_file for o in found) / len(found)
    yield measured("mavftp500.by_file", by_file, unit="share", clock="simulated")
    items = [_outcome(seed, files=False) for seed in seeds[:_BY_ITEM_SEEDS]]
    yield measured("mavftp500.item_by_item_s", median(o.took_s for o in items), unit="s", clock="simulated")


def _outcome(seed: int, *, files: bool) -> Outcome:
    autopilot = ArduCopter()
    items = uploaded(autopilot, _ITEMS)
    client, board = Placement(items, autopilot, files=files), FileBoard()
    link = AirLink(random.Random(seed), _LOSS)
    took_s = run(client, board, link)
    held = board.items.items
    on_board = len(held) == len(items) and all(map(autopilot.same, items[1:], held[1:]))
    proven = client.result is not None and client.result.verified
    return Outcome(seed, proven, on_board, board.items.uploads == 0, took_s, link.carried)
