"""Rows `fanout`: how soon 200 subscribers hear of a fire while 5 of them hang and 10 fail.

Measured from the moment the observation's transaction is committed to the moment
a healthy subscriber writes its 2xx, over all healthy subscribers and rounds. Real
processes and sockets: the bench as coordinator, the bus, the api role, and the
subscribers, all on this machine. Rounds are further apart than connections are
kept, so that each delivery opens its own, as between fires.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from api import children
from api.bench.stage import (
    answers,
    bench_settings,
    read_lines,
    staged,
    start_api,
    subscribers,
)
from api.bus_server import free_port
from api.delivery.post import KEEP_ALIVE_S
from missions.measure import Job, Row, at_most, measured

HANGING, FAILING, HEALTHY = 5, 10, 185
ROUNDS, QUICK_ROUNDS = 24, 2
APART_S = KEEP_ALIVE_S + 1.0
PATIENCE_S = 10.0
P50_MS, P99_MS = 150.0, 1_000.0
_ANCHOR = "one-by-one senders: +25 s"


def rows(job: Job) -> Iterator[Row]:
    """Yield the latency of healthy subscribers at the median and the 99th percentile."""
    rounds = QUICK_ROUNDS if job.quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="gridpatrol-fanout-") as folder:
        told, receipts = asyncio.run(_run(Path(folder), rounds))
    job.raw.write("fanout.told", *({"round": n, "committed_at": at} for n, at in enumerate(told)))
    job.raw.write("fanout.receipts", *receipts)
    late_ms = latencies_ms(told, receipts)
    missing = rounds * HEALTHY - len(late_ms)
    late_ms += [PATIENCE_S * 1000.0] * missing  # never arrived counts as very late
    p50, p99 = np.percentile(late_ms, [50, 99])
    yield at_most("fanout.p50_ms", round(float(p50), 1), P50_MS, unit="ms", anchor=_ANCHOR)
    yield at_most("fanout.p99_ms", round(float(p99), 1), P99_MS, unit="ms", anchor=_ANCHOR)
    yield measured("fanout.missing", missing, unit="receipts")


def latencies_ms(told: list[float], receipts: list[dict[str, object]]) -> list[float]:
    """Return how late each healthy subscriber's first 2xx of each round was.

    A receipt belongs to the round whose commit came last before it; rounds are
    so far apart that none is mistaken.
    """
    first: dict[tuple[object, object], float] = {}
    for receipt in receipts:
        if receipt["status"] == 200:
            first.setdefault((receipt["subscriber"], receipt["alert"]), float(str(receipt["at"])))
    begins = np.asarray(told)
    ats = np.asarray(sorted(first.values()))
    nearest = np.searchsorted(begins, ats, side="right") - 1
    return [float(ms) for ms in (ats - begins[np.maximum(nearest, 0)]) * 1000.0]


async def _run(folder: Path, rounds: int) -> tuple[list[float], list[dict[str, object]]]:
    agencies = HANGING + FAILING + HEALTHY
    settings = bench_settings(folder, port=free_port(), agencies=agencies)
    log = folder / "receipts.jsonl"
    told: list[float] = []
    async with (
        subscribers(log, hanging=HANGING, failing=FAILING, healthy=HEALTHY) as ports,
        staged(settings, ports, datetime.now(UTC)) as stage,
    ):
        role = await start_api(settings)
        try:
            await answers(settings.http_port)
            await asyncio.sleep(1.0)  # the role settles: its first poll, its bus subscriptions
            for number in range(rounds):
                told.append(await stage.tell(number, fires=1, now=datetime.now(UTC)))
                await asyncio.sleep(APART_S)
            await asyncio.sleep(PATIENCE_S - APART_S)  # the last round has as long as any
        finally:
            await children.stop(role)
    return told, [dict(receipt) for receipt in read_lines(log)]
