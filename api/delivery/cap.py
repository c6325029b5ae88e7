"""CAP 1.2 (OASIS, 2010): one telling of one alert as the message that warning systems exchange.

Each telling is a message of its own, worded from the incident as it was then,
so that a message never changes under its identifier (`capchain.py` says which
there are). Times carry the site's offset, and UTC is written -00:00, as the
standard asks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from lxml import etree

from api import alerts
from api.delivery.polygons import area_ring
from api.plain import for_xml
from api.schemas import IncidentOut
from api.services import Options
from missions.geo import LatLon
from missions.model import Hazard, Severity, Site
from missions.words import LANGUAGES, area_text, named, text
from vision import told
from vision.model import Ellipse

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
CAP_TYPE = "application/cap+xml"

LASTS = timedelta(hours=24)
HEADLINE = 160  # the longest headline the standard advises

CATEGORY = {
    Hazard.FIRE: "Fire",
    Hazard.SMOKE: "Fire",
    Hazard.HOT_SPOT: "Fire",
    Hazard.BURNING: "Fire",
    Hazard.FLOOD: "Met",
    Hazard.HOT_JOINT: "Infra",
    Hazard.LINE_CLEARANCE: "Infra",
    Hazard.FOREIGN_OBJECT: "Infra",
    Hazard.INTRUSION: "Infra",
    Hazard.PERSON: "Safety",
}
SEVERITY = {
    Severity.RED: "Extreme",
    Severity.ORANGE: "Severe",
    Severity.YELLOW: "Moderate",
    Severity.BLUE: "Minor",
}
URGENCY = {
    Severity.RED: "Immediate",
    Severity.ORANGE: "Immediate",
    Severity.YELLOW: "Expected",
    Severity.BLUE: "Future",
}


class Kind(StrEnum):
    """What a message does to those before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Audience(StrEnum):
    """Who may read it, in the standard's words."""

    RESTRICTED = "Restricted"
    PUBLIC = "Public"


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message of the same chain."""

    identifier: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Saying:
    """One message: what was said to whom when, and of what it was said."""

    identifier: str
    alert: str
    kind: Kind
    audience: Audience
    sent_at: datetime
    hazard: Hazard
    severity: Severity
    incident: IncidentOut
    parts: int = 1
    references: tuple[Reference, ...] = ()
    why: str | None = None
    is_exact: bool = False  # whether it tells a place that others are told only roughly

    def title(self, language: str) -> str:
        """Return the headline, cut to what the standard advises."""
        told = alerts.title(self.hazard, self.incident.place_name, self.parts)[language]
        worded = text("cap.cancelled", language, title=told) if self.kind is Kind.CANCEL else told
        return worded[:HEADLINE]


def cap_document(
    saying: Saying, *, site: Site, options: Options, outline: Sequence[LatLon] = ()
) -> etree._Element:
    """Return a message as a CAP 1.2 document, not yet signed; `outline` is what was seen, if known."""
    root = etree.Element(_cap("alert"), nsmap={None: CAP})
    _add(root, "identifier", saying.identifier)
    _add(root, "sender", sender(site, options))
    _add(root, "sent", moment(saying.sent_at, site.timezone))
    _add(root, "status", "Exercise" if options.exercise else "Actual")
    _add(root, "msgType", saying.kind)
    _add(root, "scope", saying.audience)
    if saying.audience is Audience.RESTRICTED:
        _add(root, "restriction", _both("alert.restriction"))
    if options.exercise:
        _add(root, "note", _both("alert.exercise"))
    if saying.references:
        _add(root, "references", " ".join(_reference(r, site, options) for r in saying.references))
    _add(root, "incidents", saying.incident.id)
    shape = _shape(saying.incident, outline)
    for language in reversed(LANGUAGES):
        info = _info(root, saying, language, site=site, options=options)
        area = etree.SubElement(info, _cap("area"))
        _add(area, "areaDesc", saying.incident.place_name[language])
        _add(area, *shape)
    return root


def sender(site: Site, options: Options) -> str:
    """Return who we are to CAP readers; the operator should set a domain name of its own."""
    return options.cap_sender or f"gridpatrol.{token(site.id)}"


def token(name: str) -> str:
    """Return a name without what identifiers may not hold."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def moment(at: datetime, timezone: str) -> str:
    """Return a CAP date-time: whole seconds, the site's offset, UTC as -00:00."""
    shown = at.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds")
    return f"{shown[:-6]}-00:00" if shown.endswith("+00:00") else shown


def to_bytes(root: etree._Element) -> bytes:
    """Return a document as it is sent."""
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def _info(
    root: etree._Element,
    saying: Saying,
    language: str,
    *,
    site: Site,
    options: Options,
) -> etree._Element:
    incident, is_over = saying.incident, saying.kind is Kind.CANCEL
    info = etree.SubElement(root, _cap("info"))
    _add(info, "language", language)
    _add(info, "category", CATEGORY.get(saying.hazard, "Env"))
    _add(info, "event", alerts.event(saying.hazard, language))
    _add(info, "responseType", "AllClear" if is_over else "Assess")
    _add(info, "urgency", "Past" if is_over else URGENCY[saying.severity])
    _add(info, "severity", SEVERITY[saying.severity])
    _add(info, "certainty", "Likely" if incident.confidence > 0.5 else "Possible")
    _add(info, "effective", moment(saying.sent_at, site.timezone))
    _add(info, "expires", moment(saying.sent_at + LASTS, site.timezone))
    _add(info, "senderName", named(site.name, language))
    _add(info, "headline", saying.title(language))
    _add(info, "description", _description(saying, language, site))
    if not is_over:
        is_public = saying.audience is Audience.PUBLIC
        _add(
            info,
            "instruction",
            text("cap.public_instruction" if is_public else "alert.instruction", language),
        )
    if options.public_url and incident.frame and saying.audience is Audience.RESTRICTED:
        address = f"{options.public_url}/v1/frames/{incident.frame}/marked.jpg"
        _resource(info, saying.title(language), address)
    return info


def _shape(incident: IncidentOut, outline: Sequence[LatLon]) -> tuple[str, str]:
    """Return the element that says where it is, and its text."""
    place, ellipse = LatLon(incident.lat_deg, incident.lon_deg), Ellipse(**incident.ellipse.model_dump())
    ring = area_ring(place, ellipse, outline)
    if ring is not None:
        return "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lat, lon in ring)
    radius_km = max(ellipse.major_m, 1.0) / 1000.0
    return "circle", f"{place.lat_deg:.6f},{place.lon_deg:.6f} {radius_km:.3f}"


def _description(saying: Saying, language: str, site: Site) -> str:
    incident = saying.incident
    seen_at = incident.seen_at.astimezone(ZoneInfo(site.timezone))
    sentences = [text("cap.cancelled_why", language, why=saying.why)] if saying.why else []
    sentences += [
        text("alert.seen", language, time=f"{seen_at:%Y-%m-%d %H:%M}", looks=incident.looks),
        text(
            "alert.place",
            language,
            place=incident.place_name[language],
            lat=incident.lat_deg,
            lon=incident.lon_deg,
            within=max(incident.ellipse.major_m, 1.0),
        ),
        text("alert.severity", language, severity=text(f"alert.severity.{saying.severity}", language)),
    ]
    if incident.area_m2 is not None:
        sentences.append(text("alert.area", language, area=area_text(incident.area_m2, language)))
    if incident.temp_max_c is not None:
        sentences.append(text("alert.temp", language, temp=incident.temp_max_c))
    if saying.audience is Audience.RESTRICTED:  # whose outfall it is said to be is not for everybody
        sentences += told.sentences(incident.facts, language)
    return ("" if language.startswith("zh") else " ").join(sentences)


def _both(key: str) -> str:
    return " / ".join(text(key, language) for language in reversed(LANGUAGES))


def _reference(reference: Reference, site: Site, options: Options) -> str:
    return f"{sender(site, options)},{reference.identifier},{moment(reference.sent_at, site.timezone)}"


def _resource(info: etree._Element, what: str, uri: str) -> None:
    resource = etree.SubElement(info, _cap("resource"))
    _add(resource, "resourceDesc", what)
    _add(resource, "mimeType", "image/jpeg")
    _add(resource, "uri", uri)


def _cap(name: str) -> str:
    return f"{{{CAP}}}{name}"


def _add(parent: etree._Element, name: str, value: str) -> None:
    etree.SubElement(parent, _cap(name)).text = for_xml(value)
