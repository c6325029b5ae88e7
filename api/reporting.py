"""A report taken in: read, its picture kept, told as a witness's word, given to its agency."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import ground_pictures, reports
from api.errors import BadRequest
from api.routing import grounds_of
from api.services import Services
from api.store import reports as kept
from api.store import witnesses
from api.store.tables.orders import ReportRow, RouteRow
from api.store.tables.witnesses import SightingRow
from missions.places import describe_all
from vision.witnesses.report import Report, read_report


@dataclass(frozen=True, slots=True)
class Taken:
    """A report as kept, and the tracking code, which is shown this once."""

    row: ReportRow
    code: str
    repaired: tuple[str, ...]


async def take_in(
    built: Services,
    fields: Mapping[str, Any],
    *,
    photo: bytes | None,
    is_ranger: bool,
    report_id: str | None = None,
) -> Taken:
    """Keep a report with all that follows from it.

    is_ranger: whether an agency's own people report; a stranger is a resident whatever the fields say.

    Raises:
        InputWrong: a field is not what it must be.
        BadRequest: there is no such service, or the photo is none.
    """
    service = reports.service(str(fields.get("service_code", "")))
    if service is None:
        codes = ", ".join(service.code for service in reports.SERVICES)
        raise BadRequest(f"service_code: found {fields.get('service_code')!r}, expected one of {codes}")
    now, code = built.clock.now(), kept.new_code()
    said = {**fields, "id": report_id or uuid4().hex, "witness": "ranger" if is_ranger else "resident"}
    read = read_report(said, now=now, zone=ZoneInfo(built.site.timezone), near=built.site.origin, photo=photo)
    picture = await _keep(built, photo) if photo else None
    async with built.database.write() as session:
        await witnesses.record_sightings(
            session, [read.sighting], site=built.site, now=now, public_url=built.options.public_url
        )
        sighting = await session.get(SightingRow, read.sighting.id)
        row = ReportRow(
            id=report_id,
            code_sha256=kept.code_hash(code),
            service=service.code,
            hazard=service.hazard.value,
            lat_deg=read.sighting.place.lat_deg,
            lon_deg=read.sighting.place.lon_deg,
            within_m=read.sighting.ellipse.major_m,
            place_name=describe_all(read.sighting.place, built.site.layers),
            text=read.text,
            language="zh-CN" if any("一" <= letter <= "鿿" for letter in read.text) else "en-US",
            reporter=_pseudonym(built, str(fields["reporter"])) if fields.get("reporter") else None,
            picture=picture,
            incident=sighting.incident if sighting else None,
        )
        row.agency = await _agency(session, built, row, read)
        row = await kept.take(session, row, now=now)
    built.feed.wake()
    return Taken(row, code, read.sighting.notes)


def _pseudonym(built: Services, reporter: str) -> str:
    """Return the name under which a reporter's points are kept; it tells nobody who that is."""
    return f"r_{built.seal.pseudonym(reporter.strip().lower())}"


async def _keep(built: Services, photo: bytes) -> str:
    bare, _ = await asyncio.to_thread(ground_pictures.checked, photo)
    key = f"reports/{ground_pictures.sha256(bare)[:40]}"
    await built.pictures.put(key, bare)
    return key


async def _agency(session: AsyncSession, built: Services, row: ReportRow, read: Report) -> str | None:
    """Return the first agency in the site's order on whose ground it lies and that asked for the hazard."""
    concerned = set(await session.scalars(select(RouteRow.agency).where(RouteRow.incident == row.incident)))
    if not concerned:
        concerned = set(grounds_of(built.site).at(read.sighting.place, read.sighting.ellipse))
    for agency in built.site.agencies:
        wants = {hazard for subscription in agency.subscriptions for hazard in subscription.hazards}
        if agency.id in concerned and read.sighting.hazard in wants:
            return agency.id
    return None
