"""What keeps a duty officer from drowning: mutes with owner and end, and the queue of the uncertain."""

from fastapi import APIRouter, Request, Response

from api import etags, views, views_work
from api.auth import Built, Operator, Watcher
from api.doers import on_alerts
from api.errors import BadRequest, Forbidden, IllegalMove, NotFound
from api.etags import IfMatch
from api.idempotency import creation_id
from api.mutes import check_length
from api.orders import By
from api.schemas import AlertOut
from api.schemas_work import Alarms, MuteIn, MuteOut, Mutes, NoteIn, ReviewOut, Reviews
from api.store import alerting, beats, muting
from api.store.alerting import Telling
from api.store.models import IncidentRow
from api.store.tables.orders import MuteRow, RouteRow
from missions.model import Hazard

router = APIRouter(tags=["alerts"])
watch_router = APIRouter(tags=["fleet"])


@router.get("/mutes")
async def list_mutes(caller: Watcher, built: Built) -> Mutes:
    """List the mutes that hold or will hold, those that end first first."""
    async with built.database.read() as session:
        rows = await muting.mutes_of(session, caller, now=built.clock.now())
    return Mutes(mutes=[views_work.mute(row) for row in rows])


@router.post("/mutes", status_code=201)
async def mute(wish: MuteIn, request: Request, response: Response, caller: Watcher, built: Built) -> MuteOut:
    """Say that one's agency wants to hear nothing of some hazards, somewhere or everywhere, until a time."""
    now, agency = built.clock.now(), wish.agency or caller.agency
    if agency is None or not caller.may_see(agency) or agency not in {a.id for a in built.site.agencies}:
        raise BadRequest("say for which agency: `agency`; an agency mutes for itself alone")
    if not on_alerts(caller, built.site).by & {By.OFFICER, By.CHIEF}:
        raise Forbidden("mutes are for officers and chiefs")
    if len({wish.lat_deg is None, wish.lon_deg is None, wish.radius_m is None}) != 1:
        raise BadRequest("a mute has a place with a radius, or none of the three")
    check_length(now, wish.ends_at)
    row = MuteRow(
        id=creation_id(request),
        agency=agency,
        hazards=sorted({hazard.value for hazard in wish.hazards}),
        lat_deg=wish.lat_deg,
        lon_deg=wish.lon_deg,
        radius_m=wish.radius_m,
        reason=wish.reason,
        owner=caller.name,
        begins_at=now,
        ends_at=wish.ends_at,
    )
    async with built.database.write() as session:
        session.add(row)
        await session.flush()
        return etags.tagged(response, views_work.mute(row))


@router.delete("/mutes/{mute_id}")
async def end_mute(
    mute_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> MuteOut:
    """End a mute now."""
    now = built.clock.now()
    if not on_alerts(caller, built.site).by & {By.OFFICER, By.CHIEF}:
        raise Forbidden("mutes are for officers and chiefs")
    async with built.database.write() as session:
        row = await muting.mute(session, mute_id, caller)
        etags.check_shown(if_match, views_work.mute(row))
        row.ends_at, row.ended_by = min(row.ends_at, now), caller.name
        await session.flush()
        return etags.tagged(response, views_work.mute(row))


@router.get("/review")
async def list_review(caller: Watcher, built: Built) -> Reviews:
    """List the incidents that were too uncertain to tell anybody of, the latest first."""
    async with built.database.read() as session:
        found = await alerting.waiting_for_review(session, caller)
    return Reviews(reviews=[_review(route, row, caller.knows) for route, row in found])


@router.post("/review/{incident_id}/raise")
async def raise_reviewed(
    incident_id: str,
    response: Response,
    caller: Watcher,
    built: Built,
    agency: str | None = None,
    if_match: IfMatch = None,
) -> AlertOut:
    """Say that it is real: the agency is told of it now as of any other."""
    async with built.database.write() as session:
        owner = _agency(caller.agency or agency)
        route, row = await alerting.reviewed(session, incident_id, owner, caller)
        etags.check_shown(if_match, _review(route, row, caller.knows))
        _check_waits(route.review)
        telling = Telling(built.site, built.clock.now(), built.options.public_url)
        alert = await alerting.raise_now(session, row, route, telling, by=caller.name)
        shown = views.alert(alert)
        response.headers["ETag"] = etags.etag(alert.version)
    built.feed.wake()
    return shown


@router.post("/review/{incident_id}/dismiss", status_code=204)
async def dismiss_reviewed(
    incident_id: str,
    wish: NoteIn,
    caller: Watcher,
    built: Built,
    agency: str | None = None,
    if_match: IfMatch = None,
) -> None:
    """Say that it is nothing; should it become surer by itself, the agency is told all the same."""
    async with built.database.write() as session:
        owner = _agency(caller.agency or agency)
        route, row = await alerting.reviewed(session, incident_id, owner, caller)
        etags.check_shown(if_match, _review(route, row, caller.knows))
        _check_waits(route.review)
        route.review, route.reviewed_by = "dismissed", caller.name
        route.reviewed_at = built.clock.now()


@watch_router.get("/alarms")
async def list_alarms(caller: Operator, built: Built) -> Alarms:
    """List who must be heard of (workers, drones, docks, feeds), the silent ones first."""
    async with built.database.read() as session:
        return Alarms(alarms=[views_work.alarm(row) for row in await beats.alarms(session)])


def _review(route: RouteRow, row: IncidentRow, knows: frozenset[Hazard]) -> ReviewOut:
    return ReviewOut(
        agency=route.agency,
        reason=route.reason,
        decided_at=route.decided_at,
        incident=views.incident(row, [], knows=knows),
    )


def _agency(agency: str | None) -> str:
    if agency is None:
        raise BadRequest("say for which agency: `?agency=`")
    return agency


def _check_waits(review: str | None) -> None:
    if review is None:
        raise NotFound("review of incident", "this")
    if review != "waiting":
        raise IllegalMove("review", review, "settle", [])
