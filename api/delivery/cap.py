"""CAP 1.2 (OASIS, 2010): one alert as the message that warning systems exchange, and the Atom feed of them.

Scope is Restricted until a named person releases a message to the public, so
`restriction` is filled in. Each telling of an alert is a message of its own,
worded from the incident as it was then, so that a message never changes under
its identifier: the first is an Alert, later ones are Updates that refer to all
before them.
Times carry the site's offset, and UTC is written -00:00, as the standard asks.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lxml import etree

from api import alerts
from api.schemas import IncidentOut
from api.services import Options
from api.shapes import ellipse_ring
from api.store.models import AlertRow
from missions.geo import LatLon
from missions.model import Hazard, Severity, Site
from missions.words import LANGUAGES, named, text
from vision.model import Ellipse

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
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


def cap_xml(alert: AlertRow, *, site: Site, options: Options) -> bytes:
    """Return an alert's latest telling as a CAP 1.2 document."""
    incident = IncidentOut.model_validate(alert.history[-1]["incident"])
    sent_at = alert.told_at
    root = etree.Element(_cap("alert"), nsmap={None: CAP})
    _add(root, "identifier", identifier(alert, alert.revision))
    _add(root, "sender", sender(site, options))
    _add(root, "sent", moment(sent_at, site.timezone))
    _add(root, "status", "Exercise" if options.exercise else "Actual")
    _add(root, "msgType", "Alert" if alert.revision == 1 else "Update")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", " / ".join(text("alert.restriction", lang) for lang in reversed(LANGUAGES)))
    if options.exercise:
        _add(root, "note", " / ".join(text("alert.exercise", lang) for lang in reversed(LANGUAGES)))
    if alert.revision > 1:
        _add(root, "references", _references(alert, site, options))
    _add(root, "incidents", incident.id)
    for language in reversed(LANGUAGES):
        _info(root, alert, incident, language, site=site, options=options)
    return _document(root)


def feed_xml(entries: list[AlertRow], *, site: Site, options: Options, now: datetime, url: str) -> bytes:
    """Return the Atom feed of alerts; each entry links to its CAP document."""
    root = etree.Element(_atom("feed"), nsmap={None: ATOM})
    _put(root, "id", f"urn:gridpatrol:site:{_token(site.id)}:cap")
    _put(root, "title", text("alert.feed", site=named(site.name)))
    _put(root, "updated", _rfc3339(max((a.told_at for a in entries), default=now)))
    _put(etree.SubElement(root, _atom("author")), "name", sender(site, options))
    _link(root, rel="self", href=f"{url}/v1/cap/feed.atom", kind="application/atom+xml")
    for alert in entries:
        entry = etree.SubElement(root, _atom("entry"))
        _put(entry, "id", f"urn:gridpatrol:cap:{identifier(alert, alert.revision)}")
        _put(entry, "title", named(alert.title))
        _put(entry, "updated", _rfc3339(alert.told_at))
        _put(entry, "published", _rfc3339(alert.raised_at))
        etree.SubElement(entry, _atom("category"), term=alert.hazard)
        _put(entry, "summary", " / ".join(alert.title[lang] for lang in reversed(LANGUAGES)))
        _link(entry, rel="alternate", href=f"{url}/v1/cap/{alert.id}.xml", kind=CAP_TYPE)
    return _document(root)


def identifier(alert: AlertRow, revision: int) -> str:
    """Return the id of one telling: no space, comma, < or &, as the standard demands."""
    return f"{alert.id}-{revision}"


def sender(site: Site, options: Options) -> str:
    """Return who we are to CAP readers; the operator should set a domain name of its own."""
    return options.cap_sender or f"gridpatrol.{_token(site.id)}"


def moment(at: datetime, timezone: str) -> str:
    """Return a CAP date-time: whole seconds, the site's offset, UTC as -00:00."""
    shown = at.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds")
    return f"{shown[:-6]}-00:00" if shown.endswith("+00:00") else shown


def polygon(incident: IncidentOut) -> str:
    """Return the 95 % ellipse as a closed ring of "latitude,longitude" pairs."""
    ellipse = Ellipse(**incident.ellipse.model_dump())
    ring = ellipse_ring(LatLon(incident.lat_deg, incident.lon_deg), ellipse)
    return " ".join(f"{place.lat_deg:.7f},{place.lon_deg:.7f}" for place in (*ring, ring[0]))


def _info(
    root: etree._Element,
    alert: AlertRow,
    incident: IncidentOut,
    language: str,
    *,
    site: Site,
    options: Options,
) -> None:
    hazard, severity = Hazard(alert.hazard), Severity(alert.severity)
    info = etree.SubElement(root, _cap("info"))
    _add(info, "language", language)
    _add(info, "category", CATEGORY.get(hazard, "Env"))
    _add(info, "event", alerts.event(hazard, language))
    _add(info, "responseType", "Assess")
    _add(info, "urgency", URGENCY[severity])
    _add(info, "severity", SEVERITY[severity])
    _add(info, "certainty", "Likely" if incident.confidence > 0.5 else "Possible")
    _add(info, "expires", moment(alert.told_at + LASTS, site.timezone))
    _add(info, "senderName", named(site.name, language))
    _add(info, "headline", alert.title[language][:HEADLINE])
    _add(info, "description", _description(alert, incident, language, site))
    _add(info, "instruction", text("alert.instruction", language))
    if options.public_url and incident.frame:
        _resource(info, alert.title[language], f"{options.public_url}/v1/frames/{incident.frame}/marked.jpg")
    area = etree.SubElement(info, _cap("area"))
    _add(area, "areaDesc", incident.place_name[language])
    _add(area, "polygon", polygon(incident))


def _description(alert: AlertRow, incident: IncidentOut, language: str, site: Site) -> str:
    seen_at = incident.seen_at.astimezone(ZoneInfo(site.timezone))
    sentences = [
        text("alert.seen", language, time=f"{seen_at:%Y-%m-%d %H:%M}", looks=incident.looks),
        text(
            "alert.place",
            language,
            place=incident.place_name[language],
            lat=incident.lat_deg,
            lon=incident.lon_deg,
            within=max(incident.ellipse.major_m, 1.0),
        ),
        text("alert.severity", language, severity=text(f"alert.severity.{alert.severity}", language)),
    ]
    if incident.area_m2 is not None:
        sentences.append(text("alert.area", language, area=incident.area_m2))
    if incident.temp_max_c is not None:
        sentences.append(text("alert.temp", language, temp=incident.temp_max_c))
    return ("" if language.startswith("zh") else " ").join(sentences)


def _references(alert: AlertRow, site: Site, options: Options) -> str:
    """Return "sender,identifier,sent" of every earlier telling."""
    who = sender(site, options)
    return " ".join(
        f"{who},{identifier(alert, told['revision'])},"
        f"{moment(datetime.fromisoformat(told['told_at']), site.timezone)}"
        for told in alert.history
        if told["revision"] < alert.revision
    )


def _resource(info: etree._Element, what: str, uri: str) -> None:
    resource = etree.SubElement(info, _cap("resource"))
    _add(resource, "resourceDesc", what)
    _add(resource, "mimeType", "image/jpeg")
    _add(resource, "uri", uri)


def _token(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cap(name: str) -> str:
    return f"{{{CAP}}}{name}"


def _atom(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _add(parent: etree._Element, name: str, value: str) -> None:
    etree.SubElement(parent, _cap(name)).text = value


def _put(parent: etree._Element, name: str, value: str) -> None:
    etree.SubElement(parent, _atom(name)).text = value


def _link(parent: etree._Element, *, rel: str, href: str, kind: str) -> None:
    etree.SubElement(parent, _atom("link"), rel=rel, href=href, type=kind)


def _document(root: etree._Element) -> bytes:
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document
