"""Who of an agency is called, by what, and when: channels, members, shifts, quiet hours.

Values and two questions about the time of day, asked in the site's own zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

DAY_S = 86_400.0


class Duty(StrEnum):
    """What a member of an agency may do, beside seeing what the agency sees."""

    OFFICER = "officer"  # acknowledges, shelves, makes orders, closes them, mutes
    CREW = "crew"  # works an order on the ground: arrives, reports, resolves
    CHIEF = "chief"  # what an officer may, and releases to the public, shares the lead


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach a program or a person: "webhook", "mail", "sms", "voice", "chat", and where."""

    kind: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of an agency; `channels` in the order in which they are tried."""

    id: str
    name: str
    duties: frozenset[Duty]
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on call from one time of day to another, first to be called first.

    `days` are those on which it begins, Monday 0; times are seconds after local midnight, and an end
    at or before the begin lies on the next day.
    """

    days: frozenset[int]
    begin_s: float
    end_s: float
    members: tuple[str, ...]


def on_call(shifts: Sequence[Shift], local_at: datetime) -> tuple[str, ...]:
    """Return the ids of who is on call at a local time, in calling order, each once."""
    found = (member for shift in shifts if _covers(shift, local_at) for member in shift.members)
    return tuple(dict.fromkeys(found))


def quiet_until(quiet_hours: tuple[float, float] | None, local_at: datetime) -> datetime | None:
    """Return when the quiet hours that hold a local time end, None outside of them."""
    if quiet_hours is None:
        return None
    begin_s, end_s = quiet_hours
    for days_ago in (0, 1):
        day = _midnight(local_at) - timedelta(days=days_ago)
        end = day + timedelta(seconds=end_s + (DAY_S if end_s <= begin_s else 0.0))
        if day + timedelta(seconds=begin_s) <= local_at < end:
            return end
    return None


def _covers(shift: Shift, local_at: datetime) -> bool:
    for days_ago in (0, 1):
        day = _midnight(local_at) - timedelta(days=days_ago)
        end_s = shift.end_s + (DAY_S if shift.end_s <= shift.begin_s else 0.0)
        begins, ends = day + timedelta(seconds=shift.begin_s), day + timedelta(seconds=end_s)
        if day.weekday() in shift.days and begins <= local_at < ends:
            return True
    return False


def _midnight(local_at: datetime) -> datetime:
    return datetime.combine(local_at.date(), time(), tzinfo=local_at.tzinfo)
