"""Demands sorted by the hours of the day in which they can be flown together.

A sortie is flown within the hours of everything it looks at, so only demands with enough hours in
common are laid out together. A demand whose ground lies in a zone that is shut for a part of the day
is flown while the zone is open; all others fly round whatever is shut at some time of their hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from missions.geo import LocalFrame
from missions.model import Demand, Site, Unserved
from missions.volumes import DAY_S, Hours, grown, is_shut, is_shut_always, overlap_s, spans
from missions.watch import shape_of
from missions.words import text

# Hours that two demands have in common must leave room for a few sorties, one after the other.
COMMON_FLIGHTS = 3
LEAST_S = 300.0

# Demands without hours go with those that have some where their ground is so near, and only there.
NEAR_M = 60.0


class Mix(StrEnum):
    """With whom demands without hours of their own are flown."""

    ALL = "all"  # with any that have hours, so that ways are shared
    NEAR = "near"  # with those whose ground is near
    NONE = "none"  # at any time of the day, by themselves


@dataclass(frozen=True, slots=True)
class Period:
    """Demands that are flown together, and the hours they have in common."""

    hours: Hours
    demands: tuple[Demand, ...]


def periods(
    site: Site,
    demands: Sequence[Demand],
    *,
    hours: Hours,
    longest_s: float,
    mix: Mix = Mix.ALL,
    language: str = "en-US",
) -> tuple[tuple[Period, ...], tuple[Unserved, ...]]:
    """Return the demands by their hours within those planned for, and those that have none."""
    frame = LocalFrame(site.origin)
    unserved: list[Unserved] = []
    found: list[tuple[Hours, list[Demand]]] = []
    own = {d.id: own_hours(d, site, hours, frame) for d in demands}
    for demand in sorted(demands, key=lambda d: own[d.id][1] - own[d.id][0]):
        mine = own[demand.id]
        if mine[1] - mine[0] < LEAST_S:
            unserved.append(_no_hours(demand, hours, language))
            continue
        for k, (theirs, group) in enumerate(found):
            common = max(theirs[0], mine[0]), min(theirs[1], mine[1])
            fits = theirs == mine or common[1] - common[0] >= min(
                COMMON_FLIGHTS * longest_s, theirs[1] - theirs[0]
            )
            near = mix is Mix.NEAR and _is_near(demand, group, frame)
            if fits and (mix is Mix.ALL or demand.window or theirs == mine or near):
                found[k] = (common, [*group, demand])
                break
        else:
            found.append((mine, [demand]))
    order = {d.id: k for k, d in enumerate(demands)}
    made = (Period(common, tuple(sorted(group, key=lambda d: order[d.id]))) for common, group in found)
    return tuple(sorted(made, key=lambda p: p.hours)), tuple(unserved)


def at_once(site: Site, *, now_s: float, for_s: float) -> Site:
    """Return the site as it is for flights that start now: zones are shut or open, demands have no hours.

    A zone that shuts within `for_s` counts as shut. Which demands are open now is the caller's to say.
    """
    soon = now_s, now_s + for_s
    return replace(
        site,
        no_fly=tuple(replace(z, hours=None) for z in site.no_fly if is_shut(z, soon)),
        demands=tuple(replace(d, window=None) for d in site.demands),
    )


def own_hours(demand: Demand, site: Site, hours: Hours, frame: LocalFrame) -> Hours:
    """Return the longest stretch of the hours in which a demand may be looked at."""
    choices = [hours]
    if demand.window is not None:
        choices = [_common(hours, part) for part in spans(demand.window)]
    for zone in site.no_fly:
        for_a_while = zone.hours is not None and is_shut(zone, hours) and not is_shut_always(zone, hours)
        if for_a_while and shape_of(demand.where, frame).intersects(grown(frame.polygon(zone.area))):
            assert zone.hours is not None
            choices = [left for part in choices for left in _without(part, spans(zone.hours))]
    return max(choices, key=lambda part: part[1] - part[0], default=(0.0, 0.0))


def _without(hours: Hours, shut: Sequence[Hours]) -> list[Hours]:
    """Return what is left of a stretch of the day outside of others."""
    left = [hours]
    for begin, end in shut:
        left = [
            part
            for start, stop in left
            for part in ((start, min(stop, begin)), (max(start, end), stop))
            if part[1] > part[0]
        ]
    return left


def _common(a: Hours, b: Hours) -> Hours:
    return (max(a[0], b[0]), min(a[1], b[1])) if overlap_s(a, b) > 0 else (a[0], a[0])


def _is_near(demand: Demand, group: Sequence[Demand], frame: LocalFrame) -> bool:
    mine = shape_of(demand.where, frame)
    return any(mine.distance(shape_of(other.where, frame)) <= NEAR_M for other in group if other.window)


def _no_hours(demand: Demand, hours: Hours, language: str) -> Unserved:
    key = "unserved.no_hours" if demand.window else "unserved.shut"
    values = {
        "begin": clock(demand.window[0]) if demand.window else "",
        "end": clock(demand.window[1]) if demand.window else "",
        "from": clock(hours[0]),
        "until": clock(hours[1]),
    }
    return Unserved(demand.id, text(key, language, **values), text(f"{key}.help", language, **values))


def clock(seconds: float) -> str:
    """Return a time of day as "07:30"; midnight at the end of the day is 24:00."""
    minutes = round(seconds / 60)
    if minutes != 24 * 60:
        minutes %= 24 * 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


__all__ = ["DAY_S", "Hours", "Mix", "Period", "at_once", "clock", "own_hours", "periods"]
