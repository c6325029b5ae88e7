"""Times as witnesses give them: with their zone, or with the one that is stated for the source."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from missions.errors import InputWrong

AHEAD = timedelta(minutes=10)
"""So far a witness's clock may run ahead of ours before it is called wrong."""


class NoTime(InputWrong):
    """The time cannot be used."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A moment in UTC, and what was mended to get it."""

    at: datetime
    notes: tuple[str, ...] = ()


def timed(text: str, *, zone: tzinfo, now: datetime, mends_future: bool = False) -> Timed:
    """Return the moment a text names; one without a zone is taken in `zone`, and that is noted.

    A moment in the future is refused, or with `mends_future` replaced by now: a person's word counts
    although the phone's clock is wrong, a row of a file is better asked for again.

    Raises:
        NoTime: the text is no time, or lies in the future.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        in_utc = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoTime(f"time: found {text!r}, expected one such as 2026-06-01T10:00:00+08:00") from None
    notes: tuple[str, ...] = ()
    if at.tzinfo is None:
        notes = (f"the time {text.strip()} names no zone: taken as {zone}",)
    return _not_ahead(in_utc, notes, now=now, mends_future=mends_future)


def checked(at: datetime, *, now: datetime) -> datetime:
    """Return a moment that is not in the future.

    Raises:
        NoTime: it is.
    """
    return _not_ahead(at, (), now=now, mends_future=False).at


def _not_ahead(at: datetime, notes: tuple[str, ...], *, now: datetime, mends_future: bool) -> Timed:
    if at - now <= AHEAD:
        return Timed(at, notes)
    if mends_future:
        return Timed(now, (*notes, f"the time {at.isoformat()} lies in the future: taken as now"))
    raise NoTime(f"time: found {at.isoformat()}, which lies in the future: is the clock or the zone right?")
