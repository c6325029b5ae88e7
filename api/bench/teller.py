"""A coordinator that records frames with fires until there are enough alerts; made to be killed.

    python -m api.bench.teller FOLDER ALERTS PACE_S AGENCIES

Each frame is one transaction. Only after its commit has returned does the teller
note the frame in FOLDER/committed.jsonl, synced to the disk: whatever is noted
there must be in the database for ever. Started again, it goes on where the
database ends, with a frame that was perhaps cut off in the middle.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from sqlalchemy import func, select

from api.bench.stage import frame_id, report
from api.settings import read
from api.store.engine import open_database
from api.store.models import AlertRow, FrameRow
from missions.site import load_site


async def tell(folder: Path, alerts: int, pace_s: float, agencies: int) -> None:
    """Record frames, one fire each, until the database holds so many alerts."""
    settings = read()
    clock, site = settings.make_clock(), load_site(settings.site)
    database = await open_database(settings.database, migrate=False)
    async with database.read() as session:
        number = int(await session.scalar(select(func.count()).select_from(FrameRow)) or 0)
        told = int(await session.scalar(select(func.count()).select_from(AlertRow)) or 0)
    with (folder / "committed.jsonl").open("a", encoding="utf-8") as notes:
        while told < alerts:
            async with database.write() as session:
                await report(session, number, fires=1, site=site, now=clock.now())
            notes.write(json.dumps({"frame": frame_id(number)}) + "\n")
            notes.flush()
            os.fsync(notes.fileno())
            number, told = number + 1, told + agencies
            await asyncio.sleep(pace_s)  # the pace of the bench, not a wait for anything
    await database.close()


if __name__ == "__main__":
    where, wanted, pace, desks = sys.argv[1:]
    asyncio.run(tell(Path(where), int(wanted), float(pace), int(desks)))
