"""What a detector says beside place and size, joined over the looks at one event and worded for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from missions.words import LANGUAGES, named, text
from vision.model import Fact

MOST_LISTED, MOST_NAMED = 50, 5
"""A message lists so many things that were reached, a sentence names so many of a kind."""

Facts = Mapping[str, Fact]
_KINDS = ("village", "building", "road", "tower")


def joined(best: Facts, other: Facts) -> Facts:
    """Return the facts of two looks: the better one's go first, what either says was reached is reached."""
    facts = {**other, **best}
    reached = {(r["kind"], r["id"]): r for look in (other, best) for r in _reached(look)}
    if reached:
        facts |= {"reached": tuple(reached.values()), "reached_counts": counts(reached.values())}
    return facts


def counts(reached: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many things of each kind were reached."""
    return dict(Counter(str(one["kind"]) for one in reached))


def shown(facts: Facts) -> dict[str, Any]:
    """Return the facts as a message carries them: of all that was reached, what has a name is listed."""
    listed = [one for one in _reached(facts) if one["name"]][:MOST_LISTED]
    return {**facts, "reached": listed} if "reached" in facts else dict(facts)


def sentences(facts: Mapping[str, Any], language: str) -> list[str]:
    """Return what the facts of an incident say that its place, size and heat do not."""
    return [*_flood(facts, language), *_felling(facts, language), *_plume(facts, language)]


def in_all_languages(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return each of the sentences by language."""
    each = zip(*(sentences(facts, language) for language in LANGUAGES), strict=True)
    return [dict(zip(LANGUAGES, said, strict=True)) for said in each]


def _flood(facts: Mapping[str, Any], language: str) -> Iterator[str]:
    if rise := facts.get("rise_m"):
        yield _interval("fact.rise", rise, language)
    if reached := facts.get("reached_counts"):
        parts = [_of_kind(kind, reached[kind], facts, language) for kind in _KINDS if kind in reached]
        yield text("fact.reached", language, what=text("fact.comma", language).join(parts))


def _of_kind(kind: str, count: int, facts: Mapping[str, Any], language: str) -> str:
    names = [named(one["name"], language) for one in _reached(facts) if one["kind"] == kind and one["name"]]
    what = text(f"fact.{kind}", language, count=count)
    if not names:
        return what
    listed = text("fact.comma", language).join(names[:MOST_NAMED])
    return text("fact.named", language, what=what, names=listed)


def _felling(facts: Mapping[str, Any], language: str) -> Iterator[str]:
    for name in ("trees", "timber_m3"):
        if value := facts.get(name):
            yield _interval(f"fact.{name}", value, language)
    if metres := facts.get("track_m"):
        yield text("fact.track", language, metres=metres, wide=facts["track_wide_m"])
    if "vehicle" in facts:
        length_m = facts.get("length_m")
        key = "fact.vehicle" if length_m is None else "fact.vehicle_seen"
        yield text(key, language, metres=length_m)
    if (metres := facts.get("vehicle_within_m")) is not None:
        yield text("fact.vehicle_near", language, metres=metres)


def _plume(facts: Mapping[str, Any], language: str) -> Iterator[str]:
    if "outfall" not in facts:
        return
    yield text(
        "fact.outfall", language, name=named(facts.get("outfall_name") or {"": facts["outfall"]}, language)
    )
    goes_on = facts.get("goes_on_beyond_the_picture") == "yes"
    yield text("fact.plume_open" if goes_on else "fact.plume", language, metres=facts["length_m"])
    if (warmer := facts.get("warmer_k")) is not None:
        yield text("fact.warmer" if warmer > 0 else "fact.colder", language, kelvin=abs(warmer))
    if "tint_lab" in facts:
        yield text("fact.coloured", language)


def _interval(key: str, value: tuple[float, float, float], language: str) -> str:
    low, middle, high = value
    return text(key, language, low=low, middle=middle, high=high)


def _reached(facts: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(facts.get("reached") or ())
