"""Rows `upload` of `gridpatrol bench fleet`: 100 items put on board and proven over a bad link.

Virtual time, 50 ms one way, independent loss each way. A run counts as a success when the client
says so *and* the vehicle holds the whole mission; other clients' modelled rules run over the same
seeds and are printed beside ours.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from fleet.autopilots import Autopilot
from fleet.autopilots.ardupilot import ArduCopter
from fleet.autopilots.px4 import Px4
from fleet.bench.airlink import AirLink, run
from fleet.bench.boards import ArduBoard, Px4Board
from fleet.bench.plans import uploaded
from fleet.bench.rivals import MAVSDK, QGROUNDCONTROL, RivalUpload, Rules
from fleet.messages import Item
from fleet.transfer import Upload
from missions.measure import Job, Row, at_least, at_most, measured

_ITEMS = 100
_SEEDS, _QUICK_SEEDS = 200, 10
_LIMITS_S = {5: 15.0, 10: 18.0, 20: 30.0}  # loss in percent: the median that must be reached
_LEAST_SUCCESS = 0.995
_RIVALS = (QGROUNDCONTROL, MAVSDK)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: whether the client called it done, and whether the mission was on board."""

    seed: int
    claimed: bool
    on_board: bool
    took_s: float
    carried: int
    reason: str = ""

    @property
    def success(self) -> bool:
        """Return whether what the client claims is true."""
        return self.claimed and self.on_board


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    seeds = range(_QUICK_SEEDS if job.quick else _SEEDS)
    for name, autopilot in (("ardupilot", ArduCopter()), ("px4", Px4())):
        items = uploaded(autopilot, _ITEMS)
        for percent, limit_s in _LIMITS_S.items():
            row = f"upload.{name}.loss{percent:02d}"
            if job.wants(row):
                yield from _row(job, row, autopilot, items, percent / 100, limit_s, seeds)


def _row(
    job: Job,
    row: str,
    autopilot: Autopilot,
    items: Sequence[Item],
    loss: float,
    limit_s: float,
    seeds: range,
) -> Iterator[Row]:
    ours = [_ours(autopilot, items, loss, seed) for seed in seeds]
    job.raw.write(row, *(asdict(o) for o in ours))
    rivals = {
        rules.name: [_rival(autopilot, items, loss, seed, rules) for seed in seeds] for rules in _RIVALS
    }
    anchor = ", ".join(f"{name} rules {_share(found):.1%}" for name, found in rivals.items())
    yield at_least(
        f"{row}.success", _share(ours), _LEAST_SUCCESS, unit="share", clock="simulated", anchor=anchor
    )
    took_s = [o.took_s for o in ours if o.success]
    if took_s:
        yield at_most(f"{row}.median_s", median(took_s), limit_s, unit="s", clock="simulated")
    yield measured(
        f"{row}.unproven_claims",
        sum(o.claimed and not o.on_board for o in ours),
        unit="runs",
        clock="simulated",
    )


def _share(outcomes: Sequence[Outcome]) -> float:
    return sum(o.success for o in outcomes) / len(outcomes)


def _board(autopilot: Autopilot) -> ArduBoard | Px4Board:
    return ArduBoard() if isinstance(autopilot, ArduCopter) else Px4Board()


def _holds(board: ArduBoard | Px4Board, items: Sequence[Item], autopilot: Autopilot) -> bool:
    first = autopilot.first
    return len(board.items) == len(items) and all(
        autopilot.same(sent, held) for sent, held in zip(items[first:], board.items[first:], strict=True)
    )


def _ours(autopilot: Autopilot, items: Sequence[Item], loss: float, seed: int) -> Outcome:
    list_id = autopilot.list_id(items)
    client = Upload(
        items,
        same=autopilot.same,
        first=autopilot.first,
        window=autopilot.window,
        known_ids=frozenset() if list_id is None else frozenset({list_id}),
        partial=autopilot.takes_parts,
    )
    board, link = _board(autopilot), AirLink(random.Random(seed), loss)
    took_s = run(client, board, link)
    result = client.result
    claimed = result is not None and result.verified
    reason = "it never ended" if result is None else result.reason
    return Outcome(seed, claimed, _holds(board, items, autopilot), took_s, link.carried, reason)


def _rival(autopilot: Autopilot, items: Sequence[Item], loss: float, seed: int, rules: Rules) -> Outcome:
    client = RivalUpload(items, rules)
    board, link = _board(autopilot), AirLink(random.Random(seed), loss)
    took_s = run(client, board, link)
    return Outcome(seed, client.result is True, _holds(board, items, autopilot), took_s, link.carried)
