"""Rows `killed`: what 50 kills and a day without receivers cost 10,000 alerts. It must be nothing.

Two processes are killed with `kill -9` at random moments: the one that records
observations (also in the middle of its commits) and the real api role that
delivers. The service's clock runs fast, and for 24 of its hours no subscriber
answers. Afterwards the database, the tellers' own notes of what was committed,
and the receipts of the subscribers are held against each other:

    lost         alerts whose transaction was committed and that some subscriber never got
    reordered    first receipts of one subscriber out of the order in which they were promised
    ids_changed  messages that came again under another id, or ids that came with other bytes
"""

import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api import children
from api.bench.stage import (
    answers,
    bench_settings,
    read_lines,
    receiving,
    staged,
    start_api,
)
from api.bus_server import free_port
from api.roles.serve import environment
from api.settings import Settings
from missions.errors import WorkFailed
from missions.measure import Job, Row, at_most, measured

ALERTS, QUICK_ALERTS = 10_000, 200
KILLS, QUICK_KILLS = 50, 4
SUBSCRIBERS = 20
PACE_S = 0.05  # between frames
OUTAGE_H = 24.0
SPEED, QUICK_SPEED = 900.0, 3_600.0
"""The 75 hours for which a message is tried last 300 and 75 s: a killed role takes less to start anew."""
PATIENCE_S = 1500.0
SEED = 8
_ANCHOR = "all examined can lose"


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the outbox after the run: which subscriber was promised what, in which order."""

    seq: int
    message: str
    subscriber: int
    alert: str
    state: str


def rows(job: Job) -> Iterator[Row]:
    """Yield what was lost, reordered or sent under other ids."""
    with tempfile.TemporaryDirectory(prefix="gridpatrol-killed-") as name:
        folder = Path(name)
        run = _Run(folder, job)
        kills = asyncio.run(run.all())
        promises = promised(run.settings)
        committed = [str(line["frame"]) for line in read_lines(folder / "committed.jsonl")]
        kept = kept_frames(run.settings)
        receipts = read_lines(folder / "receipts.jsonl")
    job.raw.write("killed.kills", *kills)
    job.raw.write("killed.receipts", *receipts)
    job.raw.write("killed.promises", *({"seq": p.seq, "id": p.message, "alert": p.alert} for p in promises))
    forgotten = len(set(committed) - kept)
    missing = lost(promises, receipts)
    yield at_most("killed.lost", forgotten + missing, 0, unit="alerts", clock="simulated", anchor=_ANCHOR)
    out_of_order = reordered(promises, receipts)
    yield at_most("killed.reordered", out_of_order, 0, unit="alerts", clock="simulated", anchor=_ANCHOR)
    changed = ids_changed(promises, receipts)
    yield at_most("killed.ids_changed", changed, 0, unit="alerts", clock="simulated", anchor=_ANCHOR)
    yield measured("killed.alerts", len({p.alert for p in promises}), unit="alerts")
    yield measured("killed.kills", len(kills), unit="kills")
    given_up = sum(promise.state == "failed" for promise in promises)
    yield measured("killed.given_up", given_up, unit="messages, tried for 75 h")
    again = sum(r["status"] == 200 for r in receipts) - len({r["id"] for r in receipts if r["status"] == 200})
    yield measured("killed.repeats", again, unit="receipts")


def lost(promises: Sequence[Promise], receipts: Sequence[Mapping[str, Any]]) -> int:
    """Return how many promised messages no subscriber ever answered with 2xx."""
    arrived = {receipt["id"] for receipt in receipts if receipt["status"] == 200}
    return sum(promise.message not in arrived for promise in promises)


def reordered(promises: Sequence[Promise], receipts: Sequence[Mapping[str, Any]]) -> int:
    """Return how many first receipts came before one that was promised earlier to the same subscriber."""
    place = {promise.message: promise.seq for promise in promises}
    newest: dict[int, int] = {}
    seen: set[str] = set()
    wrong = 0
    for receipt in receipts:
        if receipt["status"] != 200 or receipt["id"] in seen:
            continue
        seen.add(receipt["id"])
        seq = place.get(receipt["id"], -1)
        wrong += seq < newest.get(receipt["subscriber"], 0)
        newest[receipt["subscriber"]] = max(seq, newest.get(receipt["subscriber"], 0))
    return wrong


def ids_changed(promises: Sequence[Promise], receipts: Sequence[Mapping[str, Any]]) -> int:
    """Return how many ids came with other bytes, how many tellings under several ids, how many unpromised."""
    known = {promise.message for promise in promises}
    bodies: dict[str, set[str]] = {}
    ids: dict[tuple[Any, ...], set[str]] = {}
    for receipt in receipts:
        bodies.setdefault(receipt["id"], set()).add(receipt["sha256"])
        telling = (receipt["subscriber"], receipt["alert"], receipt["revision"])
        ids.setdefault(telling, set()).add(receipt["id"])
    return (
        sum(len(found) > 1 for found in bodies.values())
        + sum(len(found) > 1 for found in ids.values())
        + len(bodies.keys() - known)
    )


def promised(settings: Settings) -> list[Promise]:
    """Return the whole outbox, in its order."""
    query = "SELECT seq, id, receiver, alert, state FROM deliveries ORDER BY seq"
    with contextlib.closing(sqlite3.connect(settings.data / "gridpatrol.db")) as database:
        return [
            Promise(seq, message, int(receiver.split("-")[1]), alert, state)
            for seq, message, receiver, alert, state in database.execute(query)
        ]


def kept_frames(settings: Settings) -> set[str]:
    """Return the frames whose observations are in the database."""
    with contextlib.closing(sqlite3.connect(settings.data / "gridpatrol.db")) as database:
        return {
            str(frame) for (frame,) in database.execute("SELECT id FROM frames WHERE analysed_at IS NOT NULL")
        }


class _Run:
    """One run: what it plays with, and who is killed when."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._folder = folder
        self._say = job.say
        self._alerts = QUICK_ALERTS if job.quick else ALERTS
        self._kills = QUICK_KILLS if job.quick else KILLS
        self._speed = QUICK_SPEED if job.quick else SPEED
        self._chance = random.Random(SEED)
        clock = f"{datetime.now(UTC).isoformat()}@{time.time()}x{self._speed:g}"
        self.settings = bench_settings(folder, port=free_port(), agencies=SUBSCRIBERS, clock=clock)
        self._log: list[dict[str, Any]] = []

    async def all(self) -> list[dict[str, Any]]:
        """Return who was killed when, after everything promised has arrived."""
        receipts = self._folder / "receipts.jsonl"
        receipts.touch()
        ports = [free_port() for _ in range(SUBSCRIBERS)]
        async with staged(self.settings, ports, self.settings.make_clock().now()):
            self._teller, self._api = await self._start_teller(), await start_api(self.settings)
            killing = asyncio.create_task(self._kill())
            async with receiving(receipts, ports):
                await self._until_told(self._alerts // 4)
            outage_s = OUTAGE_H * 3600.0 / self._speed
            self._say(
                f"killed: no subscriber answers for {outage_s:.0f} s, {OUTAGE_H:g} h of the service's clock"
            )
            await asyncio.sleep(outage_s)
            async with receiving(receipts, ports):
                await killing
                await self._until_told(self._alerts)
                await self._until_delivered()
            await children.stop(self._api)
            await self._teller.wait()
        return self._log

    async def _start_teller(self) -> asyncio.subprocess.Process:
        command = [
            sys.executable,
            "-m",
            "api.bench.teller",
            str(self._folder),
            str(self._alerts),
            str(PACE_S),
        ]
        return await children.start(
            [*command, str(SUBSCRIBERS)], environment=environment(self.settings), stderr=None
        )

    async def _kill(self) -> None:
        """Kill one of the two again and again, at random, and start it anew."""
        for number in range(self._kills):
            share = (number + self._chance.random()) / self._kills
            await self._until_told(int(share * self._alerts))
            await asyncio.sleep(self._chance.uniform(0.0, 0.5))  # anywhere in a transaction
            teller_lives = self._teller.returncode is None
            who = "teller" if teller_lives and self._chance.random() < 0.6 else "api"
            victim = self._teller if who == "teller" else self._api
            with contextlib.suppress(ProcessLookupError):
                victim.send_signal(signal.SIGKILL)
            await victim.wait()
            self._log.append({"number": number, "at": time.time(), "who": who, "pid": victim.pid})
            if who == "teller":
                self._teller = await self._start_teller()
            else:
                self._api = await start_api(self.settings)
                await answers(self.settings.http_port)
            self._say(f"killed: {number + 1} of {self._kills}, the {who}")

    async def _until_told(self, alerts: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self._count("alerts", "1") < alerts:
                if self._teller.returncode not in (None, 0, -signal.SIGKILL):
                    raise WorkFailed("the teller ended with an error: see what it said")
                await asyncio.sleep(0.1)  # another process writes them

    async def _until_delivered(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self._count("deliveries", "state = 'pending'"):  # noqa: ASYNC110  (others settle them)
                await asyncio.sleep(0.5)

    def _count(self, table: str, where: str) -> int:
        with contextlib.closing(sqlite3.connect(self.settings.data / "gridpatrol.db")) as database:
            (number,) = database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
        return int(number)
