"""Rows `firms.*`: the real FIRMS files into incidents, as `gridpatrol witness firms` does it.

Both files are read and recorded into a fresh database on disk, migrations not counted, static sources masked
by what the files themselves show of persistence; then both once more. Each run's own time is kept raw.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.settings import read
from api.store.engine import database_url, open_database
from api.witnessing import Desk
from missions.measure import Job, Row, at_most, measured, skipped
from missions.site import load_site

FILES = ("MODIS_C6_1_Global_24h.csv", "SUOMI_VIIRS_C2_Europe_48h.csv")
RUNS = 3
LIMIT_S = 3.0


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of the real files; skipped where they are not here."""
    folder = _folder()
    if folder is None:
        yield skipped("firms.seconds", "the FIRMS files of shared/data are not here", unit="s")
        yield skipped("firms.second_import_new", "the FIRMS files of shared/data are not here")
        return
    runs = [asyncio.run(_run(folder)) for _ in range(1 if job.quick else RUNS)]
    job.raw.write("firms", *runs)
    seconds = statistics.median(run["wall_s"] for run in runs)
    yield at_most("firms.seconds", round(seconds, 3), LIMIT_S, unit="s")
    yield measured(
        "firms.cpu_s", round(statistics.median(r["cpu_s"] for r in runs), 3), unit="s", clock="cpu"
    )
    yield measured("firms.rows", runs[0]["rows"], unit="rows", clock="none")
    yield measured("firms.masked", runs[0]["masked"], unit="rows", clock="none")
    yield measured("firms.incidents", runs[0]["opened"], unit="incidents", clock="none")
    yield at_most(
        "firms.second_import_new", max(run["again_new"] for run in runs), 0, unit="rows", clock="none"
    )


async def _run(folder: Path) -> dict[str, Any]:
    """Return what one import and a second one did, on a fresh database."""
    site = load_site(read().site)
    with tempfile.TemporaryDirectory(prefix="gridpatrol-firms-") as data:
        database = await open_database(database_url(None, folder=Path(data)))
        desk = Desk(database, site, datetime.now(UTC), data, None)
        try:
            wall, cpu = time.perf_counter(), time.process_time()
            first = [await desk.firms(folder / name) for name in FILES]
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            again = [await desk.firms(folder / name) for name in FILES]
        finally:
            await database.close()
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "rows": sum(told.read for told in first),
        "new": sum(told.new for told in first),
        "masked": sum(told.masked for told in first),
        "opened": sum(told.opened for told in first),
        "again_new": sum(told.new + told.updated + told.opened for told in again),
    }


def _folder() -> Path | None:
    for root in (Path(__file__).parents[3], Path.cwd().parent, Path.cwd()):
        folder = root / "shared" / "data" / "firms"
        if all((folder / name).is_file() for name in FILES):
            return folder
    return None
