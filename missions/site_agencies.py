"""The people's half of a site file: channels, members, shifts and what agencies share, checked."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from missions.duty import Channel, Duty, Member, Shift
from missions.model import Hazard, Severity, Shared, Sharing
from missions.yaml_lines import Keys, Lined

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def channels(rows: Any) -> tuple[Channel, ...]:
    """Return channels in the order written."""
    return tuple(Channel(row["kind"], str(row.get("to", ""))) for row in rows)


def members(lined: Lined, keys: Keys, rows: Any) -> tuple[Member, ...]:
    """Return an agency's members.

    Raises:
        SiteWrong: an id stands there twice.
    """
    seen: set[str] = set()
    for i, row in enumerate(rows):
        if row["id"] in seen:
            raise lined.wrong((*keys, i, "id"), found=f"{row['id']!r} a second time", expected="each once")
        seen.add(row["id"])
    return tuple(
        Member(row["id"], row["name"], frozenset(map(Duty, row["duties"])), channels(row["channels"]))
        for row in rows
    )


def shifts(lined: Lined, keys: Keys, rows: Any, known: tuple[Member, ...]) -> tuple[Shift, ...]:
    """Return who is on call when.

    Raises:
        SiteWrong: a shift names nobody of the agency, or a time that is none.
    """
    names = {member.id for member in known}
    found = []
    for i, row in enumerate(rows):
        for j, member in enumerate(row["members"]):
            if member not in names:
                expected = f"one of the members {', '.join(sorted(names)) or '(there are none)'}"
                raise lined.wrong((*keys, i, "members", j), found=repr(member), expected=expected)
        begin_s, end_s = hours(lined, (*keys, i, "hours"), row["hours"])
        days = frozenset(_DAYS.index(day) for day in row.get("days", _DAYS))
        found.append(Shift(days, begin_s, end_s, tuple(row["members"])))
    return tuple(found)


def sharing(lined: Lined, rows: Any, agencies: set[str]) -> tuple[Sharing, ...]:
    """Return the rules by which agencies let others see what is theirs.

    Raises:
        SiteWrong: a rule names no agency, or one agency twice.
    """
    found = []
    for i, row in enumerate(rows):
        for key in ("from", "to"):
            if row[key] not in agencies:
                expected = f"one of the agencies {', '.join(sorted(agencies))}"
                raise lined.wrong(("sharing", i, key), found=repr(row[key]), expected=expected)
        if row["from"] == row["to"]:
            raise lined.wrong(("sharing", i, "to"), found=repr(row["to"]), expected="another agency")
        found.append(_rule(row))
    return tuple(found)


def hours(lined: Lined, keys: Keys, row: Any) -> tuple[float, float]:
    """Return two times of day as seconds after midnight.

    Raises:
        SiteWrong: one of them is no time.
    """
    try:
        begin, end = (time.fromisoformat(text) for text in row)
    except ValueError:
        expected = 'two times as ["07:00", "19:00"]'
        raise lined.wrong(keys, found=str(list(row)), expected=expected) from None
    return begin.hour * 3600.0 + begin.minute * 60.0, end.hour * 3600.0 + end.minute * 60.0


def _rule(row: Mapping[str, Any]) -> Sharing:
    return Sharing(
        giver=row["from"],
        taker=row["to"],
        hazards=frozenset(Hazard(h) for h in row["hazards"]),
        floor=Severity(row.get("floor", "blue")),
        what=frozenset(Shared(w) for w in row["what"]),
    )
