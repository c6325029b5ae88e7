"""Frames on their way: fetched off the drone, spooled here, handed over until accepted.

A frame is in the journal from the moment its file lies here whole, so a cut
uplink or a killed process delays it and loses nothing.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from fleet.journal import Journal, Spooled
from fleet.media import MediaSource, file_name
from fleet.messages import PictureTaken
from missions.clock import Clock

FRAMES = uuid.UUID("6f8f9c8e-6a58-5a3e-9d0b-2a7f8f0f6c11")
HandOver = Callable[[dict[str, Any], Path], Awaitable[None]]

_WORKERS = 4
_FIRST_PAUSE_S = 0.5  # wall seconds: the uplink is real
_LONGEST_PAUSE_S = 30.0
_SENSORS = {100: "rgb", 101: "thermal"}  # MAVLink camera components 1 and 2
UNPLANNED = 1_000_000
"""Pictures that no plan holds are counted from here, by their camera's own numbers: both eyes' alike."""

_log = structlog.get_logger()


@dataclass(slots=True)
class Haul:
    """The files of one sortie: how many are here, which could not be fetched."""

    sortie: str
    drone: str
    files: int = 0
    wanted: set[tuple[int, int]] = field(default_factory=set)
    lost: dict[tuple[int, int], tuple[PictureTaken, int | None]] = field(default_factory=dict)


class Frames:
    """All frames of one gateway. `run` must be running."""

    def __init__(
        self,
        *,
        gateway: str,
        folder: Path,
        clock: Clock,
        media: MediaSource,
        journal: Journal,
        hand_over: HandOver,
    ) -> None:
        self._gateway = gateway
        self._folder = folder
        self._clock = clock
        self._media = media
        self._journal = journal
        self._hand_over = hand_over
        self._to_fetch: asyncio.Queue[tuple[Haul, PictureTaken, int | None]] = asyncio.Queue()
        self._to_hand_over: asyncio.Queue[Spooled] = asyncio.Queue()
        self._refused: asyncio.PriorityQueue[tuple[int, int, Spooled]] = asyncio.PriorityQueue()

    async def run(self) -> None:
        """Fetch and hand over until cancelled, beginning with what an earlier run left."""
        for spooled in self._journal.frames_to_hand_over():
            self._to_hand_over.put_nowait(spooled)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hand_over_refused())
            for _ in range(_WORKERS):
                group.create_task(self._fetch_all())
                group.create_task(self._hand_over_all())

    async def empty(self) -> None:
        """Wait until everything spooled has been accepted."""
        await self._to_hand_over.join()

    def want(self, haul: Haul, record: PictureTaken, shot: int | None) -> None:
        """Fetch a picture unless it is here or on its way."""
        key = (record.component, record.index)
        if key in haul.wanted:
            return
        haul.wanted.add(key)
        if self._journal.has_picture(haul.sortie, *key):
            haul.files += 1
        else:
            self._to_fetch.put_nowait((haul, record, shot))

    def want_lost(self, haul: Haul) -> None:
        """Try once more what could not be fetched."""
        lost, haul.lost = haul.lost, {}
        for record, shot in lost.values():
            self._to_fetch.put_nowait((haul, record, shot))

    async def _fetch_all(self) -> None:
        while True:
            haul, record, shot = await self._to_fetch.get()
            try:
                await self._fetch(haul, record, shot)
            except Exception as error:  # whatever a camera says; a full disk
                haul.lost[record.component, record.index] = (record, shot)
                _log.warning("picture not fetched", sortie=haul.sortie, url=record.url, error=str(error))

    async def _fetch(self, haul: Haul, record: PictureTaken, shot: int | None) -> None:
        folder = self._folder / _harmless(haul.sortie)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        name = file_name(record.url)  # two folders of a camera may both hold it
        path = folder / f"{record.component}-{record.index}-{name}"
        await self._media.fetch(record.url, path)
        digest, size = await asyncio.to_thread(_digest, path)
        if self._journal.has_name(haul.sortie, name):
            name = path.name
        meta = self._meta(haul, record, shot) | {"sha256": digest, "name": name, "bytes": size}
        self._journal.spool(meta, path, camera=record.component, picture=record.index)
        haul.files += 1
        self._to_hand_over.put_nowait(Spooled(meta["id"], meta, path))

    async def _hand_over_all(self) -> None:
        while True:
            await self._hand_over_one(await self._to_hand_over.get(), 0)

    async def _hand_over_refused(self) -> None:
        """Try again what was refused, one at a time, what was refused least first."""
        pause_s = 0.0
        while True:
            times, _, spooled = await self._refused.get()
            is_done = await self._hand_over_one(spooled, times)
            pause_s = 0.0 if is_done else min(_LONGEST_PAUSE_S, pause_s * 2 + _FIRST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _hand_over_one(self, spooled: Spooled, times: int) -> bool:
        """Hand a frame over that was refused so many times; return whether it is done with."""
        try:
            if spooled.path.exists():
                await self._hand_over(spooled.meta, spooled.path)
                self._journal.frame_accepted(spooled.id)
                await asyncio.to_thread(spooled.path.unlink, missing_ok=True)
            else:
                _log.error("spooled frame is gone", frame=spooled.id, path=str(spooled.path))
        except Exception as error:  # whatever the uplink's trouble is, the frame is kept
            _log.warning(
                "a frame is not accepted: it is kept and tried again behind the others",
                frame=spooled.id,
                times=times + 1,
                error=str(error),
            )
            self._refused.put_nowait((times + 1, id(spooled), spooled))
            return False
        self._to_hand_over.task_done()
        return True

    def _meta(self, haul: Haul, record: PictureTaken, shot: int | None) -> dict[str, Any]:
        is_told = 0 < record.taken_us < 32_503_680_000_000_000  # the year 3000
        taken_at = datetime.fromtimestamp(record.taken_us / 1e6, UTC) if is_told else self._clock.now()
        return {
            "id": str(uuid.uuid5(FRAMES, f"{haul.sortie}/{record.component}/{record.index}")),
            "gateway": self._gateway,
            "drone": haul.drone,
            "sortie": haul.sortie,
            "shot": shot if shot is not None else UNPLANNED + record.index,
            "sensor": sensor_of(record),
            "taken_at": taken_at.isoformat(),
            "pose": _pose(record),
        }


def sensor_of(record: PictureTaken) -> str:
    """Return which sensor took a picture, by its camera's component or else by its file."""
    known = _SENSORS.get(record.component)
    if known is not None:
        return known
    return "thermal" if file_name(record.url).lower().endswith((".tif", ".tiff")) else "rgb"


def _pose(record: PictureTaken) -> Mapping[str, float] | None:
    heading, pitch, roll = record.heading_deg, record.pitch_deg, record.roll_deg
    if heading is None or pitch is None or roll is None or (record.lat_deg == 0 and record.lon_deg == 0):
        return None
    return {
        "lat_deg": record.lat_deg,
        "lon_deg": record.lon_deg,
        "altitude_m": record.altitude_m,
        "heading_deg": heading,
        "pitch_deg": pitch,
        "roll_deg": roll,
    }


def _digest(path: Path) -> tuple[str, int]:
    data = path.read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data)


def _harmless(name: str) -> str:
    return file_name(name.replace("/", "_"))
