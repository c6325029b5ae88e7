"""What a person says: a resident's report or a ranger's patrol record, as one sighting.

Field names are those of Open311 GeoReport v2 (lat, long, service_code, description,
requested_datetime, media_url), and beside them the ones our own API and patrol tablets use.

A phone's GPS says where the person stands, a pin on a map where the thing is. Neither carries
an error that was ever measured for reports of fire, so the defaults below are stated guesses:
wide enough that a look which covers the ellipse covers what the person meant. A ranger stands at it.

What is mended is named in the sighting's notes; what cannot be mended is refused with the field's
name, what was found and what was expected. A photo that is too large or is no picture is left out
and named, and the report stands.
"""

import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from missions.chinamaps import MapDatum, to_gcj02
from missions.errors import InputWrong
from missions.geo import LatLon, moved
from missions.model import Hazard
from vision.metadata import exif
from vision.witnesses.sighting import Sighting, Witness
from vision.witnesses.when import timed
from vision.witnesses.where import NoPlace, Placed, datum_named, placed, round_ellipse

MOST_PHOTO_BYTES = 25 * 2**20
MOST_TEXT = 4000

# 95 % radii in metres. A resident by GPS tells of something he sees from where he stands.
RADIUS_M = {
    ("resident", "gps"): 150.0,
    ("resident", "pin"): 60.0,
    ("ranger", "gps"): 30.0,
    ("ranger", "pin"): 50.0,
}
SHIFT_M = 800.0  # a pin on a Chinese map, its datum not declared
DISTANCE_SHARE = 0.3  # what a distance judged by eye is wrong by, 95 %
WIDEST_M = 2000.0

# How sure one such word is by itself: stated, not measured (docs/design/witnesses.md).
CONFIDENCE = {Witness.RESIDENT: 0.4, Witness.RANGER: 0.85}
WITH_PHOTO = 0.1

_FIRST_BYTES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
_NAMES = uuid.UUID("1c7a4c0e-9e51-5b0b-8a57-6f0c2a9f1f31")

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "service_request_id", "token"),
    "lat": ("lat", "lat_deg", "latitude"),
    "lon": ("long", "lon", "lon_deg", "lng", "longitude"),
    "datum": ("datum", "crs", "coordtype"),
    "by": ("place_by", "position_source"),
    "accuracy": ("accuracy_m", "accuracy"),
    "hazard": ("service_code", "hazard"),
    "at": ("requested_datetime", "seen_at", "time", "at"),
    "text": ("description", "text"),
    "media": ("media_url", "photo"),
    "witness": ("witness", "reporter"),
    "distance": ("distance_m",),
    "bearing": ("bearing_deg",),
}  # fmt: skip

_OTHER_NAMES = {
    "烟": Hazard.SMOKE, "烟雾": Hazard.SMOKE, "火": Hazard.FIRE, "火情": Hazard.FIRE, "山火": Hazard.FIRE,
    "秸秆焚烧": Hazard.BURNING, "straw": Hazard.BURNING, "wildfire": Hazard.FIRE, "洪水": Hazard.FLOOD,
    "flooding": Hazard.FLOOD, "滥伐": Hazard.LOGGING, "盗伐": Hazard.LOGGING, "异物": Hazard.FOREIGN_OBJECT,
}  # fmt: skip


class ReportWrong(InputWrong):
    """The report cannot be used; the text names the field and what was expected."""


@dataclass(frozen=True, slots=True)
class Report:
    """A person's word: the sighting, the text as plain text, and the photo when it can be used."""

    sighting: Sighting
    text: str
    media_url: str | None = None
    photo: bytes | None = None


def read_report(
    fields: Mapping[str, Any],
    *,
    now: datetime,
    zone: tzinfo,
    near: LatLon | None = None,
    photo: bytes | None = None,
) -> Report:
    """Return one report from its fields.

    `near` is the site's middle, by which swapped coordinates are noticed. Where the report names no
    place, the one where its photo says it was taken counts.

    Raises:
        InputWrong: no place, no such hazard, or a value that is not what its field must be.
    """
    said = _said(fields)
    witness = _witness(said.get("witness"))
    kept, about_photo = _photo(photo)
    where, by = _where(said, near, kept)
    when = timed(_text(said.get("at")) or now.isoformat(), zone=zone, now=now, mends_future=True)
    text, about_text = plain_text(_text(said.get("text")))
    place, radius_m, about_place = _place_meant(said, where, witness, by)
    hazard = hazard_named(_text(said.get("hazard")))
    media = _text(said.get("media")) or None
    confidence = CONFIDENCE[witness] + (WITH_PHOTO if kept or media else 0.0)
    words = f"{hazard}|{when.at.isoformat()}|{place.lat_deg:.6f},{place.lon_deg:.6f}|{text}"
    name = f"{witness}|{_text(said.get('id')) or words}"
    sighting = Sighting(
        id=str(uuid.uuid5(_NAMES, name)),
        witness=witness,
        source=witness.value,
        hazard=hazard,
        confidence=confidence,
        place=place,
        ellipse=round_ellipse(radius_m),
        seen_at=when.at,
        facts={"text": text, "place_by": by, "has_photo": kept is not None, "media_url": media},
        notes=(*where.notes, *about_place, *when.notes, *about_text, *about_photo),
    )
    return Report(sighting, text, media, kept)


def hazard_named(text: str) -> Hazard:
    """Return the hazard of an Open311 service code, or of a word people use for it.

    Raises:
        ReportWrong: nobody here works on such a thing.
    """
    plain = text.strip().lower().replace(" ", "_").replace("-", "_")
    if found := _OTHER_NAMES.get(text.strip().lower()):
        return found
    try:
        return Hazard(plain)
    except ValueError:
        raise ReportWrong(f"service_code: found {text!r}, expected one of {', '.join(Hazard)}") from None


def plain_text(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text without markup and control characters, and what was taken out.

    Scripts and styles go with what they hold; of other tags the words between them stay. What is
    left is still only text: whoever shows it escapes it.
    """
    notes = []
    bare = re.sub(r"(?is)<(script|style|iframe|object)\b.*?(</\1\s*>|\Z)", " ", text)
    bare = re.sub(r"(?s)<!--.*?(-->|\Z)|</?[a-zA-Z!][^<>]*(>|\Z)", " ", bare)
    if bare != text:
        notes.append("markup was taken out of the text")
    clean = "".join(c for c in bare if c in "\n\t" or (c.isprintable() and c not in _TURNING))
    clean = re.sub(r"[ \t]+", " ", clean).strip()
    if len(clean) > MOST_TEXT:
        clean = clean[:MOST_TEXT]
        notes.append(f"the text was cut after {MOST_TEXT} characters")
    return clean, tuple(notes)


# Marks that turn the direction of writing hide what a text says from who reads it.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields by our own names; an empty one counts as not given."""
    lowered = {str(k).strip().lower(): v for k, v in fields.items()}
    found = {}
    for ours, theirs in _FIELDS.items():
        value = next((lowered[n] for n in theirs if lowered.get(n) not in (None, "")), None)
        if value is not None:
            found[ours] = value
    return found


def _witness(text: Any) -> Witness:
    plain = _text(text).lower() or "resident"
    if plain in ("ranger", "护林员", "patrol", "巡护员"):
        return Witness.RANGER
    if plain in ("resident", "public", "farmer", "群众", "村民", "citizen"):
        return Witness.RESIDENT
    raise ReportWrong(f"witness: found {plain!r}, expected ranger or resident")


def _where(said: Mapping[str, Any], near: LatLon | None, photo: bytes | None) -> tuple[Placed, str]:
    """Return the place told and how it was got: "gps" or "pin"."""
    if "lat" not in said or "lon" not in said:
        if (taken := _photo_place(photo)) is not None:
            return Placed(taken, ("no place was given: taken from the photo",)), "gps"
        raise ReportWrong(
            "place: found none, expected lat and long, or a photo that knows where it was taken "
            "(an address alone is not looked up)"
        )
    datum = datum_named(_text(said.get("datum")) or None)
    by = _text(said.get("by")).lower() or ("gps" if datum is MapDatum.WGS84 and "accuracy" in said else "pin")
    if by not in ("gps", "pin"):
        raise ReportWrong(f"place_by: found {by!r}, expected gps or pin")
    try:
        return placed(_number(said, "lat"), _number(said, "lon"), datum=datum, near=near), by
    except NoPlace as error:
        raise ReportWrong(str(error)) from None


def _place_meant(
    said: Mapping[str, Any], where: Placed, witness: Witness, by: str
) -> tuple[LatLon, float, tuple[str, ...]]:
    """Return the place meant and its 95 % radius: where the person stands, or what he points at."""
    radius_m = RADIUS_M[witness.value, by]
    place = where.place
    notes: tuple[str, ...] = ()
    if by == "pin" and "by" in said and "datum" not in said and to_gcj02(place) != place:
        radius_m, notes = SHIFT_M, ("the pin names no map datum: its place may be 700 m off",)
    if "distance" in said and "bearing" in said:
        far_m, bearing = _number(said, "distance"), _number(said, "bearing")
        if not 0 <= far_m <= 50_000:
            raise ReportWrong(f"distance_m: found {far_m:g}, expected 0 to 50000")
        place = moved(place, bearing, far_m)
        radius_m = max(30.0, DISTANCE_SHARE * far_m)
        notes = (f"{far_m:.0f} m on bearing {bearing % 360:.0f}° from where the person stands",)
    accuracy_m = _number(said, "accuracy") if "accuracy" in said else 0.0
    if not 0 <= accuracy_m < math.inf:
        raise ReportWrong(f"accuracy_m: found {accuracy_m:g}, expected metres")
    # Phones give the radius that holds 68 %; 1.62 times as far holds 95 % of a round normal error.
    return place, min(math.hypot(radius_m, 1.62 * accuracy_m), WIDEST_M), notes


def _photo(photo: bytes | None) -> tuple[bytes | None, tuple[str, ...]]:
    if photo is None:
        return None, ()
    if len(photo) > MOST_PHOTO_BYTES:
        size = f"{len(photo) / 2**20:.0f} MB"
        return None, (f"the photo of {size} was left out: at most {MOST_PHOTO_BYTES >> 20} MB are kept",)
    if not any(photo.startswith(first) for first in _FIRST_BYTES):
        return None, ("the photo was left out: it is no JPEG or PNG",)
    return photo, ()


def _photo_place(photo: bytes | None) -> LatLon | None:
    """Return where a photo says it was taken, None when it does not, or says 0, 0."""
    tags = exif.read(photo) if photo else exif.Exif()
    if tags.lat_deg is None or tags.lon_deg is None:
        return None
    try:
        return placed(tags.lat_deg, tags.lon_deg).place
    except NoPlace:
        return None


def _number(said: Mapping[str, Any], name: str) -> float:
    try:
        value = float(str(said[name]).strip())
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReportWrong(f"{_FIELDS[name][0]}: found {said[name]!r}, expected a number")
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
