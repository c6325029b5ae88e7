"""Reports of residents and rangers in our own words; `routes/open311.py` says the same in Open311's."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.datastructures import UploadFile

from api import auth, etags, reporting
from api.auth import Built, Watcher, address_of
from api.doers import on_orders
from api.errors import BadRequest, Conflict
from api.etags import IfMatch
from api.idempotency import creation_id
from api.orders import By
from api.plain import left_out
from api.reports import ReportAct, ReportState
from api.schemas_reports import Points, RateIn, ReportOut, ReportReceipt, Reports, TrackedReport
from api.schemas_work import NoteIn
from api.store import incidents, orders
from api.store import reports as kept
from api.store.tables.orders import ReportRow
from api.store.tokens import Caller, Role

router = APIRouter(tags=["reports"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["service_code", "lat", "long"],
                    "properties": {
                        "service_code": {"type": "string", "enum": ["fire", "smoke", "burning", "flood"]},
                        "lat": {"type": "string"},
                        "long": {"type": "string"},
                        "description": {"type": "string"},
                        "datum": {"type": "string"},
                        "reporter": {"type": "string", "description": "for points; kept as a pseudonym"},
                        "file": {"type": "string", "format": "binary"},
                    },
                },
                "example": {"service_code": "smoke", "lat": "30.281", "long": "119.42", "description": "烟"},
            }
        },
    },
}


async def maybe(
    request: Request,
    built: Built,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(auth._bearer)],
    cookie: Annotated[str | None, Depends(auth._cookie)],
) -> Caller | None:
    """Return who calls, None for somebody without a token, who may ask less often."""
    if bearer is None and cookie is None:
        built.rates.count_stranger(address_of(request))
        return None
    return await auth.caller(request, built, bearer, cookie)


MaybeCaller = Annotated[Caller | None, Depends(maybe)]


@router.post("/reports", status_code=201, openapi_extra=_FORM)
async def report(request: Request, caller: MaybeCaller, built: Built) -> ReportReceipt:
    """Report something: open to everybody. The tracking code in the answer is shown this once."""
    fields, photo = await form_of(request)
    taken = await reporting.take_in(
        built, fields, photo=photo, is_ranger=is_ranger(caller), report_id=creation_id(request)
    )
    return ReportReceipt(
        id=taken.row.id,
        code=taken.code,
        state=taken.row.state,
        agency=taken.row.agency,
        repaired=list(taken.repaired),
    )


@router.get("/reports")
async def list_reports(caller: Watcher, built: Built, state: ReportState | None = None) -> Reports:
    """List the reports that one's agency answers, the latest first."""
    async with built.database.read() as session:
        rows = await kept.reports_of(session, caller, state=state)
    return Reports(reports=[shown(row) for row in rows])


@router.get("/reports/track/{code}")
async def track(code: str, request: Request, built: Built) -> TrackedReport:
    """Give a report's steps to whoever has its tracking code."""
    built.rates.count_stranger(address_of(request))
    async with built.database.read() as session:
        return tracked(await kept.by_code(session, code))


@router.post("/reports/track/{code}/rate")
async def rate(code: str, wish: RateIn, request: Request, built: Built) -> TrackedReport:
    """Rate how a report was dealt with, as its reporter; nobody waits for it."""
    built.rates.count_stranger(address_of(request))
    async with built.database.write() as session:
        row = await kept.by_code(session, code)
        by = frozenset({By.REPORTER})
        row = await kept.act(
            session,
            row,
            ReportAct.RATE,
            by=by,
            name="reporter",
            now=built.clock.now(),
            note=wish.comment,
            rating=wish.rating,
        )
        return tracked(row)


@router.get("/reports/track/{code}/points")
async def points(code: str, request: Request, built: Built) -> Points:
    """Give what the reporter of a report has earned by all that proved true, and what by this one.

    Who names somebody else as the reporter learns of that one's other reports nothing but the sum.
    """
    built.rates.count_stranger(address_of(request))
    async with built.database.read() as session:
        row = await kept.by_code(session, code)
        ledger = await kept.ledger(session, row.reporter) if row.reporter else []
    entries = [
        {"report": e.report, "points": e.points, "reason": e.reason, "at": e.at}
        for e in ledger
        if e.report == row.id
    ]
    return Points(total=sum(e.points for e in ledger), entries=entries)


@router.get("/reports/{report_id}")
async def one_report(report_id: str, response: Response, caller: Watcher, built: Built) -> ReportOut:
    """Give one report; its ETag goes into If-Match of what changes it."""
    async with built.database.read() as session:
        row = await kept.report(session, report_id, caller)
    response.headers["ETag"] = etags.etag(row.version)
    return shown(row)


@router.post("/reports/{report_id}/accept")
async def accept(
    report_id: str,
    wish: NoteIn,
    request: Request,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> ReportOut:
    """Accept a report: a work order is made of it, or the one on its incident serves it too."""
    now, doer = built.clock.now(), on_orders(caller, built.site)
    async with built.database.write() as session:
        row = await kept.report(session, report_id, caller)
        etags.check(if_match, row.version)
        if row.incident is None or row.agency is None:
            raise Conflict("this report lies on nobody's ground: there is no order to make of it")
        incident, _ = await incidents.incident(session, row.incident, caller)
        mine = await orders.orders_of(session, caller, incident=incident.id)
        order = next((o for o in mine if o.agency == row.agency and o.state not in ("closed", "rated")), None)
        if order is None:
            order = await orders.create(
                session, incident, row.agency, doer, now=now, order_id=creation_id(request), note=wish.note
            )
        row = await kept.act(
            session, row, ReportAct.ACCEPT, by=doer.by, name=doer.name, now=now, note=wish.note, order=order
        )
        await kept.follow(session, order, now=now)
        found = shown(await kept.report(session, row.id))
    built.feed.wake()
    return found


@router.post("/reports/{report_id}/reject")
async def reject(
    report_id: str, wish: NoteIn, caller: Watcher, built: Built, if_match: IfMatch = None
) -> ReportOut:
    """Reject a report and say why; its reporter reads it."""
    if not wish.note:
        raise BadRequest("reject needs `note`: the reporter is told why")
    doer = on_orders(caller, built.site)
    async with built.database.write() as session:
        row = await kept.report(session, report_id, caller)
        etags.check(if_match, row.version)
        now = built.clock.now()
        row = await kept.act(
            session, row, ReportAct.REJECT, by=doer.by, name=doer.name, now=now, note=wish.note
        )
        found = shown(row)
    built.feed.wake()
    return found


async def form_of(request: Request) -> tuple[dict[str, Any], bytes | None]:
    """Return a form's fields, without control characters, and its picture: no report is refused for those."""
    async with request.form(max_files=1, max_fields=40, max_part_size=64 * 1024) as form:
        fields = {name: left_out(value) for name, value in form.items() if isinstance(value, str)}
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        return fields, await files[0].read() if files else None


def is_ranger(caller: Caller | None) -> bool:
    """Return whether an agency's own people report."""
    return caller is not None and caller.role is Role.AGENCY


def shown(row: ReportRow) -> ReportOut:
    """Return a report as its agency sees it."""
    return ReportOut(
        **{
            name: getattr(row, name)
            for name in ReportOut.model_fields
            if name not in ("steps", "has_picture")
        },
        has_picture=row.picture is not None,
        steps=[{"state": s.state, "at": s.at, "by": s.by, "note": s.note} for s in row.steps],
    )


def tracked(row: ReportRow) -> TrackedReport:
    """Return a report as its reporter sees it: every step, and nobody's name."""
    return TrackedReport(
        state=row.state,
        service=row.service,
        place_name=row.place_name,
        rating=row.rating,
        received_at=row.received_at,
        steps=[{"state": s.state, "at": s.at, "note": s.note} for s in row.steps],
    )
