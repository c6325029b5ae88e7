"""Row `cap.invalid`: 10,000 generated messages against the OASIS schema and the rules the schema lacks.

What is told is drawn from a seed: every hazard and severity, places from pole to
pole and on both sides of the 180th meridian, ellipses from a metre to kilometres,
outlines that cross themselves or have thousands of points, names with every sort
of character, Alert / Update / Cancel with long chains, both audiences. The checks
share no code with the writer: two readers of the schema, `shapely` for the shapes,
`signxml` with the certificate alone for the signature.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Self

import numpy as np
import xmlschema
from lxml import etree
from shapely.geometry import Polygon
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.verifier import XMLVerifier

from api.delivery.cap import Audience, Kind, Reference, Saying, cap_document, to_bytes
from api.delivery.capfeed import feed_page
from api.delivery.signing import Signer, open_signer
from api.schemas import EllipseOut, IncidentOut
from api.services import Options
from api.settings import Settings
from missions.geo import LatLon
from missions.measure import Job, Row, at_most, measured
from missions.model import Hazard, Severity, Site
from missions.site import load_site

MESSAGES, QUICK_MESSAGES = 10_000, 150
SEED = 12
MOST_POINTS = 100
FEED_BYTES = 100_000
PAGE = 100
SECOND_OPINION = 20  # every so many messages

_NS = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_FORBIDDEN = set(" ,<&")
_NAMES = (
    "compartment 12",
    "tower <7> & 8",
    "\"quoted\" 'name'",
    "北坡林班12",
    "é\u0301 ́",
    "x" * 300,
    "١٢٣",
    "a\u2028b",
)


def rows(job: Job) -> Iterator[Row]:
    """Yield how many messages or feed pages break a rule."""
    chance, count = random.Random(SEED), QUICK_MESSAGES if job.quick else MESSAGES
    site = load_site(Settings().site)
    options = Options(public_url="https://patrol.example", cap_sender="patrol.example")
    schemas = Schemas.load()
    with tempfile.TemporaryDirectory() as folder:
        signer = open_signer(Path(folder) / "signing.pem", name="patrol.example")
    invalid, sayings = 0, []
    for number in range(count):
        saying, outline = drawn(chance, number)
        sayings.append(saying)
        document = to_bytes(
            signer.sign_xml(cap_document(saying, site=site, options=options, outline=outline))
        )
        faults = faults_of(document, schemas, signer, twice=number % SECOND_OPINION == 0)
        invalid += bool(faults)
        job.raw.write(
            "cap.messages", {"identifier": saying.identifier, "kind": saying.kind, "faults": faults}
        )
    pages, too_large = _feed(sayings, site, options)
    yield at_most(
        "cap.invalid",
        invalid + too_large,
        0,
        unit="messages",
        clock="none",
        anchor="invalid polygons got out",
    )
    yield measured("cap.messages", count, unit="messages", clock="none")
    yield measured("cap.feed_pages", pages, unit="pages", clock="none")


@dataclass(frozen=True, slots=True)
class Schemas:
    """The OASIS schema in two readers: libxml2's for every message, `xmlschema` as a second opinion."""

    quick: etree.XMLSchema
    other: xmlschema.XMLSchema

    @classmethod
    def load(cls) -> Self:
        file = str(resources.files("api.delivery") / "schemas" / "CAP-v1.2.xsd")
        return cls(etree.XMLSchema(etree.parse(file)), xmlschema.XMLSchema(file))


def faults_of(document: bytes, schemas: Schemas, signer: Signer, *, twice: bool = True) -> list[str]:
    """Return every rule a message breaks, worded."""
    root = etree.fromstring(document)
    schemas.quick.validate(root)
    faults = [f"schema: {error.message}" for error in schemas.quick.error_log]
    if twice:
        faults += [f"schema: {error.reason}" for error in schemas.other.iter_errors(document.decode())]
    faults += _order_of_times(root) + _areas(root) + _head(root)
    try:
        XMLVerifier().verify(document, x509_cert=signer.certificate)
    except (SignXMLException, InvalidInput) as error:
        faults.append(f"signature: {error}")
    return faults


def drawn(chance: random.Random, number: int) -> tuple[Saying, Sequence[LatLon]]:
    """Return a message nobody would have thought of, and an outline for it or none."""
    sent_at = _BEGIN + timedelta(seconds=chance.uniform(0, 3e7))
    name = chance.choice(_NAMES)
    lat, lon = chance.uniform(-89.9, 89.9), chance.choice((chance.uniform(-180, 180), 179.9999, -180.0, 0.0))
    incident = IncidentOut(
        id=f"i{number}",
        hazard=chance.choice(list(Hazard)).value,
        severity="orange",
        state="open",
        place_name={"en-US": name, "zh-CN": f"{name}附近"},
        lat_deg=lat,
        lon_deg=lon,
        ellipse=EllipseOut(
            major_m=10 ** chance.uniform(-1, 3.7),
            minor_m=10 ** chance.uniform(-1, 3),
            bearing_deg=chance.uniform(-720, 720),
        ),
        confidence=chance.random(),
        area_m2=chance.choice((None, chance.uniform(0, 1e6))),
        temp_max_c=chance.choice((None, chance.uniform(-40, 1500))),
        opened_at=sent_at - timedelta(hours=chance.uniform(0, 400)),
        seen_at=sent_at - timedelta(seconds=chance.uniform(0, 4000)),
        looks=chance.randint(1, 5000),
        frame=chance.choice((None, f"frame {number}")),
        agencies=["forestry"],
    )
    chain = chance.choice((0, 0, 1, 5, 60))
    references = tuple(
        Reference(f"a{number}-{k}", sent_at - timedelta(minutes=chain - k)) for k in range(chain)
    )
    saying = Saying(
        identifier=f"a{number}-{chain}",
        alert=f"a{number}",
        kind=chance.choice((Kind.UPDATE, Kind.CANCEL)) if chain else Kind.ALERT,
        audience=chance.choice(list(Audience)),
        sent_at=sent_at,
        hazard=Hazard(incident.hazard),
        severity=chance.choice(list(Severity)),
        incident=incident,
        parts=chance.choice((1, 1, 7)),
        references=references,
        why=chance.choice((None, name)),
    )
    return saying, _outline(chance, lat, lon)


def _outline(chance: random.Random, lat: float, lon: float) -> list[LatLon]:
    """Return nothing, or a ring of many or few points, perhaps one that crosses itself or is flat."""
    kind = chance.choice(("none", "round", "wild", "flat"))
    points = chance.choice((3, 5, 40, 3000))
    turns = np.sort(np.array([chance.uniform(0, 2 * np.pi) for _ in range(points)]))
    if kind == "wild":
        chance.shuffle(turns)  # type: ignore[arg-type]
    size = 10 ** chance.uniform(-5, -0.5)
    if kind == "none":
        return []
    across = 0.0 if kind == "flat" else size
    return [
        LatLon(
            float(np.clip(lat + across * np.sin(t), -90, 90)),
            float(np.clip(lon + size * np.cos(t), -180, 180)),
        )
        for t in turns
    ]


def _order_of_times(root: etree._Element) -> list[str]:
    sent = _time(root, "cap:sent")
    faults = []
    for info in root.findall("cap:info", _NS):
        effective, expires = _time(info, "cap:effective"), _time(info, "cap:expires")
        if not sent <= effective < expires:
            faults.append(f"times: sent {sent}, effective {effective}, expires {expires}")
    for reference in (root.findtext("cap:references", "", _NS)).split():
        if datetime.fromisoformat(reference.split(",")[2]) > sent:
            faults.append(f"times: refers to a later message {reference}")
    return faults


def _areas(root: etree._Element) -> list[str]:
    faults = []
    for area in root.findall("cap:info/cap:area", _NS):
        rings = [element.text or "" for element in area.findall("cap:polygon", _NS)]
        if len(rings) + len(area.findall("cap:circle", _NS)) != 1:
            faults.append("area: not exactly one shape")
        if not (area.findtext("cap:areaDesc", "", _NS)).strip():
            faults.append("area: it has no name")
        for text in rings:
            points = [tuple(map(float, pair.split(","))) for pair in text.split(" ")]
            shape = Polygon(points) if len(points) >= 4 else Polygon()
            if points[0] != points[-1] or len(points) > MOST_POINTS:
                faults.append(f"polygon: open or of {len(points)} points")
            if not shape.is_valid or shape.is_empty or not shape.area:
                faults.append("polygon: crosses itself or has no area")
            if any(abs(lat) > 90 or abs(lon) > 180 for lat, lon in points):
                faults.append("polygon: a point lies off the earth")
    return faults


def _head(root: etree._Element) -> list[str]:
    faults = []
    kind, scope = root.findtext("cap:msgType", "", _NS), root.findtext("cap:scope", "", _NS)
    identifier = root.findtext("cap:identifier", "", _NS)
    if _FORBIDDEN & set(identifier) or _FORBIDDEN & set(root.findtext("cap:sender", "", _NS)):
        faults.append("head: a sign in identifier or sender that the standard forbids")
    if (kind == "Alert") == bool(root.findtext("cap:references", "", _NS)):
        faults.append(f"head: {kind} with the wrong references")
    if (scope == "Restricted") != bool(root.findtext("cap:restriction", "", _NS)):
        faults.append(f"head: {scope} with the wrong restriction")
    if [e.text for e in root.findall("cap:info/cap:language", _NS)] != ["zh-CN", "en-US"]:
        faults.append("head: not in both languages")
    if any(len(e.text or "") > 160 for e in root.findall("cap:info/cap:headline", _NS)):
        faults.append("head: a headline longer than 160")
    return faults


def _feed(sayings: Sequence[Saying], site: Site, options: Options) -> tuple[int, int]:
    """Return how many pages the feed of all messages has, and how many are too large."""
    pages = too_large = taken = 0
    while taken < len(sayings):
        offered = [replace(s, audience=Audience.RESTRICTED) for s in sayings[taken : taken + PAGE]]
        page = feed_page(
            offered,
            site=site,
            options=options,
            now=_BEGIN,
            url="https://patrol.example/v1/cap",
            audience=Audience.RESTRICTED,
            self_href="https://patrol.example/v1/cap/feed.atom",
            next_href="https://patrol.example/v1/cap/feed.atom?before=",
            has_more=True,
        )
        pages, taken = pages + 1, taken + page.taken
        too_large += len(page.document) > FEED_BYTES
    return pages, too_large


def _time(element: etree._Element, path: str) -> datetime:
    return datetime.fromisoformat(element.findtext(path, "", _NS))
