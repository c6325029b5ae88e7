"""Which form of a picture a caller gets: as flown, or coarse outside the incident (`api.privacy`).

The operator's people fly the cameras and see what they took. At an agency only
a person who is logged in, or a key made for it (scope `unblurred:read`), may ask
for the whole picture, and each time it is written into the audit trail and into
the picture's custody log. Everybody else gets the reduced form without asking.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2

from api import audit
from api.analysis import detection_from_row
from api.errors import Conflict, Forbidden, NotFound
from api.privacy import is_telling, reduced_jpeg
from api.services import Services
from api.store import custody
from api.store.models import DetectionRow, FrameRow
from api.store.tokens import Caller, Role
from vision.calibration import crops
from vision.errors import Unreadable
from vision.frame import load
from vision.inspection import FrameResult, marked

UNBLURRED = "unblurred:read"
TYPES = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as one caller gets it."""

    data: bytes
    media_type: str
    ending: str
    is_as_flown: bool
    reduction: dict[str, object] | None = None  # how it was reduced, where it was


def may_see_whole(caller: Caller) -> bool:
    """Return whether a caller has the right to people and plates outside the incident."""
    if caller.is_operator:
        return True
    is_person = caller.account is not None and caller.scopes is None
    return caller.role is Role.AGENCY and (is_person or UNBLURRED in (caller.scopes or ()))


async def picture(
    built: Services, row: FrameRow, found: Sequence[DetectionRow], caller: Caller, *, whole: bool
) -> Shown:
    """Return a frame's picture; `whole` asks for all of it as flown.

    Raises:
        Forbidden: the caller has no right to the whole picture.
        NotFound: its bytes are no longer kept.
        Conflict: it cannot be reduced, being no picture.
    """
    if whole and not may_see_whole(caller):
        raise Forbidden(
            "people and plates outside the incident are for persons who are logged in, "
            f"or for keys with the scope {UNBLURRED}"
        )
    data = await _bytes(built, row)
    if whole or caller.is_operator or not is_telling(row):
        ending = PurePosixPath(row.key).suffix
        if not caller.is_operator and is_telling(row):
            await _note(built, row, caller)
        return Shown(data, TYPES.get(ending, "application/octet-stream"), ending, True)
    coarse = await asyncio.to_thread(reduced_jpeg, data, row, found)
    if coarse is None:
        raise Conflict(f"frame {row.id} is no picture that can be shown")
    return Shown(coarse.jpeg, "image/jpeg", ".jpg", False, coarse.told)


async def marked_picture(
    built: Services, row: FrameRow, found: Sequence[DetectionRow], caller: Caller
) -> bytes:
    """Return a frame's picture with what was found drawn into it, as a JPEG.

    The operator's is drawn once and kept; an agency's shows what that agency may see, and is not.

    Raises:
        NotFound: its bytes are no longer kept.
        Conflict: it cannot be drawn.
    """
    key = f"marked/{row.id[:2]}/{row.id}.jpg"
    drawn = await built.pictures.get(key) if caller.is_operator else None
    if drawn is None:
        shown = await picture(built, row, found, caller, whole=False)
        drawn = await asyncio.to_thread(_draw, shown, row, found)
        if caller.is_operator:
            await built.pictures.put(key, drawn)
    return drawn


async def crop(
    built: Services, row: FrameRow, found: Sequence[DetectionRow], caller: Caller, which: DetectionRow
) -> bytes | None:
    """Return the surroundings of one detection as a JPEG, None where its picture is gone or shows nothing."""
    try:
        shown = await picture(built, row, found, caller, whole=False)
    except (NotFound, Conflict):
        return None
    return await asyncio.to_thread(_cut, shown, which)


async def _bytes(built: Services, row: FrameRow) -> bytes:
    data = await built.pictures.get(row.key)
    if data is None:
        raise NotFound("picture of frame", row.id)
    return data


async def _note(built: Services, row: FrameRow, caller: Caller) -> None:
    """Write down that somebody outside saw the whole picture."""
    now = built.clock.now()
    async with built.database.write() as session:
        await audit.record(session, audit.actor_of(caller), "picture.unblur", row.id, now=now)
        await custody.add(session, row.id, f"shown as flown to {caller.name}", caller, now=now)


def _draw(shown: Shown, row: FrameRow, found: Sequence[DetectionRow]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"frame{shown.ending}"
        file.write_bytes(shown.data)
        result = FrameResult(row.name, detections=tuple(detection_from_row(d) for d in found))
        try:
            return marked(file, result)
        except Unreadable as error:
            raise Conflict(f"frame {row.id} cannot be drawn: {error}") from None


def _cut(shown: Shown, which: DetectionRow) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"frame{shown.ending}"
        file.write_bytes(shown.data)
        try:
            part = crops.crop(load(file), detection_from_row(which))
        except Unreadable:
            return None
    is_written, out = cv2.imencode(".jpg", part)
    return out.tobytes() if is_written else None
