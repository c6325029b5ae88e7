"""How a picture comes in: object put, row committed, published with a message id, in that order.

Killed after the first step, the gateway sends the picture again over the same
key; after the second, the row is found unpublished and published then. So an
answer of 201 or 200 is a promise, and the gateway may delete its copy.
"""

import hashlib
import re
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError
from structlog.stdlib import get_logger

from api.errors import BadRequest
from api.plain import check
from api.schemas import FrameIn
from api.services import Services
from api.store import frames
from api.store.models import FrameRow
from fleet.frames import UNPLANNED
from missions.errors import WorkFailed

log = get_logger(__name__)


def parsed(meta: str) -> FrameIn:
    """Return what a gateway says of a picture.

    Raises:
        BadRequest: it is not what a frame's meta must be.
    """
    try:
        told = FrameIn.model_validate_json(meta)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'meta'}: {fault['msg']}" for fault in error.errors()]
        raise BadRequest("; ".join(faults)) from None
    check(told.model_dump(), "meta")
    return told


async def take_in(services: Services, meta: FrameIn, data: bytes) -> bool:
    """Keep a picture and pass it on; return False when it was kept already.

    Raises:
        BadRequest: the bytes are not those the meta tells of.
        Conflict: the id is taken by another picture.
    """
    if len(data) != meta.bytes or hashlib.sha256(data).hexdigest() != meta.sha256:
        raise BadRequest(f"the file of {len(data)} bytes is not the one that meta tells of: send it again")
    async with services.database.read() as session:
        if await frames.known_frame(session, meta):
            return False
    key = _key(meta)
    await services.pictures.put(key, data)
    async with services.database.write() as session:
        # Another copy of this process may have been faster, perhaps with other bytes.
        is_new = not await frames.known_frame(session, meta) and await frames.accept_frame(
            session, meta, key=key, now=services.clock.now()
        )
    if is_new:
        await _publish(services, str(meta.id))
    return is_new


async def publish_waiting(services: Services) -> int:
    """Publish the frames that a crash or a bus that was down left behind; return how many.

    For the start of the API and every now and then; the message id makes it harmless to repeat.
    """
    async with services.database.read() as session:
        waiting = await frames.unpublished(session)
    return sum([await _publish(services, frame_id) for frame_id in waiting])


async def _publish(services: Services, frame_id: str) -> bool:
    async with services.database.read() as session:
        row = await frames.frame(session, frame_id)
        other = await frames.other_eye(session, row)
    message = _told(row) | {"other": _told(other) if other else None}
    try:
        # What no plan holds was taken of something that is followed: its next place is waited for.
        way = "first" if row.shot >= UNPLANNED else "new"
        await services.publish(f"frames.{way}.{row.id}", message, row.id)
    except (WorkFailed, TimeoutError, OSError) as error:
        # The row is kept and says so: it is published later.
        log.warning("frame not yet published", frame=row.id, error=str(error))
        return False
    async with services.database.write() as session:
        await frames.mark_published(session, row.id, now=services.clock.now())
    return True


def _told(row: FrameRow) -> dict[str, Any]:
    """Return what an analyst is told of a frame."""
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "sensor": row.sensor,
        "drone": row.drone,
        "sortie": row.sortie,
        "shot": row.shot,
        "taken_at": row.taken_at.isoformat(),
        "pose": row.pose,
    }


def _key(meta: FrameIn) -> str:
    """Return where a picture is kept; nothing of what the gateway wrote but a plain file ending goes in."""
    ending = PurePosixPath(meta.name).suffix.lower()
    safe = ending if re.fullmatch(r"\.[a-z0-9]{1,5}", ending) else ".bin"
    return f"frames/{str(meta.id)[:2]}/{meta.id}{safe}"
