"""Open311 GeoReport v2: services, requests and tokens, in JSON and XML, for city hotlines and their apps.

http://wiki.open311.org/GeoReport_v2/. Mounted beside the API at /open311/v2. A report is made with
or without an `api_key` (one of our keys); what was reported is shown to keys that may see it, and a
single request also to whoever names it by its tracking code, which is its Open311 `token`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from lxml import etree

from api import reporting, reports
from api.auth import Built, Watcher
from api.errors import NotFound
from api.idempotency import creation_id
from api.plain import for_xml
from api.reports import ReportState
from api.routes.reports import MaybeCaller, form_of, is_ranger
from api.store import reports as kept
from api.store.tables.orders import ReportRow
from missions.words import named, text

router = APIRouter(prefix="/open311/v2", tags=["reports"])

Form = Literal["json", "xml"]
Language = Annotated[Literal["en-US", "zh-CN"], Query(description="the language of names and notes")]


@router.get("/services.{form}", response_class=Response)
async def services(form: Form, locale: Language = "en-US") -> Response:
    """List what can be reported."""
    rows = [_service(service, locale) for service in reports.SERVICES]
    return _answer(form, "services", "service", rows)


@router.get("/services/{code}.{form}", response_class=Response)
async def service(code: str, form: Form, locale: Language = "en-US") -> Response:
    """Define one kind of report; none of ours asks for more than a place and words."""
    found = reports.service(code)
    if found is None:
        raise NotFound("service", code)
    return _answer(
        form, "service_definitions", "service_definition", [{"service_code": code, "attributes": []}]
    )


@router.post("/requests.{form}", status_code=201, response_class=Response)
async def make(form: Form, request: Request, caller: MaybeCaller, built: Built) -> Response:
    """Report something; the notice in the answer holds the tracking code, which is shown this once."""
    fields, photo = await form_of(request)
    taken = await reporting.take_in(
        built, fields, photo=photo, is_ranger=is_ranger(caller), report_id=creation_id(request)
    )
    notice = text("report.notice", taken.row.language, code=taken.code)
    row = {"service_request_id": taken.row.id, "service_notice": notice, "account_id": taken.row.reporter}
    return _answer(form, "service_requests", "request", [row], status=201)


@router.get("/requests.{form}", response_class=Response)
async def listed(
    form: Form,
    caller: Watcher,
    built: Built,
    service_request_id: Annotated[str | None, Query(max_length=2000)] = None,
    service_code: Annotated[str | None, Query(max_length=100)] = None,
    status: Literal["open", "closed"] | None = None,
) -> Response:
    """List the requests that a key may see, the latest first."""
    async with built.database.read() as session:
        rows = await kept.reports_of(session, caller)
    wanted = set(service_request_id.split(",")) if service_request_id else None
    found = [
        row
        for row in rows
        if (wanted is None or row.id in wanted)
        and service_code in (None, row.service)
        and status in (None, _status(row))
    ]
    return _answer(form, "service_requests", "request", [_request(row) for row in found])


@router.get("/requests/{request_id}.{form}", response_class=Response)
async def one(request_id: str, form: Form, caller: MaybeCaller, built: Built) -> Response:
    """Give one request to a key that may see it, or to whoever names it by its tracking code."""
    async with built.database.read() as session:
        if caller is None:
            row = await kept.by_code(session, request_id)
        else:
            row = await kept.report(session, request_id, caller)
    return _answer(form, "service_requests", "request", [_request(row)])


@router.get("/tokens/{token}.{form}", response_class=Response)
async def token(token: str, form: Form, caller: MaybeCaller, built: Built) -> Response:
    """Give the request that a tracking code belongs to."""
    async with built.database.read() as session:
        row = await kept.by_code(session, token)
    return _answer(form, "service_requests", "request", [{"service_request_id": row.id, "token": token}])


def _service(service: reports.Service, language: str) -> dict[str, Any]:
    return {
        "service_code": service.code,
        "service_name": text(f"alert.event.{service.hazard}", language),
        "description": text(f"report.about.{service.group}", language),
        "metadata": "false",
        "type": "realtime",
        "keywords": service.hazard.value,
        "group": service.group,
    }


def _request(row: ReportRow) -> dict[str, Any]:
    last = row.steps[-1]
    return {
        "service_request_id": row.id,
        "status": _status(row),
        "status_notes": text(f"report.state.{row.state}", row.language)
        + (f" {last.note}" if last.note else ""),
        "service_name": text(f"alert.event.{row.hazard}", row.language),
        "service_code": row.service,
        "description": row.text,
        "agency_responsible": row.agency,
        "service_notice": None,
        "requested_datetime": row.received_at.isoformat(),
        "updated_datetime": row.changed_at.isoformat(),
        "address": named(row.place_name, row.language),
        "lat": row.lat_deg,
        "long": row.lon_deg,
    }


def _status(row: ReportRow) -> str:
    return "open" if ReportState(row.state).is_open else "closed"


def _answer(
    form: str, root: str, item: str, rows: Sequence[dict[str, Any]], *, status: int = 200
) -> Response:
    if form == "json":
        return JSONResponse(list(rows), status_code=status)
    top = etree.Element(root)
    for row in rows:
        entry = etree.SubElement(top, item)
        for name, value in row.items():
            field = etree.SubElement(entry, name)
            if value not in (None, []):
                field.text = for_xml(str(value))
    body = etree.tostring(top, xml_declaration=True, encoding="UTF-8")
    return Response(body, status_code=status, media_type="application/xml")
