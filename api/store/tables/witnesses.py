"""What others than our drones say, what was looked at, and the looks that were asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base, Json


class SightingRow(Base):
    """One word of one witness; `digest` tells whether it says today what it said before."""

    __tablename__ = "sightings"

    id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    witness: Mapped[str]
    source: Mapped[str]
    hazard: Mapped[str]
    confidence: Mapped[float]
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    major_m: Mapped[float]
    minor_m: Mapped[float]
    bearing_deg: Mapped[float]
    seen_at: Mapped[datetime]
    received_at: Mapped[datetime]
    incident: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    decision: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    masked: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[str | None]
    facts: Mapped[Json]
    outline: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    notes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (Index("ix_sightings_when", "witness", "seen_at"),)


class StandingRow(Base):
    """Whose word an incident rests on, and what became of it when it was looked at.

    An incident that our drones found by themselves has none. `sources` has one entry for each source;
    `note` says in every language what the place looked like when it was last looked at.
    """

    __tablename__ = "standings"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    standing: Mapped[str] = mapped_column(index=True)
    reason: Mapped[Json]
    changed_at: Mapped[datetime]
    sources: Mapped[list[Any]]
    note: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))


class LookRow(Base):
    """Ground that one searched picture showed: where, when, with what, how well, and for which hazards.

    `found` has an entry for each thing found in it: hazard, place, and within how many metres.
    """

    __tablename__ = "looks"

    frame: Mapped[str] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    drone: Mapped[str]
    sortie: Mapped[str] = mapped_column(index=True)
    sensor: Mapped[str]
    taken_at: Mapped[datetime] = mapped_column(index=True)
    gsd_m: Mapped[float | None]
    hazards: Mapped[list[str]]
    found: Mapped[list[Any]]
    south_deg: Mapped[float]
    west_deg: Mapped[float]
    north_deg: Mapped[float]
    east_deg: Mapped[float]
    footprint: Mapped[list[Any]]

    __table_args__ = (Index("ix_looks_where", "south_deg", "north_deg", "taken_at"),)


class LookRequestRow(Base):
    """Somebody asks that a drone looks at an incident; `outcome` is what it saw."""

    __tablename__ = "look_requests"

    id: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    purpose: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)
    reason: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    tries: Mapped[int]
    next_try_at: Mapped[datetime]
    sortie: Mapped[str | None] = mapped_column(ForeignKey("sorties.id"))
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class ReadingRow(Base):
    """What an instrument read: a gauge's level, a weather station's day with its fire-weather codes."""

    __tablename__ = "readings"

    kind: Mapped[str] = mapped_column(primary_key=True)
    station: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    facts: Mapped[Json]


class KnownSourceRow(Base):
    """A place that is always hot and burns nothing: until when, and who says so.

    `agency` set it after a verdict and is not told of heat there; None for the lists of the site.
    `largest_m2` is how large it was seen then.
    """

    __tablename__ = "known_sources"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    radius_m: Mapped[float]
    owner: Mapped[str]
    until_at: Mapped[datetime | None]
    agency: Mapped[str | None]
    largest_m2: Mapped[float | None]
