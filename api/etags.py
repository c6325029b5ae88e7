"""Versions as ETags: who changes a thing may say which version it has read, and an older one is refused."""

from typing import Annotated

from fastapi import Header

from api.errors import Stale

IfMatch = Annotated[str | None, Header(description="the ETag that was read: 412 when it is an older one")]


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def check(if_match: str | None, version: int) -> None:
    """Return when the caller names the version that is there, or names none.

    Raises:
        Stale: somebody has changed the thing since the caller read it.
    """
    if if_match is None or if_match.strip() == "*":
        return
    named = {part.strip().removeprefix("W/") for part in if_match.split(",")}
    if etag(version) not in named:
        raise Stale(f"If-Match names {if_match}, and this is version {etag(version)} by now: read it again")
