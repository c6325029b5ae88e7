"""The files of stored baselines; what there are is listed by STAC (`/stac/collections/baselines`)."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Path as InPath

from api import audit, showing
from api.auth import Built, Watcher
from api.errors import Forbidden, NotFound
from api.opendata.baselines import ORTHOPHOTO, Stored, coarse, stored
from api.schemas import BaselineOut, ConfirmIn
from api.services import Services
from api.store.tokens import Caller
from vision.baselines.store import Store

router = APIRouter(tags=["frames"])

Named = Annotated[str, InPath(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
_PRIVATE = {"Cache-Control": "private, max-age=3600"}


@router.get("/baselines/{place}/{version}/{layer}.tif", response_class=Response)
async def raster(
    place: Named, version: Named, layer: Named, caller: Watcher, built: Built, as_flown: bool = False
) -> Response:
    """Give one layer of a stored baseline as a GeoTIFF.

    The orthophoto comes coarse to agencies, half a metre a pixel, for it shows people too; a person of
    an agency may ask for all of it by `as_flown`, which is audited.
    """
    found = await asyncio.to_thread(stored, built.options.baselines, built.site, caller)
    one = next((s for s in found if (s.version.place, s.version.version) == (place, version)), None)
    if one is None or layer not in dict(one.files):
        raise NotFound("baseline", f"{place} {version} {layer}")
    data = await _whole(one, layer, caller, built) if as_flown else await _given(one, layer, caller)
    return Response(data, media_type="image/tiff", headers=_PRIVATE)


@router.post("/baselines/{place}/{version}/confirm")
async def confirm(
    place: Named, version: Named, wish: ConfirmIn, caller: Watcher, built: Built
) -> BaselineOut:
    """Let a version stand in place of the one before it: from the next frame on, that is how the place was.

    The operator may, and an agency whose ground it all is.
    """
    root = built.options.baselines
    found = await asyncio.to_thread(stored, root, built.site, caller)
    names = {(s.version.place, s.version.version) for s in found}
    if root is None or (place, version) not in names:
        raise NotFound("baseline", f"{place} {version}")
    if not showing.may_see_whole(caller):
        raise Forbidden(f"baselines are confirmed by persons, or by keys with the scope {showing.UNBLURRED}")
    now = built.clock.now()
    async with built.database.write() as session:
        details = {"version": version, "person": wish.person}
        await audit.record(
            session, audit.actor_of(caller), "baseline.confirm", place, now=now, details=details
        )
    chosen = await asyncio.to_thread(Store(root).confirm, place, version, by=wish.person, now=now)
    return BaselineOut(place=chosen.place, version=chosen.version, standing=chosen.standing)


async def _whole(one: Stored, layer: str, caller: Caller, built: Services) -> bytes:
    if not showing.may_see_whole(caller):
        raise Forbidden(f"whole pictures are for persons, or for keys with the scope {showing.UNBLURRED}")
    if layer == ORTHOPHOTO and not caller.is_operator:
        async with built.database.write() as session:
            actor, now = audit.actor_of(caller), built.clock.now()
            await audit.record(session, actor, "baseline.unblur", one.id, now=now)
    return await asyncio.to_thread((one.folder / f"{layer}.tif").read_bytes)


async def _given(one: Stored, layer: str, caller: Caller) -> bytes:
    file = one.folder / f"{layer}.tif"
    if caller.is_operator or layer != ORTHOPHOTO:
        return await asyncio.to_thread(file.read_bytes)
    return await asyncio.to_thread(_coarse, file)


def _coarse(file: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / file.name
        coarse(file, made)
        return made.read_bytes()
