"""A spread told in words: how fast, where to, and what it reaches when, in every language."""

from collections.abc import Sequence

from missions.model import PowerLine, ReferenceLayers
from missions.words import LANGUAGES, area_text, named, text
from vision.flood import Rise
from vision.growth import Arrival, Growth, Thing

MOST_NAMED = 3
"""A duty officer is told of so many things that are reached, the soonest first."""

_STANDS_M = 3.0  # in ten minutes


def things(layers: ReferenceLayers) -> list[Thing]:
    """Return what a fire or a flood may reach: villages, buildings, towers and roads."""
    areas = [
        Thing(a.name, a.area.outer, is_area=True, kind=a.kind, id=a.id)
        for a in (*layers.villages, *layers.buildings)
    ]
    roads = [Thing(r.name, r.line, kind="road", id=r.id) for r in layers.roads]
    towers = [
        Thing(_tower(line, number), (place,), kind="tower", id=f"{line.id}-{number}")
        for line in layers.lines
        for number, place in line.towers
    ]
    return [*areas, *towers, *roads]


def _tower(line: PowerLine, number: str) -> dict[str, str]:
    """Return a tower's name in every language."""
    return {
        language: text("growth.tower", language, number=number, line=named(line.name, language))
        for language in LANGUAGES
    }


def worded(
    growth: Growth,
    reached: Sequence[Arrival],
    language: str,
    *,
    rise: Rise | None = None,
    is_front: bool = True,
) -> str:
    """Return one sentence on a spread, without the full stop; what is no front is told by its area."""
    parts = [_front(growth, language)] if is_front and rise is None else []
    parts += [_rise(rise, language)] if rise else []
    parts.append(text("growth.area", language, area=area_text(growth.area_m2, language)))
    parts += [] if is_front else [_grows(growth, language)]
    parts += [_arrival(a, language) for a in reached if a.after_s is not None][:MOST_NAMED]
    sentence = parts[0]
    for part in parts[1:]:
        sentence = text("growth.joined", language, first=sentence, second=part)
    return sentence


def _front(growth: Growth, language: str) -> str:
    metres, low, high = (
        round(600 * v) for v in (growth.speed_m_s, growth.speed_low_m_s, growth.speed_high_m_s)
    )
    if metres < _STANDS_M:
        return text("growth.still", language)
    towards = text(f"growth.direction_{round(growth.bearing_deg / 45) % 8}", language)
    said = "growth.front" if low else "growth.front_perhaps"
    return text(said, language, direction=towards, metres=metres, low=low, high=high)


def _rise(rise: Rise, language: str) -> str:
    numbers = {"metres": rise.m_per_h, "low": rise.low_m_per_h, "high": rise.high_m_per_h}
    return text("growth.rises", language, **{name: f"{value:.2f}" for name, value in numbers.items()})


def _grows(growth: Growth, language: str) -> str:
    low, high = growth.area_90_m2_per_h
    numbers = {"more": growth.area_m2_per_h, "low": low, "high": high}
    return text("growth.grows", language, **{name: f"{value:+.0f}" for name, value in numbers.items()})


def _arrival(arrival: Arrival, language: str) -> str:
    name = named(arrival.name, language)
    if not arrival.after_s:
        return text("growth.reached", language, name=name)
    minutes, earliest = round(arrival.after_s / 60), round((arrival.earliest_s or 0.0) / 60)
    if arrival.latest_s is None:
        return text("growth.arrives_open", language, name=name, minutes=minutes, earliest=earliest)
    latest = round(arrival.latest_s / 60)
    return text("growth.arrives", language, name=name, minutes=minutes, earliest=earliest, latest=latest)
