"""What everybody may see: nothing that was not released, and of that a rounded place. Pure."""

from datetime import datetime, timedelta

from missions.geo import LatLon
from missions.words import LANGUAGES, text

ROUNDED_DEG = 0.01
"""About a kilometre: enough to know whether it is near, not enough to find somebody's yard."""

ADVICE = {"fire": 6, "flood": 6}
"""Hazards with advice on what to do, and how many sentences it has."""

LESSONS = ("burning", "smoke", "river", "line")
ANSWERS = 3

Names = dict[str, str]


def rounded(place: LatLon) -> LatLon:
    """Return the middle of the square of the grid in which a place lies."""

    def middle(degrees: float) -> float:
        return round((degrees // ROUNDED_DEG + 0.5) * ROUNDED_DEG, 6)

    return LatLon(middle(place.lat_deg), middle(place.lon_deg))


def rounded_time(at: datetime) -> datetime:
    """Return the full hour before a time."""
    return at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)


def advice(hazard: str) -> list[Names]:
    """Return what to do about a hazard, sentence by sentence in every language."""
    return [_words(f"public.advice.{hazard}.{number}") for number in range(1, ADVICE.get(hazard, 0) + 1)]


def lesson(name: str) -> dict[str, object]:
    """Return one lesson with its question; the first answer is the right one, the page mixes them."""
    key = f"public.lesson.{name}"
    return {
        "id": name,
        "title": _words(f"{key}.title"),
        "text": _words(f"{key}.text"),
        "question": _words(f"{key}.question"),
        "answers": [
            {"text": _words(f"{key}.answer.{number}"), "is_right": number == 1}
            for number in range(1, ANSWERS + 1)
        ],
    }


def _words(key: str) -> Names:
    return {language: text(key, language) for language in LANGUAGES}
