"""CAP 1.2 documents and their Atom feeds: each agency its own, the public what was released to it."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import etags
from api.auth import Built, Watcher
from api.delivery.cap import CAP_TYPE, Audience, Saying, cap_document, to_bytes
from api.delivery.capfeed import ATOM_TYPE, feed_page
from api.etags import IfMatch
from api.schemas_delivery import PersonIn, ReleaseOut, Releases
from api.services import Services
from api.store import publishing
from api.store.tables.delivery import ReleaseRow
from api.store.tokens import Caller
from missions.geo import LatLon

router = APIRouter(tags=["cap"])

PAGE = 100
"""Messages looked at for one page; its bytes are limited by themselves."""

Before = Annotated[
    str | None, Query(max_length=200, description="the last identifier of the page before, from its `next`")
]


@router.get("/cap/feed.atom", response_class=Response)
async def feed(request: Request, caller: Watcher, built: Built, before: Before = None) -> Response:
    """Give the message that now counts of each alert as an Atom feed, last told first, paged."""
    return await _feed(request, caller, built, before)


@router.get("/cap/public.atom", response_class=Response)
async def public_feed(request: Request, built: Built, before: Before = None) -> Response:
    """Give what agencies have released to the public; for everybody, without a token."""
    return await _feed(request, None, built, before)


@router.get("/cap/public/{name}.xml", response_class=Response)
async def public_document(name: str, built: Built) -> Response:
    """Give a released message as a CAP 1.2 document; for everybody, without a token."""
    return await _document(name, None, built)


@router.get("/cap/{name}.xml", response_class=Response)
async def document(name: str, caller: Watcher, built: Built) -> Response:
    """Give a message by its identifier, or the one that now counts of an alert by the alert's id."""
    return await _document(name, caller, built)


@router.get("/releases")
async def list_releases(caller: Watcher, built: Built) -> Releases:
    """List what was released to the public and what of it was taken back, the latest first."""
    async with built.database.read() as session:
        return Releases(releases=[_shown(row) for row in await publishing.releases_of(session, caller)])


@router.post("/incidents/{incident_id}/release")
async def release(
    incident_id: str,
    wish: PersonIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> ReleaseOut:
    """Let the public know of an incident, in the name of a person of the agency that was told of it."""
    async with built.database.write() as session:
        await _check(session, incident_id, caller, if_match)
        row = await publishing.release(
            session, incident_id, caller, person=wish.person, now=built.clock.now()
        )
    built.feed.wake()
    return etags.tagged(response, _shown(row))


@router.post("/incidents/{incident_id}/withdraw")
async def withdraw(
    incident_id: str,
    wish: PersonIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> ReleaseOut:
    """Take a release back: the public is sent a Cancel."""
    async with built.database.write() as session:
        await _check(session, incident_id, caller, if_match)
        row = await publishing.withdraw(
            session, incident_id, caller, person=wish.person, now=built.clock.now()
        )
    built.feed.wake()
    return etags.tagged(response, _shown(row))


async def _check(session: AsyncSession, incident: str, caller: Caller, if_match: str | None) -> None:
    """Return when the release is the one the caller has read."""
    if if_match is not None:
        there = await publishing.release_of(session, incident, caller)
        etags.check_shown(if_match, _shown(there) if there else None)


async def _feed(request: Request, caller: Caller | None, built: Services, before: str | None) -> Response:
    async with built.database.read() as session:
        sayings, has_more = await publishing.newest_sayings(session, caller, before=before, limit=PAGE)
    base = (built.options.public_url or str(request.base_url)).rstrip("/")
    name, folder = ("public.atom", "cap/public") if caller is None else ("feed.atom", "cap")
    here = f"{base}/v1/cap/{name}"
    page = feed_page(
        sayings,
        site=built.site,
        options=built.options,
        now=built.clock.now(),
        url=f"{base}/v1/{folder}",
        audience=Audience.PUBLIC if caller is None else Audience.RESTRICTED,
        self_href=f"{here}?before={quote(before)}" if before else here,
        next_href=f"{here}?before=",
        has_more=has_more,
    )
    return Response(page.document, media_type=ATOM_TYPE)


async def _document(name: str, caller: Caller | None, built: Services) -> Response:
    async with built.database.read() as session:
        saying = await publishing.saying(session, name, caller)
        known = await publishing.given_out(session, saying.identifier)
        outline = await publishing.outline_of(session, saying) if known is None else ()
    if known is None:
        made = await asyncio.to_thread(rendered, saying, built, outline)
        async with built.database.write() as session:
            known = await publishing.give_out(session, saying, made)
    return Response(known.encode(), media_type=CAP_TYPE)


def rendered(saying: Saying, built: Services, outline: tuple[LatLon, ...] = ()) -> str:
    """Return a message's document, signed where the service has a key."""
    root = cap_document(saying, site=built.site, options=built.options, outline=outline)
    return to_bytes(built.signer.sign_xml(root) if built.signer else root).decode()


def _shown(row: ReleaseRow) -> ReleaseOut:
    return ReleaseOut(
        incident=row.incident,
        agency=row.agency,
        released_by=row.released_by,
        released_at=row.released_at,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )
