"""The Atom feed of CAP messages (RFC 4287), in pages that feed readers take (RFC 5005).

A page is at most 100 kB, however long the place names are: it is filled entry
by entry and ends before it would grow beyond that; `next` leads on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from api.delivery.cap import CAP_TYPE, Audience, Saying, sender, to_bytes, token
from api.plain import for_xml
from api.services import Options
from missions.model import Site
from missions.words import LANGUAGES, named, text

ATOM = "http://www.w3.org/2005/Atom"
ATOM_TYPE = "application/atom+xml"
MOST_BYTES = 100_000
_RESERVE = 400  # for the link to the next page


@dataclass(frozen=True, slots=True)
class Page:
    """A feed page, and how many of the messages offered it holds."""

    document: bytes
    taken: int


def feed_page(
    sayings: Sequence[Saying],
    *,
    site: Site,
    options: Options,
    now: datetime,
    url: str,
    audience: Audience,
    self_href: str,
    next_href: str,
    has_more: bool = False,
) -> Page:
    """Return one page with as many of the messages, newest first, as fit.

    next_href: where the page after the last message taken is, but for that message's identifier.
    has_more: whether messages follow those offered.
    """
    root = etree.Element(_atom("feed"), nsmap={None: ATOM})
    _put(root, "id", f"urn:gridpatrol:site:{token(site.id)}:cap:{audience.lower()}")
    _put(root, "title", text("alert.feed", site=named(site.name)))
    _put(root, "updated", _rfc3339(max((s.sent_at for s in sayings), default=now)))
    _put(etree.SubElement(root, _atom("author")), "name", sender(site, options))
    _link(root, rel="self", href=self_href, kind=ATOM_TYPE)
    size, taken = len(to_bytes(root)) + _RESERVE, 0
    for saying in sayings:
        entry = _entry(saying, url)
        size += len(etree.tostring(entry, encoding="UTF-8"))
        if size > MOST_BYTES and taken:
            break
        root.append(entry)
        taken += 1
    if taken and (has_more or taken < len(sayings)):
        _link(root, rel="next", href=next_href + sayings[taken - 1].identifier, kind=ATOM_TYPE)
    return Page(to_bytes(root), taken)


def _entry(saying: Saying, url: str) -> etree._Element:
    entry = etree.Element(_atom("entry"), nsmap={None: ATOM})
    titles = {language: saying.title(language) for language in LANGUAGES}
    _put(entry, "id", f"urn:gridpatrol:cap:{saying.identifier}")
    _put(entry, "title", named(titles))
    _put(entry, "updated", _rfc3339(saying.sent_at))
    _put(entry, "published", _rfc3339(saying.references[0].sent_at if saying.references else saying.sent_at))
    etree.SubElement(entry, _atom("category"), term=saying.hazard)
    _put(entry, "summary", " / ".join(titles[language] for language in reversed(LANGUAGES)))
    _link(entry, rel="alternate", href=f"{url}/{saying.identifier}.xml", kind=CAP_TYPE)
    return entry


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _atom(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _put(parent: etree._Element, name: str, value: str) -> None:
    etree.SubElement(parent, _atom(name)).text = for_xml(value)


def _link(parent: etree._Element, *, rel: str, href: str, kind: str) -> None:
    etree.SubElement(parent, _atom("link"), rel=rel, href=for_xml(href), type=kind)
