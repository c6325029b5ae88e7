"""CAP 1.2: valid against the OASIS schema, and right where the schema does not look."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import httpx
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from shapely.geometry import Point, Polygon
from sqlalchemy import select

from api.delivery.cap import CATEGORY, cap_xml, moment, polygon
from api.schemas import IncidentOut
from api.services import Options, Services
from api.store.models import AlertRow
from api.views import plain
from missions.clock import FakeClock
from missions.geo import moved
from missions.model import Hazard, Severity, Site
from tests.api.world import FOREST, NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

CAP = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}
ATOM = {"atom": "http://www.w3.org/2005/Atom"}


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(resources.files("api.delivery") / "schemas" / "CAP-v1.2.xsd"))


def told(**changes: Any) -> IncidentOut:
    """An incident as an agency was told of it."""
    values = {
        "id": "5b0c",
        "hazard": "fire",
        "severity": "orange",
        "state": "open",
        "place_name": {"en-US": "compartment 12 <&>", "zh-CN": "12林班"},
        "lat_deg": 30.28,
        "lon_deg": 119.415,
        "ellipse": {"major_m": 6.0, "minor_m": 4.0, "bearing_deg": 30.0},
        "confidence": 0.9,
        "area_m2": 3.0,
        "temp_max_c": 512.0,
        "opened_at": NOW,
        "seen_at": NOW,
        "looks": 2,
        "frame": "f1",
        "agencies": ["forestry"],
    }
    return IncidentOut(**{**values, **changes})


def alert(incident: IncidentOut | None = None, **changes: Any) -> AlertRow:
    """An alert after one telling, not in any database."""
    incident = incident or told()
    values = {
        "id": "7c3d",
        "incident": incident.id,
        "agency": "forestry",
        "hazard": incident.hazard,
        "severity": incident.severity,
        "title": {"en-US": "Suspected fire: compartment 12 <&>", "zh-CN": "疑似火情：12林班"},
        "place_name": incident.place_name,
        "raised_at": NOW,
        "told_at": NOW,
        "revision": 1,
        "history": [telling(1, incident)],
    }
    return AlertRow(**{**values, **changes})


def telling(revision: int, incident: IncidentOut) -> dict[str, Any]:
    return {"revision": revision, "told_at": NOW.isoformat(), "incident": plain(incident)}


def rendered(site: Site, *, options: Options | None = None, **changes: Any) -> etree._Element:
    return etree.fromstring(cap_xml(alert(**changes), site=site, options=options or Options()))


def said(document: etree._Element, path: str) -> list[str]:
    return [element.text for element in document.findall(path, CAP)]


@pytest.mark.parametrize("hazard", Hazard)
@pytest.mark.parametrize("severity", Severity)
def test_every_hazard_and_severity_gives_a_valid_document(
    site: Site, schema: xmlschema.XMLSchema, hazard: Hazard, severity: Severity
) -> None:
    options = Options(public_url="https://patrol.example", exercise=True)
    row = alert(told(hazard=hazard.value, severity=severity.value))
    schema.validate(cap_xml(row, site=site, options=options).decode())


def test_an_unknown_size_and_heat_leave_their_sentences_out(site: Site, schema: xmlschema.XMLSchema) -> None:
    row = alert(told(area_m2=None, temp_max_c=None, frame=None))
    schema.validate(cap_xml(row, site=site, options=Options()).decode())


def test_the_message_is_restricted_and_speaks_both_languages(site: Site) -> None:
    document = rendered(site)
    assert said(document, "cap:scope") == ["Restricted"]
    assert said(document, "cap:restriction")[0]
    assert said(document, "cap:status") == ["Actual"]
    assert said(document, "cap:info/cap:language") == ["zh-CN", "en-US"]
    assert said(document, "cap:info/cap:event") == ["疑似火情", "Suspected fire"]
    assert said(document, "cap:info/cap:area/cap:areaDesc") == ["12林班", "compartment 12 <&>"]
    assert said(document, "cap:info/cap:severity") == ["Severe", "Severe"]


def test_an_exercise_says_so(site: Site) -> None:
    document = rendered(site, options=Options(exercise=True))
    assert said(document, "cap:status") == ["Exercise"]
    assert "演习" in said(document, "cap:note")[0]


def test_an_update_refers_to_every_message_before_it(site: Site, schema: xmlschema.XMLSchema) -> None:
    row = alert(revision=3, history=[telling(n, told()) for n in (1, 2, 3)])
    document = cap_xml(row, site=site, options=Options(cap_sender="patrol.example"))
    schema.validate(document.decode())
    root = etree.fromstring(document)
    assert said(root, "cap:msgType") == ["Update"]
    assert said(root, "cap:references") == [
        "patrol.example,7c3d-1,2026-06-01T10:00:00+08:00 patrol.example,7c3d-2,2026-06-01T10:00:00+08:00"
    ]
    assert said(root, "cap:identifier") == ["7c3d-3"]


def test_times_carry_the_sites_offset_and_utc_is_written_with_a_minus() -> None:
    at = datetime(2026, 6, 1, 2, 0, 0, 123456, tzinfo=UTC)
    assert moment(at, "Asia/Shanghai") == "2026-06-01T10:00:00+08:00"
    assert moment(at, "UTC") == "2026-06-01T02:00:00-00:00"
    assert moment(at, "America/New_York") == "2026-05-31T22:00:00-04:00"


def test_it_expires_after_it_was_sent(site: Site) -> None:
    document = rendered(site)
    (sent,) = said(document, "cap:sent")
    assert all(
        datetime.fromisoformat(e) > datetime.fromisoformat(sent)
        for e in said(document, "cap:info/cap:expires")
    )


@settings(max_examples=200, deadline=None)
@given(
    lat=st.floats(-80, 80),
    lon=st.floats(-179.9, 179.9),
    major_m=st.floats(0, 500),
    minor_m=st.floats(0, 500),
    bearing_deg=st.floats(-360, 720),
)
def test_the_polygon_is_closed_simple_and_around_the_place(
    lat: float, lon: float, major_m: float, minor_m: float, bearing_deg: float
) -> None:
    """Warning systems choke on open and self-crossing polygons, which real composers have sent."""
    ellipse = {"major_m": major_m, "minor_m": minor_m, "bearing_deg": bearing_deg}
    incident = told(lat_deg=lat, lon_deg=lon, ellipse=ellipse)
    points = [tuple(map(float, pair.split(","))) for pair in polygon(incident).split()]
    assert points[0] == points[-1]
    assert len(points) >= 4
    shape = Polygon(points)
    assert shape.is_valid
    assert shape.contains(Point(lat, lon))


def test_every_hazard_falls_into_a_category_of_the_standard() -> None:
    allowed = {
        "Geo",
        "Met",
        "Safety",
        "Security",
        "Rescue",
        "Fire",
        "Health",
        "Env",
        "Transport",
        "Infra",
        "Other",
    }
    assert set(CATEGORY.values()) <= allowed


async def test_the_feed_lists_what_the_reader_may_see_and_links_to_it(
    services: Services, client_of: Client, schema: xmlschema.XMLSchema
) -> None:
    await report(services, 1, fire(1, FOREST, area_m2=20.0))
    feed = await client_of("forestry").get("/v1/cap/feed.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    root = etree.fromstring(feed.content)
    (entry,) = root.findall("atom:entry", ATOM)
    link = entry.find("atom:link", ATOM)
    assert (link.get("rel"), link.get("type")) == ("alternate", "application/cap+xml")
    document = await client_of("forestry").get(link.get("href"))
    schema.validate(document.text)
    for name in ("id", "title", "updated"):
        assert entry.find(f"atom:{name}", ATOM).text
        assert root.find(f"atom:{name}", ATOM).text
    other = etree.fromstring((await client_of("village").get("/v1/cap/feed.atom")).content)
    assert other.findall("atom:entry", ATOM) == []


async def test_a_document_made_from_the_database_is_valid_after_an_update(
    services: Services, client_of: Client, schema: xmlschema.XMLSchema, clock: FakeClock
) -> None:
    await report(services, 1, fire(1, FOREST))
    clock.advance(60)
    await report(services, 2, fire(2, FOREST, area_m2=60.0))
    async with services.database.read() as session:
        alert_id = (await session.scalars(select(AlertRow.id))).one()
    document = await client_of("operator").get(f"/v1/cap/{alert_id}.xml")
    schema.validate(document.text)
    root = etree.fromstring(document.content)
    assert said(root, "cap:msgType") == ["Update"]
    assert said(root, "cap:status") == ["Exercise"]


async def test_a_message_once_published_does_not_change_when_the_drone_looks_again(
    services: Services, client_of: Client
) -> None:
    await report(services, 1, fire(1, FOREST))
    (alert_row,) = (await client_of("operator").get("/v1/alerts")).json()["alerts"]
    path = f"/v1/cap/{alert_row['id']}.xml"
    before = (await client_of("operator").get(path)).content
    await report(services, 2, fire(2, moved(FOREST, 90.0, 3.0)))
    assert (await client_of("operator").get(path)).content == before
