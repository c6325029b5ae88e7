"""Texts that every reader can take: no control characters but tab and line ends, no half characters.

What comes in over HTTP is checked once, for every route alike (`plain_request`): such a character
cannot be kept by PostgreSQL (NUL), nor be said in XML (CAP, Atom, Open311), and people see nothing of it.
What goes out as XML is made safe whatever lies in the database (`for_xml`): a site file, a bus message
or a row from before may hold anything. What may be said is XML 1.0's `Char`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Request

from api.errors import BadRequest

_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BODILESS = ("GET", "HEAD", "OPTIONS")


def for_xml(text: str) -> str:
    """Return a text whose unsayable characters are shown as U+FFFD, the mark for what is not one."""
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def left_out(text: str) -> str:
    """Return a text without its unsayable characters."""
    return _UNSAYABLE.sub("", text)


def is_plain(text: str) -> bool:
    """Return whether every character of a text can be said."""
    return _UNSAYABLE.search(text) is None


async def plain_request(request: Request) -> None:
    """Refuse a request with an unsayable character in its address or its JSON; a dependency of every route.

    Raises:
        BadRequest: there is one; the sentence names where.
    """
    check(request.path_params, "path")
    check(request.query_params.multi_items(), "query")
    if request.method in _BODILESS or "json" not in request.headers.get("content-type", ""):
        return
    if can_hold_unsayable(await request.body()):
        try:
            told = await request.json()
        except (ValueError, RecursionError):
            return  # the route refuses what is no JSON, if it reads a body at all
        check(told, "body")


def can_hold_unsayable(body: bytes) -> bool:
    """Return whether JSON may hold such a character: escaped, or as U+FFFE, U+FFFF or half a character."""
    return b"\\" in body or not body.isascii()


def check(told: Any, where: str) -> None:
    """Refuse a value in which any text, also a key, holds an unsayable character.

    Raises:
        BadRequest: there is one; what was sent is not repeated.
    """
    for place, text in _texts(told, where):
        if not is_plain(text):
            raise BadRequest(
                f"{left_out(place)[:100]}: there is a control character or half a character: send plain text"
            )


def _texts(told: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a value as JSON has them, with where it stands."""
    waiting = [(where, told)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, str):
            yield where, value
        elif isinstance(value, Mapping):
            yield from ((where, key) for key in value)
            waiting += [(f"{where}.{key}", inner) for key, inner in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(where, inner) for inner in value]
