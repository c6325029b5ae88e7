"""Work orders: made, moved, worked on; the pictures from the ground; who leads."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from api import etags, ground_pictures, views_work
from api.auth import Built, Watcher
from api.doers import on_orders
from api.errors import BadRequest, NotFound
from api.etags import IfMatch
from api.idempotency import creation_id
from api.orders import Act, OrderState, Wish
from api.schemas_work import ActIn, LeadIn, LeadOut, NoteIn, OrderChange, OrderIn, OrderOut, Orders, TickIn
from api.services import Services
from api.store import incidents, orders
from api.store.orders import Doer
from api.store.tables.orders import LeadRow, OrderPictureRow, OrderRow
from api.store.tokens import Caller

router = APIRouter(tags=["orders"])

_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "example": {"file": "(the bytes of a JPEG)"},
            }
        },
    },
}


@router.post("/incidents/{incident_id}/orders", status_code=201)
async def make_order(
    incident_id: str, wish: OrderIn, request: Request, response: Response, caller: Watcher, built: Built
) -> OrderOut:
    """Make a work order of one's agency on an incident; the first one's agency leads the work on it."""
    now, doer = built.clock.now(), on_orders(caller, built.site)
    if caller.is_operator or (wish.agency or caller.agency) != caller.agency:
        raise BadRequest("an agency makes its own orders")
    async with built.database.write() as session:
        incident, _ = await incidents.incident(session, incident_id, caller)
        row = await orders.create(
            session,
            incident,
            str(caller.agency),
            doer,
            now=now,
            order_id=creation_id(request),
            respond_by=wish.respond_by,
            resolve_by=wish.resolve_by,
            note=wish.note,
        )
        shown = views_work.order(row, await orders.lead(session, row.incident), doer.by, now=now)
    built.feed.wake()
    response.headers["ETag"] = etags.etag(shown.version)
    return shown


@router.get("/orders")
async def list_orders(
    caller: Watcher,
    built: Built,
    state: OrderState | None = None,
    incident: Annotated[str | None, Query(max_length=100)] = None,
) -> Orders:
    """List the orders of one's agency, of incidents it leads and those shared with it, last changed first."""
    now, doer = built.clock.now(), on_orders(caller, built.site)
    async with built.database.read() as session:
        rows = await orders.orders_of(session, caller, state=state, incident=incident)
        shown = [await _shown(session, row, caller, doer, now) for row in rows]
    return Orders(orders=shown)


@router.get("/orders/{order_id}")
async def one_order(order_id: str, response: Response, caller: Watcher, built: Built) -> OrderOut:
    """Give one order with its history; its ETag goes into If-Match of what changes it."""
    async with built.database.read() as session:
        row = await orders.order(session, order_id, caller)
        shown = await _shown(session, row, caller, on_orders(caller, built.site), built.clock.now())
    response.headers["ETag"] = etags.etag(shown.version)
    return shown


@router.patch("/orders/{order_id}")
async def change_order(
    order_id: str,
    wish: OrderChange,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> OrderOut:
    """Change who works on an order and by when."""
    async with _Changing(built, caller, order_id, if_match, response) as changing:
        row = await orders.change(
            changing.session, changing.row, changing.doer, now=changing.now, **wish.model_dump()
        )
        return await changing.shown(row)


@router.post("/orders/{order_id}/notes")
async def add_note(
    order_id: str, wish: NoteIn, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> OrderOut:
    """Write a note into an order's history."""
    if not wish.note:
        raise BadRequest("a note has a text: `note`")
    async with _Changing(built, caller, order_id, if_match, response) as changing:
        row = await orders.note(changing.session, changing.row, wish.note, changing.doer, now=changing.now)
        return await changing.shown(row)


@router.put("/orders/{order_id}/checklist/{item}")
async def tick_item(
    order_id: str,
    item: str,
    wish: TickIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> OrderOut:
    """Tick an item off an order's checklist, or take the tick back."""
    async with _Changing(built, caller, order_id, if_match, response) as changing:
        row = await orders.tick(
            changing.session, changing.row, item, wish.done, changing.doer, now=changing.now
        )
        return await changing.shown(row)


@router.post("/orders/{order_id}/pictures", openapi_extra=_PICTURE)
async def add_picture(
    order_id: str,
    request: Request,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> OrderOut:
    """Put a picture from the ground (JPEG or PNG, field `file`) to an order."""
    async with request.form(max_files=1, max_fields=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadRequest("a picture is multipart/form-data with the file field file")
        data = await file.read()
    bare, kind = await asyncio.to_thread(ground_pictures.checked, data)
    digest = ground_pictures.sha256(bare)
    async with _Changing(built, caller, order_id, if_match, response) as changing:
        key = f"orders/{changing.row.id}/{digest[:32]}"
        await built.pictures.put(key, bare)
        picture = OrderPictureRow(
            id=f"{changing.row.id[:16]}{digest[:16]}",
            order=changing.row.id,
            key=key,
            kind=kind,
            sha256=digest,
            bytes=len(bare),
            by=changing.doer.name,
            at=changing.now,
        )
        row = await orders.add_picture(
            changing.session, changing.row, picture, changing.doer, now=changing.now
        )
        return await changing.shown(row)


@router.get("/orders/{order_id}/pictures/{picture_id}", response_class=Response)
async def picture(order_id: str, picture_id: str, caller: Watcher, built: Built) -> Response:
    """Give a picture from the ground."""
    async with built.database.read() as session:
        row = await orders.order(session, order_id, caller)
    found = next((p for p in row.pictures if p.id == picture_id), None)
    data = await built.pictures.get(found.key) if found else None
    if found is None or data is None:
        raise NotFound("picture", picture_id)
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=found.kind, headers=headers)


@router.post("/orders/{order_id}/{act}")
async def move_order(
    order_id: str,
    act: Act,
    wish: ActIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> OrderOut:
    """Move an order: dispatch, arrive, resolve, close, rate, reopen. 409 names the moves there are now."""
    async with _Changing(built, caller, order_id, if_match, response) as changing:
        row = await orders.act(
            changing.session,
            changing.row,
            act,
            Wish(wish.note, wish.assignee, wish.verdict, wish.rating),
            changing.doer,
            now=changing.now,
            watch=built.options.watch,
        )
        return await changing.shown(row)


@router.put("/incidents/{incident_id}/lead")
async def hand_on_lead(
    incident_id: str,
    wish: LeadIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> LeadOut:
    """Hand the lead of an incident to another agency that works on it; it then sees all orders there."""
    async with built.database.write() as session:
        await incidents.incident(session, incident_id, caller)
        there = await orders.lead(session, incident_id)
        etags.check_shown(if_match, _lead(there) if there else None)
        doer = on_orders(caller, built.site)
        row = await orders.name_lead(session, incident_id, wish.agency, doer, now=built.clock.now())
    built.feed.wake()
    return etags.tagged(response, _lead(row))


def _lead(row: LeadRow) -> LeadOut:
    return LeadOut(incident=row.incident, agency=row.agency, named_by=row.named_by, named_at=row.named_at)


async def _shown(session: Any, row: OrderRow, caller: Caller, doer: Doer, now: Any) -> OrderOut:
    mine = doer.by if row.agency == caller.agency else ()
    return views_work.order(row, await orders.lead(session, row.incident), mine, now=now)


class _Changing:
    """One change of one order: read for changing, the version compared, rights told, the page woken."""

    def __init__(
        self, built: Services, caller: Caller, order_id: str, if_match: str | None, response: Response
    ) -> None:
        self._built, self._caller, self._order = built, caller, order_id
        self._if_match, self._response = if_match, response

    async def __aenter__(self) -> "_Changing":
        self._writing = self._built.database.write()
        self.session = await self._writing.__aenter__()
        try:
            self.row = await orders.order(self.session, self._order, self._caller, to_change=True)
            etags.check(self._if_match, self.row.version)
        except BaseException as error:
            await self._writing.__aexit__(type(error), error, error.__traceback__)
            raise
        self.now = self._built.clock.now()
        doer = on_orders(self._caller, self._built.site)
        # Others may see an order, but its own agency alone works on it.
        is_own = self.row.agency == self._caller.agency
        self.doer = doer if is_own else Doer(doer.name, doer.agency, frozenset())
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._writing.__aexit__(*ended)
        self._built.feed.wake()

    async def shown(self, row: OrderRow) -> OrderOut:
        """Return the order as the caller sees it, its new version in the answer's ETag."""
        shown = await _shown(self.session, row, self._caller, self.doer, self.now)
        self._response.headers["ETag"] = etags.etag(shown.version)
        return shown
