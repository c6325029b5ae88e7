"""What a thing is now as an ETag: who changes it may say what was read, and if it changed since, gets a 412.

Alerts, orders and reports count their versions. Everything else that can be changed over HTTP (mutes, masks,
releases, holds, receivers, accounts, leads, what waits for review, dead letters) is `Stamped`: its `etag`
follows from what is shown of it, in lists too. Agencies, their grounds, members, subscriptions, schedules and
the settings are files of the operator, which no route changes. What is only made or ended, and sorties,
which change by themselves all the time, refuse a wrong move with 409 and the moves there are.
"""

import hashlib
from typing import Annotated, ClassVar, TypeVar

from fastapi import Header, Response
from pydantic import BaseModel, computed_field

from api.errors import Stale

Shown = TypeVar("Shown", bound="Stamped")

IfMatch = Annotated[str | None, Header(description="the ETag that was read: 412 when it is an older one")]


class Stamped(BaseModel):
    """A thing that people change; `etag` says what it is now, for `If-Match`."""

    UNSTAMPED: ClassVar[frozenset[str]] = frozenset()
    """What changes by itself: it makes nobody's reading stale."""

    @computed_field  # type: ignore[prop-decorator]  # pydantic reads properties so
    @property
    def etag(self) -> str:
        """The ETag of this thing as it is shown here."""
        facts = self.model_dump_json(exclude={"etag", *self.UNSTAMPED})
        return f'"{hashlib.sha256(facts.encode()).hexdigest()[:20]}"'


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def check(if_match: str | None, version: int) -> None:
    """Return when the caller names the version that is there, or names none.

    Raises:
        Stale: somebody has changed the thing since the caller read it.
    """
    _compare(if_match, etag(version))


def check_shown(if_match: str | None, shown: Stamped | None) -> None:
    """Return when the caller names what is there now, or names nothing.

    Raises:
        Stale: somebody has changed the thing since the caller read it, or it is not there at all.
    """
    _compare(if_match, None if shown is None else shown.etag)


def tagged(response: Response, shown: Shown) -> Shown:
    """Return a thing as it is shown after a change, its ETag in the answer's head."""
    response.headers["ETag"] = shown.etag
    return shown


def _compare(if_match: str | None, now: str | None) -> None:
    if if_match is None or (if_match.strip() == "*" and now is not None):
        return
    named = {part.strip().removeprefix("W/") for part in if_match.split(",")}
    if now is None or now not in named:
        is_now = f"this is {now} by now" if now else "there is nothing of the kind"
        raise Stale(f"If-Match names {if_match}, and {is_now}: read it again")
