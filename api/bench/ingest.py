"""Rows `ingest.*`: observations handed in over HTTP by another process, each answered when all is on disk.

The service is the real api role on SQLite (write-ahead log, `synchronous=FULL`), on the example
valley's agencies. An answer means: the caller's key was checked, the observation joined its incident or
opened one, every agency was decided on, and the rows are committed. Afterwards the rows are counted.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from sqlalchemy import func, select

from api import children
from api.bench.stage import Stage, answers, bench_settings, cpu_s, staged, start_api
from api.schemas import FrameIn
from api.store import frames, tokens
from api.store.models import AlertRow, IncidentRow, ObservationRow
from api.store.tables.orders import RouteRow
from api.store.tokens import Role
from missions.errors import WorkFailed
from missions.measure import Job, Row, at_least, at_most, measured

MANY, QUICK = 10_000, 600
WARM_UP = 300
FIRES, CONNECTIONS, FRAMES = 60, 24, 50
PORT = 19501
ANCHOR = "Alerta 61.5 requests/s, 160 ms mean"


def rows(job: Job) -> Iterator[Row]:
    """Yield `ingest.per_s` and `ingest.p99_ms`, and what was in the database afterwards."""
    many = QUICK if job.quick else MANY
    with tempfile.TemporaryDirectory() as folder:
        seen, kept = asyncio.run(_measure(Path(folder), many))
    took_ms = np.array(seen["took_ms"])
    job.raw.write("ingest", *({"took_ms": float(ms)} for ms in took_ms))
    job.raw.write(
        "ingest.kept",
        {"asked": many, "seconds": seen["seconds"], "status": seen["status"], "cpu_s": seen["cpu_s"], **kept},
    )
    if seen["status"] != {"201": many} or kept["observations"] != many + WARM_UP:
        raise WorkFailed(f"of {many} observations, answered {seen['status']} and kept {kept}")
    yield at_least("ingest.per_s", many / seen["seconds"], 400, unit="1/s", anchor=ANCHOR)
    yield at_most("ingest.p99_ms", float(np.percentile(took_ms, 99)), 100, unit="ms", anchor=ANCHOR)
    yield measured("ingest.cpu_ms", 1e3 * seen["cpu_s"] / many, unit="ms an observation", clock="cpu")
    yield measured("ingest.mean_ms", float(took_ms.mean()), unit="ms", anchor=ANCHOR)
    yield measured("ingest.incidents", kept["incidents"], unit=f"of {FIRES} fires", clock="none")


async def _measure(folder: Path, many: int) -> tuple[dict[str, Any], dict[str, int]]:
    settings, now = bench_settings(folder, port=PORT, agencies=0), datetime.now(UTC)
    async with staged(settings, [], now) as stage:
        token, names = await _prepare(stage, now)
        service = await start_api(settings)
        try:
            await answers(PORT)
            await _load(token, names, WARM_UP, run="warm")
            before_s = cpu_s(service.pid)
            seen = await _load(token, names, many, run="measured")
            return {**seen, "cpu_s": cpu_s(service.pid) - before_s}, await _kept(stage)
        finally:
            await children.stop(service)


async def _prepare(stage: Stage, now: datetime) -> tuple[str, list[str]]:
    """Return the key of a gateway, and the ids of frames that were accepted."""
    names = [str(uuid5(NAMESPACE_URL, f"ingest frame {n}")) for n in range(FRAMES)]
    async with stage.database.write() as session:
        for n, name in enumerate(names):
            told = FrameIn.model_validate(
                {
                    "id": name,
                    "gateway": "g1",
                    "drone": "D1",
                    "sortie": "P1-S1",
                    "shot": n,
                    "sensor": "thermal",
                    "taken_at": now,
                    "sha256": f"{n:064x}",
                    "name": f"GP_{n:04}_T.TIF",
                    "bytes": 1,
                }
            )
            await frames.accept_frame(session, told, key=f"frames/{name}", now=now)
        return await tokens.issue(session, role=Role.GATEWAY, name="load", now=now), names


async def _load(token: str, names: list[str], many: int, *, run: str) -> dict[str, Any]:
    task = {
        "port": PORT,
        "token": token,
        "frames": names,
        "many": many,
        "fires": FIRES,
        "connections": CONNECTIONS,
        "lat_deg": [30.272, 30.290],
        "lon_deg": [119.405, 119.435],
        "run": run,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(json.dumps(task).encode() + b"\n")
    seen: dict[str, Any] = json.loads(said)
    return seen


async def _kept(stage: Stage) -> dict[str, int]:
    tables = {
        "observations": ObservationRow,
        "incidents": IncidentRow,
        "alerts": AlertRow,
        "routes": RouteRow,
    }
    async with stage.database.read() as session:
        return {
            name: int(await session.scalar(select(func.count()).select_from(table)) or 0)
            for name, table in tables.items()
        }
