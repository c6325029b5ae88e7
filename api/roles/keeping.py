"""Baselines out of flights: the first flight of a place makes its baseline, later ones are offered.

Done by the active coordinator, a flight at a time, when all of its frames have been searched: a process of
its own at the lowest priority (`gridpatrol baseline add`) lays them together, so no frame waits for it. The
first version of a place stands at once; a later one waits until a person confirms it (`POST
/v1/baselines/PLACE/VERSION/confirm`). Of each place the store keeps what stands, the newest candidate and
the newest version that stood before.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from structlog.stdlib import get_logger

from api.children import program, start, stop
from api.keeping import of_places
from api.services import Services
from api.store.models import FrameRow, SortieRow
from vision.baselines.store import Store

log = get_logger(__name__)

EVERY_S, LEAST_S = 30.0, 2.0
NEWS = timedelta(hours=24)
LATE = timedelta(minutes=10)
"""Frames that a gateway could not hand over for so long are not waited for."""

PIXEL_M = 0.5
LONGEST_S = 900.0
"""In wall time: what takes longer is given up, as is a flight from which nothing can be made."""


class Keeping:
    """Makes versions of places from flights. One per active coordinator."""

    def __init__(self, services: Services, store: Path, dem: Path) -> None:
        self._services, self._store, self._dem = services, store, dem
        self._tried: set[str] = set()

    async def run(self) -> None:
        """Make baselines for ever."""
        while True:
            await asyncio.sleep(max(LEAST_S, EVERY_S / self._services.clock.speed))
            await self.once()

    async def once(self) -> None:
        """Make the baselines of all flights that are due."""
        for sortie, frames in await self._due():
            self._tried.add(sortie.id)
            try:
                await self._make(sortie, frames)
            except (OSError, TimeoutError) as error:
                log.warning("no baseline made", sortie=sortie.id, error=str(error) or "it took too long")

    async def _due(self) -> list[tuple[SortieRow, Sequence[FrameRow]]]:
        """Return the flights that are over and searched and were not tried yet, oldest first."""
        now = self._services.clock.now()
        over = SortieRow.state.in_(("done", "failed")) & (SortieRow.landed_at >= now - NEWS)
        async with self._services.database.read() as session:
            rows = (await session.scalars(select(SortieRow).where(over).order_by(SortieRow.landed_at))).all()
            due = []
            for row in rows:
                if row.id in self._tried:
                    continue
                query = select(FrameRow).where(FrameRow.sortie == row.id).order_by(FrameRow.taken_at)
                frames = (await session.scalars(query)).all()
                if _is_searched(row, frames, now):
                    due.append((row, frames))
        return due

    async def _make(self, sortie: SortieRow, frames: Sequence[FrameRow]) -> None:
        known = await asyncio.to_thread(lambda: list(Store(self._store).versions()))
        for place, pictures in of_places(self._services.site, sortie.demands, frames).items():
            if any(v.place == place and v.flight == sortie.id for v in known):
                continue
            async with self._files(pictures) as paths:
                words = ["--place", place, "--flight", sortie.id, "--dem", str(self._dem)]
                words += ["--store", str(self._store), "--pixel-m", f"{PIXEL_M:g}", "--keep", "1", "--gently"]
                code = await _ran(program("baseline", "add", *paths, *words))
            log.info("baseline", place=place, sortie=sortie.id, frames=len(pictures), made=code == 0)

    @contextlib.asynccontextmanager
    async def _files(self, pictures: Sequence[FrameRow]) -> AsyncIterator[list[str]]:
        """Yield the pictures as files: where they lie, or for as long as they are needed."""
        store = self._services.pictures
        if store.folder is not None:
            yield [str(store.folder / p.key) for p in pictures]
            return
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for picture in pictures:
                data = await store.get(picture.key)
                if data is not None:
                    path = Path(folder) / Path(picture.key).name
                    await asyncio.to_thread(path.write_bytes, data)
                    paths.append(str(path))
            yield paths


def _is_searched(sortie: SortieRow, frames: Sequence[FrameRow], now: datetime) -> bool:
    """Return whether all that will come of a flight is here and was searched."""
    if not frames or any(f.analysed_at is None for f in frames):
        return False
    late = sortie.landed_at is not None and now - sortie.landed_at > LATE
    return len(frames) >= sortie.shots_files or late


async def _ran(command: Sequence[str]) -> int:
    """Return how a program ended.

    Raises:
        TimeoutError: it took too long; it was stopped.
    """
    process = await start(command)
    try:
        async with asyncio.timeout(LONGEST_S):
            return await process.wait()
    finally:
        if process.returncode is None:
            await stop(process)
