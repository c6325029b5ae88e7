"""CAP 1.2: valid against the OASIS schema, and right where the schema does not look."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import httpx
import numpy as np
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from shapely.geometry import Point, Polygon
from signxml import XMLVerifier
from signxml.exceptions import InvalidDigest
from sqlalchemy import select

from api import audit
from api.delivery.cap import (
    CATEGORY,
    Audience,
    Kind,
    Reference,
    Saying,
    cap_document,
    moment,
    to_bytes,
)
from api.delivery.capfeed import feed_page
from api.delivery.polygons import Ring, area_ring, fault_of
from api.delivery.signing import Signer
from api.schemas import IncidentOut
from api.services import Options, Services
from api.store import alerting
from api.store.models import AlertRow
from missions.clock import FakeClock
from missions.geo import LatLon, moved
from missions.model import Hazard, Severity, Site
from tests.api.world import FOREST, NOW, fire, report
from vision.model import Ellipse

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


def saying(**changes: Any) -> Saying:
    """The first telling of an incident."""
    values = {
        "identifier": "7c3d-1",
        "alert": "7c3d",
        "kind": Kind.ALERT,
        "audience": Audience.RESTRICTED,
        "sent_at": NOW,
        "hazard": Hazard.FIRE,
        "severity": Severity.ORANGE,
        "incident": told(),
    }
    return Saying(**{**values, **changes})


def rendered(site: Site, options: Options | None = None, **changes: Any) -> etree._Element:
    return cap_document(saying(**changes), site=site, options=options or Options())


def said(document: etree._Element, path: str) -> list[str]:
    return [element.text for element in document.findall(path, CAP)]


def valid(schema: xmlschema.XMLSchema, document: etree._Element) -> None:
    schema.validate(to_bytes(document).decode())


@pytest.mark.parametrize("hazard", Hazard)
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("kind", Kind)
def test_every_hazard_severity_and_kind_gives_a_valid_document(
    site: Site, schema: xmlschema.XMLSchema, hazard: Hazard, severity: Severity, kind: Kind
) -> None:
    options = Options(public_url="https://patrol.example", exercise=True)
    valid(schema, rendered(site, options, hazard=hazard, severity=severity, kind=kind))


def test_an_unknown_size_and_heat_leave_their_sentences_out(site: Site, schema: xmlschema.XMLSchema) -> None:
    bare = rendered(site, incident=told(area_m2=None, temp_max_c=None, frame=None))
    valid(schema, bare)
    assert "m²" not in said(bare, "cap:info/cap:description")[1]


def test_the_message_is_restricted_and_speaks_both_languages(site: Site) -> None:
    document = rendered(site)
    assert said(document, "cap:scope") == ["Restricted"]
    assert said(document, "cap:restriction")[0]
    assert said(document, "cap:status") == ["Actual"]
    assert said(document, "cap:info/cap:language") == ["zh-CN", "en-US"]
    assert said(document, "cap:info/cap:event") == ["疑似火情", "Suspected fire"]
    assert said(document, "cap:info/cap:area/cap:areaDesc") == ["12林班", "compartment 12 <&>"]
    assert said(document, "cap:info/cap:severity") == ["Severe", "Severe"]


def test_a_public_message_bears_no_restriction_and_links_to_no_restricted_picture(
    site: Site, schema: xmlschema.XMLSchema
) -> None:
    options = Options(public_url="https://patrol.example")
    document = rendered(site, options, audience=Audience.PUBLIC)
    valid(schema, document)
    assert said(document, "cap:scope") == ["Public"]
    assert not said(document, "cap:restriction")
    assert not said(document, "cap:info/cap:resource/cap:uri")
    assert said(rendered(site, options), "cap:info/cap:resource/cap:uri")


def test_an_exercise_says_so(site: Site) -> None:
    document = rendered(site, Options(exercise=True))
    assert said(document, "cap:status") == ["Exercise"]
    assert "演习" in said(document, "cap:note")[0]


def test_a_cancel_says_what_is_over_and_why(site: Site, schema: xmlschema.XMLSchema) -> None:
    document = rendered(site, kind=Kind.CANCEL, why="burnt out")
    valid(schema, document)
    assert said(document, "cap:msgType") == ["Cancel"]
    assert said(document, "cap:info/cap:responseType") == ["AllClear", "AllClear"]
    assert said(document, "cap:info/cap:headline")[1].startswith("Cancelled: Suspected fire")
    assert "burnt out" in said(document, "cap:info/cap:description")[1]


def test_an_update_refers_to_every_message_before_it(site: Site, schema: xmlschema.XMLSchema) -> None:
    before = (Reference("7c3d-1", NOW), Reference("7c3d-2", NOW))
    document = rendered(site, Options(cap_sender="patrol.example"), kind=Kind.UPDATE, references=before)
    valid(schema, document)
    assert said(document, "cap:references") == [
        "patrol.example,7c3d-1,2026-06-01T10:00:00+08:00 patrol.example,7c3d-2,2026-06-01T10:00:00+08:00"
    ]


def test_times_carry_the_sites_offset_and_utc_is_written_with_a_minus() -> None:
    at = datetime(2026, 6, 1, 2, 0, 0, 123456, tzinfo=UTC)
    assert moment(at, "Asia/Shanghai") == "2026-06-01T10:00:00+08:00"
    assert moment(at, "UTC") == "2026-06-01T02:00:00-00:00"
    assert moment(at, "America/New_York") == "2026-05-31T22:00:00-04:00"


def test_times_are_in_order(site: Site) -> None:
    document = rendered(site)
    (sent,) = said(document, "cap:sent")
    for info in document.findall("cap:info", CAP):
        effective, expires = said(info, "cap:effective")[0], said(info, "cap:expires")[0]
        assert datetime.fromisoformat(sent) <= datetime.fromisoformat(effective)
        assert datetime.fromisoformat(effective) < datetime.fromisoformat(expires)


def test_a_signed_message_is_valid_and_verifies_and_a_changed_one_does_not(
    site: Site, schema: xmlschema.XMLSchema, signer: Signer
) -> None:
    document = to_bytes(signer.sign_xml(rendered(site)))
    schema.validate(document.decode())
    XMLVerifier().verify(document, x509_cert=signer.certificate)
    with pytest.raises(InvalidDigest):
        XMLVerifier().verify(document.replace(b"Severe", b"Minor!"), x509_cert=signer.certificate)


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
    ring = area_ring(LatLon(lat, lon), Ellipse(major_m, minor_m, bearing_deg))
    assert ring is not None
    assert fault_of(ring) is None
    assert Polygon(ring).buffer(1e-6).contains(Point(lat, lon))


def test_an_outline_larger_than_the_doubt_is_drawn_and_made_simple() -> None:
    """A flood of thousands of points that crosses itself: few points, no crossing, the same place."""
    turns = np.linspace(0, 2 * np.pi, 5_000)
    wobble = 0.01 + 0.001 * np.sin(12 * turns)
    shore = [LatLon(30 + r * np.sin(t), 119 + r * np.cos(t)) for t, r in zip(turns, wobble, strict=True)]
    shore[2_500], shore[2_550] = shore[2_550], shore[2_500]
    ring = area_ring(LatLon(30, 119), Ellipse(5, 5, 0), shore)
    assert ring is not None
    assert fault_of(ring) is None
    assert len(ring) > 25
    seen = Polygon([(p.lat_deg, p.lon_deg) for p in shore]).buffer(0)
    assert Polygon(ring).intersection(seen).area > 0.9 * seen.area


def test_a_place_across_the_180th_meridian_is_told_as_a_circle(
    site: Site, schema: xmlschema.XMLSchema
) -> None:
    document = rendered(site, incident=told(lon_deg=179.99999))
    valid(schema, document)
    assert not said(document, "cap:info/cap:area/cap:polygon")
    assert said(document, "cap:info/cap:area/cap:circle")[0].endswith(" 0.006")


@pytest.mark.parametrize(
    ("ring", "fault"),
    [
        (((0.0, 0.0), (0.0, 1.0), (1.0, 1.0)), "not closed"),
        (((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)), "crosses"),
        (((0.0, 0.0), (0.0, 1.0), (91.0, 1.0), (0.0, 0.0)), "off the earth"),
        (((0.0, 0.0), *((float(n) / 1e3, 1.0) for n in range(101)), (0.0, 0.0)), "at most 100"),
    ],
)
def test_a_bad_ring_is_named(ring: Ring, fault: str) -> None:
    assert fault in (fault_of(ring) or "")


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


async def named_by(client_of: Client, agency: str, path: str, **person: str) -> httpx.Response:
    return await client_of(agency).post(path, json=person)


async def test_the_public_reads_nothing_until_a_named_person_of_the_agency_releases_it(
    services: Services, client_of: Client, clock: FakeClock, schema: xmlschema.XMLSchema
) -> None:
    await report(services, 1, fire(1, FOREST, area_m2=20.0))
    (incident,) = (await client_of("operator").get("/v1/incidents")).json()["incidents"]
    path = f"/v1/incidents/{incident['id']}/release"

    async def public() -> list[etree._Element]:
        feed = etree.fromstring((await client_of(None).get("/v1/cap/public.atom")).content)
        links = [e.find("atom:link", ATOM).get("href") for e in feed.findall("atom:entry", ATOM)]
        return [etree.fromstring((await client_of(None).get(link)).content) for link in links]

    assert await public() == []
    assert (await named_by(client_of, "operator", path, person="Li Wei")).status_code == 403
    assert (await named_by(client_of, "village", path, person="Li Wei")).status_code == 404
    assert (await named_by(client_of, "forestry", path)).status_code == 403, "a program names no person"
    clock.advance(60)
    assert (await named_by(client_of, "forestry", path, person="Li Wei")).json()["released_by"] == "Li Wei"
    assert (await named_by(client_of, "forestry", path, person="Li Wei")).status_code == 409
    (document,) = await public()
    schema.validate(etree.tostring(document).decode())
    assert said(document, "cap:scope") == ["Public"]
    assert said(document, "cap:msgType") == ["Alert"]
    async with services.database.read() as session:
        entry = (await audit.page(session))[0]
    assert (entry.action, entry.target, entry.details["person"]) == (
        "incident.release",
        incident["id"],
        "Li Wei",
    )

    clock.advance(60)
    withdrawn = path.replace("release", "withdraw")
    assert (await named_by(client_of, "forestry", withdrawn, person="Li Wei")).status_code == 200
    (over,) = await public()
    assert said(over, "cap:msgType") == ["Cancel"]
    assert said(document, "cap:identifier")[0] in said(over, "cap:references")[0]


async def test_the_chain_runs_alert_update_cancel_and_each_stays_readable(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    await report(services, 1, fire(1, FOREST))
    clock.advance(60)
    await report(services, 2, fire(2, FOREST, area_m2=60.0))
    clock.advance(60)
    async with services.database.write() as session:
        (row,) = await session.scalars(select(AlertRow))
        telling = alerting.Telling(services.site, clock.now())
        await alerting.cancel_all(session, row.incident, telling, note="burnt out")
    kinds = {}
    for name in (f"{row.id}-1", f"{row.id}-2", f"{row.id}-2-c", row.id):
        answer = await client_of("forestry").get(f"/v1/cap/{name}.xml")
        kinds[name] = said(etree.fromstring(answer.content), "cap:msgType")[0]
    assert list(kinds.values()) == ["Alert", "Update", "Cancel", "Cancel"]
    assert (await client_of("forestry").get(f"/v1/cap/{row.id}-9.xml")).status_code == 404
    assert (await client_of("village").get(f"/v1/cap/{row.id}-1.xml")).status_code == 404


def test_a_page_of_the_feed_stays_within_its_bytes_and_leads_on(site: Site) -> None:
    long = {"en-US": "compartment " + "x" * 150, "zh-CN": "林班" * 60}
    sayings = [saying(identifier=f"a{n}-1", incident=told(place_name=long)) for n in range(300)]
    seen: list[str] = []
    while len(seen) < len(sayings):
        rest = sayings[len(seen) :]
        page = feed_page(
            rest,
            site=site,
            options=Options(),
            now=NOW,
            url="http://x",
            audience=Audience.RESTRICTED,
            self_href="http://x/feed.atom",
            next_href="http://x/feed.atom?before=",
        )
        assert len(page.document) <= 100_000
        root = etree.fromstring(page.document)
        seen += [e.find("atom:id", ATOM).text for e in root.findall("atom:entry", ATOM)]
        after = [link.get("href") for link in root.findall("atom:link[@rel='next']", ATOM)]
        assert after == ([f"http://x/feed.atom?before=a{len(seen) - 1}-1"] if len(seen) < 300 else [])
    assert len(set(seen)) == 300


def test_what_xml_cannot_say_is_shown_as_a_mark(site: Site, schema: xmlschema.XMLSchema) -> None:
    """A place name of a site file, or a row from before texts were checked, may hold anything."""
    names = {"en-US": "gate\x00 4\x0b\ud800\uffff", "zh-CN": "四号门\x1f"}
    strange = saying(kind=Kind.CANCEL, why="over\x08", incident=told(place_name=names))
    document = cap_document(strange, site=site, options=Options())
    valid(schema, document)
    marks = "\N{REPLACEMENT CHARACTER}"
    assert said(document, "cap:info/cap:area/cap:areaDesc")[1] == f"gate{marks} 4{marks * 3}"
    page = feed_page(
        [strange],
        site=site,
        options=Options(),
        now=NOW,
        url="http://x",
        audience=Audience.RESTRICTED,
        self_href="http://x/feed.atom?before=\x01",
        next_href="http://x/{feed}.atom?before=",
        has_more=True,
    )
    root = etree.fromstring(page.document)
    assert len(root.findall("atom:entry", ATOM)) == 1


async def test_a_feed_named_by_a_strange_host_is_still_a_feed(services: Services, client_of: Client) -> None:
    await report(services, 1, fire(1, FOREST))
    for host in ("a{b}", "a%sb", "[", "x<y>"):
        reply = await client_of("forestry").get(
            "/v1/cap/feed.atom?before=a%26b%3D%22", headers={"Host": host}
        )
        assert reply.status_code == 200
        etree.fromstring(reply.content)
