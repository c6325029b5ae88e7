"""Pictures: handed in by gateways, looked at by people, as flown or with what was found marked."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from api import showing, views
from api.auth import Built, Gateway, Watcher
from api.errors import BadRequest, Conflict
from api.intake import parsed, take_in
from api.schemas import FRAME_EXAMPLE, FrameOut, Frames
from api.store import frames

router = APIRouter(tags=["frames"])

_PRIVATE = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["meta", "file"],
                    "properties": {
                        "meta": {"type": "string", "description": "a frame's meta as JSON"},
                        "file": {"type": "string", "format": "binary"},
                    },
                },
                "example": {"meta": json.dumps(FRAME_EXAMPLE), "file": "(the bytes of GP_0031_T.TIF)"},
            }
        },
    },
}


@router.post("/frames", status_code=201, openapi_extra=_FORM)
async def hand_in(request: Request, response: Response, caller: Gateway, built: Built) -> FrameOut:
    """Hand in a picture (fields `meta` and `file`): 201 when it is kept, 200 when it was kept before."""
    # Read here and not by a parameter, so that nothing is read from callers without the right.
    async with request.form(max_files=1, max_fields=1, max_part_size=64 * 1024) as form:
        meta, file = form.get("meta"), form.get("file")
        if not isinstance(meta, str) or not isinstance(file, UploadFile):
            raise BadRequest(
                "a frame is multipart/form-data with the text field meta and the file field file"
            )
        told, data = parsed(meta), await file.read()
    if not await take_in(built, told, data):
        response.status_code = 200
    async with built.database.read() as session:
        row = await frames.frame(session, str(told.id))
        return views.frame(row, await frames.detections(session, row.id))


@router.get("/frames")
async def list_frames(
    caller: Watcher,
    built: Built,
    sortie: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> Frames:
    """List frames, last taken first; an agency sees those of its ground and of its incidents."""
    async with built.database.read() as session:
        found = await frames.frames(session, caller, sortie=sortie, limit=limit)
    return Frames(frames=[views.frame(row, found_in, knows=caller.knows) for row, found_in in found])


@router.get("/frames/{frame_id}")
async def one_frame(frame_id: str, caller: Watcher, built: Built) -> FrameOut:
    """Give one frame with what was found in it."""
    async with built.database.read() as session:
        row = await frames.frame(session, frame_id, caller)
        detections = await frames.detections(session, frame_id, caller)
        return views.frame(row, detections, knows=caller.knows)


@router.get("/frames/{frame_id}/picture", response_class=Response)
async def picture(frame_id: str, caller: Watcher, built: Built, as_flown: bool = False) -> Response:
    """Give a picture: to the operator as flown, to agencies coarse outside the incident.

    A person of an agency may ask for all of it by `as_flown`; that is audited.
    """
    async with built.database.read() as session:
        row = await frames.frame(session, frame_id, caller)
        found = await frames.detections(session, frame_id, caller)
    shown = await showing.picture(built, row, found, caller, whole=as_flown)
    return Response(shown.data, media_type=shown.media_type, headers=_PRIVATE)


@router.get("/frames/{frame_id}/marked.jpg", response_class=Response)
async def marked_picture(frame_id: str, caller: Watcher, built: Built) -> Response:
    """Give the picture with what was found drawn into it."""
    async with built.database.read() as session:
        row = await frames.frame(session, frame_id, caller)
        found = await frames.detections(session, frame_id, caller)
    if row.analysed_at is None:
        raise Conflict(f"frame {frame_id} has not been looked at yet")
    drawn = await showing.marked_picture(built, row, found, caller)
    return Response(drawn, media_type="image/jpeg", headers=_PRIVATE)
