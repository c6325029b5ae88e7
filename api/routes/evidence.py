"""Evidence packages, legal holds, and what a picture has been through."""

import asyncio
import importlib.metadata
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import audit, etags, evidence, showing, views
from api.auth import Built, Watcher
from api.discretion import is_rough
from api.errors import Conflict, Forbidden, NotFound
from api.etags import IfMatch
from api.schemas_delivery import HoldIn, HoldOut
from api.services import Services
from api.store import alerting, custody, frames, holding, incidents
from api.store.models import DetectionRow, FrameRow, IncidentRow, ObservationRow
from api.store.tables.delivery import HoldRow
from api.store.tokens import Caller

router = APIRouter(tags=["evidence"])

MOST_PICTURES = 40
"""Of one package: the best ones; the manifest names all looks."""


@router.get("/alerts/{alert_id}/evidence.zip", response_class=Response)
async def package(alert_id: str, caller: Watcher, built: Built, as_flown: bool = False) -> Response:
    """Give the evidence of an alert as one signed file; `gridpatrol evidence verify FILE` proves it.

    Pictures are as flown where the caller may see all of them, for people of an agency on
    `as_flown` (audited), else coarse outside the incident.
    """
    if built.signer is None:
        raise Conflict("this service has no key to sign evidence with")
    async with built.database.read() as session:
        alert = await alerting.alert(session, alert_id, caller)
        alert_told = views.plain(views.alert(alert))
        incident, looks = await incidents.incident(session, alert.incident, caller)
        if is_rough(incident.hazard, caller.knows):
            raise Forbidden("pictures tell where animals are, which this site tells only those it trusts")
        steps = await alerting.steps(session, alert_id)
        shown = await _frames(session, incident, looks, caller)
        logs = await custody.logs(session, [row.id for row, _ in shown], caller)
    files: dict[str, bytes] = {}
    pictures = []
    for row, found in shown:
        pictures.append(await _picture(built, caller, row, found, logs.get(row.id, []), files, as_flown))
    facts = {
        "made_at": built.clock.now().isoformat(),
        "made_for": {"name": caller.name, "role": caller.role.value, "agency": caller.agency},
        "program": f"gridpatrol {importlib.metadata.version('gridpatrol')}",
        "site": built.site.id,
        "alert": alert_told,
        "told": alert.history,
        "steps": [
            {"at": s.at.isoformat(), "act": s.act, "state": s.state, "by": s.by, "note": s.note}
            for s in steps
        ],
        "incident": views.plain(views.incident(incident, [alert.agency], knows=caller.knows)),
        "reasons": [views.plain(views.observation(look, knows=caller.knows)) for look in looks],
        "models": sorted({look.detector for look in looks}),
        "pictures": pictures,
    }
    data = await asyncio.to_thread(evidence.packed, facts, files, built.signer)
    async with built.database.write() as session:
        details = {
            "pictures": len(pictures),
            "as_flown": sum(p["form"] == evidence.AS_FLOWN for p in pictures),
        }
        await audit.record(
            session,
            audit.actor_of(caller),
            "evidence.export",
            alert_id,
            now=built.clock.now(),
            details=details,
        )
        for row, _ in shown:
            # Of which alert is said by the audit trail alone: the log goes to other agencies as well.
            act = "put into an evidence package"
            await custody.add(session, row.id, act, caller, now=built.clock.now())
    headers = {"Content-Disposition": f'attachment; filename="evidence-{alert_id}.zip"'}
    return Response(data, media_type="application/zip", headers=headers)


@router.post("/incidents/{incident_id}/hold")
async def hold(
    incident_id: str,
    wish: HoldIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> HoldOut:
    """Keep all that belongs to an incident until the hold is lifted, whatever its age."""
    async with built.database.write() as session:
        await incidents.check_own(session, incident_id, caller)
        await _check(session, incident_id, if_match)
        row = await holding.place(session, incident_id, caller, reason=wish.reason, now=built.clock.now())
    return etags.tagged(response, _shown(row))


@router.post("/incidents/{incident_id}/hold/lift")
async def lift(
    incident_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> HoldOut:
    """Let an incident's pictures age again."""
    async with built.database.write() as session:
        await incidents.check_own(session, incident_id, caller)
        await _check(session, incident_id, if_match)
        row = await holding.lift(session, incident_id, caller, now=built.clock.now())
    return etags.tagged(response, _shown(row))


async def _check(session: AsyncSession, incident: str, if_match: str | None) -> None:
    """Return when the hold is the one the caller has read."""
    there = await session.get(HoldRow, incident, with_for_update=True)
    etags.check_shown(if_match, _shown(there) if there else None)


async def _frames(
    session: AsyncSession, incident: IncidentRow, looks: Sequence[ObservationRow], caller: Caller
) -> list[tuple[FrameRow, Sequence[DetectionRow]]]:
    """Return the frames that show an incident best, the best one first, with what was found in them."""
    best = sorted(looks, key=lambda look: (look.frame != incident.best_frame, -look.confidence, look.id))
    wanted = list(dict.fromkeys(look.frame for look in best if look.frame))[:MOST_PICTURES]
    rows = {row.id: row for row in await session.scalars(select(FrameRow).where(FrameRow.id.in_(wanted)))}
    found = await frames.detections_of(session, wanted, caller)
    return [(rows[frame], found.get(frame, [])) for frame in wanted if frame in rows]


async def _picture(
    built: Services,
    caller: Caller,
    row: FrameRow,
    found: Sequence[DetectionRow],
    log: Sequence[dict[str, str]],
    files: dict[str, bytes],
    as_flown: bool,
) -> dict[str, Any]:
    """Put a picture and its marked copy into the files and return what the manifest says of it."""
    told = _told(built, row, log)
    try:
        shown = await showing.picture(built, row, found, caller, whole=as_flown)
    except (NotFound, Conflict) as error:
        return {**told, "form": "not kept", "reason": str(error)}
    name = f"pictures/{row.id}{shown.ending}"
    files[name] = shown.data
    told |= {"file": name, "form": evidence.AS_FLOWN if shown.is_as_flown else evidence.REDUCED}
    told |= {"reduction": shown.reduction} if shown.reduction else {}
    try:
        marked = f"marked/{row.id}.jpg"
        files[marked] = await showing.marked_picture(built, row, found, caller)
        told["marked"] = marked
    except Conflict as error:
        told["not_marked"] = str(error)
    return told


def _told(built: Services, row: FrameRow, log: Sequence[dict[str, str]]) -> dict[str, Any]:
    drone = next((d for d in built.site.drones if d.id == row.drone), None)
    dock = next((d for d in built.site.docks if drone and d.id == drone.dock), None)
    before = [
        {"at": row.taken_at.isoformat(), "act": "taken", "by": f"drone {row.drone}, sortie {row.sortie}"},
        {"at": row.received_at.isoformat(), "act": "kept, its hash compared", "by": f"gateway {row.gateway}"},
    ]
    if row.analysed_at:
        before.append({"at": row.analysed_at.isoformat(), "act": "searched", "by": "analyst"})
    return {
        "frame": row.id,
        "name": row.name,
        "bytes": row.bytes,
        "sha256_at_capture": row.sha256,
        "hashed_by": f"gateway {row.gateway}, on fetching it from the drone",
        "taken_at": row.taken_at.isoformat(),
        "clock": {
            "source": drone.clock if drone and drone.clock else "not stated in the site file",
            "received_at": row.received_at.isoformat(),
            "behind_s": (row.received_at - row.taken_at).total_seconds(),
        },
        "pose": row.pose,
        "footprint": row.footprint,
        "sensor": row.sensor,
        "shot": row.shot,
        "sortie": row.sortie,
        "drone": {
            "id": row.drone,
            "serial": drone.serial if drone else None,
            "model": drone.model if drone else None,
        },
        "dock": {"id": dock.id if dock else None, "serial": dock.serial if dock else None},
        "before_custody": before,
        "custody": list(log),
    }


def _shown(row: HoldRow) -> HoldOut:
    return HoldOut(**{name: getattr(row, name) for name in HoldOut.model_fields})
