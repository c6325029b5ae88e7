"""The XMP packet of a picture as a flat table of texts.

XMP is RDF in XML. Makers write a value as an attribute, as an element, or in a
nested resource; here all become `prefix:Name`, nested ones `prefix:Outer/Name`,
with the prefix the file itself declares.
"""

import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

_MARK = b"http://ns.adobe.com/xap/1.0/\x00"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DEEPEST = 16


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, body) of a JPEG's application segments up to the image data."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xDA:
            return
        length = int(struct.unpack_from(">H", jpeg, at + 2)[0])
        if 0xE0 <= marker <= 0xEF:
            yield marker, jpeg[at + 4 : at + 2 + length]
        at += 2 + length


def packet(jpeg: bytes) -> bytes | None:
    """Return the XMP packet of a JPEG, None when it has none."""
    for marker, body in segments(jpeg):
        if marker == 0xE1 and body.startswith(_MARK):
            return body[len(_MARK) :]
    return None


def properties(text: bytes) -> dict[str, str]:
    """Return the packet's values by `prefix:Name`; a packet that is no XML gives none."""
    start, end = text.find(b"<"), text.rfind(b">")
    if start < 0:
        return {}
    prefixes: dict[str, str] = {}
    found: dict[str, str] = {}
    try:
        root: Element | None = None
        for event, item in iterparse(BytesIO(text[start : end + 1]), events=("start-ns", "start")):
            if event == "start-ns":
                prefixes.setdefault(item[1], item[0])
            elif root is None:
                root = item
    except (ParseError, DefusedXmlException, ValueError):
        return {}
    for description in root.iter(f"{_RDF}Description") if root is not None else ():
        _collect(description, "", prefixes, found)
    return found


def number(text: str | None) -> float | None:
    """Return the number in a text such as "+12.50" or "-86831/1600"; None when there is none."""
    if not text:
        return None
    above, _, below = text.strip().partition("/")
    try:
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value if abs(value) < 1e12 else None


def numbers(values: Mapping[str, str], prefix: str, *names: str) -> tuple[float | None, ...]:
    """Return the numbers of several names under one prefix."""
    return tuple(number(values.get(f"{prefix}:{name}")) for name in names)


def _collect(element: Element, outer: str, prefixes: Mapping[str, str], found: dict[str, str]) -> None:
    """Add an element's attributes and children to what was found."""
    for name, value in element.attrib.items():
        if not name.startswith(_RDF):
            found.setdefault(_key(name, outer, prefixes), value)
    for child in element:
        key = _key(child.tag, outer, prefixes)
        if (len(child) or child.attrib) and key.count("/") < _DEEPEST:
            _collect(child, key, prefixes, found)
        if child.text and child.text.strip():
            found.setdefault(key, child.text.strip())


def _key(name: str, outer: str, prefixes: Mapping[str, str]) -> str:
    uri, _, local = name.rpartition("}")
    return f"{outer}/{local}" if outer else f"{prefixes.get(uri[1:], '')}:{local}"
