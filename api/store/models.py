"""The tables: what the service has promised to remember.

SQL is the truth and the bus only wakes people (DESIGN section 4), so whatever
must outlive a crash is a row here: frames before they are published, deliveries
before they are sent, events before a browser is told. Times are aware UTC in
and out; JSON columns hold only values nobody searches by.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.store.base import Base, Json


class DockRow(Base):
    """A dock as last heard of."""

    __tablename__ = "docks"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[Json]
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    elevation_m: Mapped[float]
    door: Mapped[str | None]
    charger: Mapped[str | None]
    drones: Mapped[list[str]]
    wind_m_s: Mapped[float | None]
    rain_mm_h: Mapped[float | None]
    updated_at: Mapped[datetime | None]


class DroneRow(Base):
    """A drone as last heard of, and the gateway that commands it."""

    __tablename__ = "drones"

    id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    dock: Mapped[str] = mapped_column(ForeignKey("docks.id"))
    system_id: Mapped[int]
    gateway: Mapped[str]
    state: Mapped[str]
    lat_deg: Mapped[float | None]
    lon_deg: Mapped[float | None]
    altitude_m: Mapped[float | None]
    above_home_m: Mapped[float | None]
    heading_deg: Mapped[float | None]
    speed_m_s: Mapped[float | None]
    battery_percent: Mapped[float | None]
    mode: Mapped[str | None]
    armed: Mapped[bool | None]
    sortie: Mapped[str | None]
    updated_at: Mapped[datetime | None]


class PlanRow(Base):
    """A plan that was made; its sorties are rows of their own."""

    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    seed: Mapped[int]
    made_at: Mapped[datetime]
    flight_s: Mapped[float]
    energy_wh: Mapped[float]
    shared_tasks: Mapped[int]
    saving: Mapped[float | None]
    unserved: Mapped[list[Any]]


class SortieRow(Base):
    """One planned flight and how far it has come. `items` is what is uploaded to the drone."""

    __tablename__ = "sorties"

    id: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[str] = mapped_column(ForeignKey("plans.id"), index=True)
    position: Mapped[int]
    dock: Mapped[str] = mapped_column(ForeignKey("docks.id"))
    model: Mapped[str]
    drone: Mapped[str | None] = mapped_column(ForeignKey("drones.id"))
    state: Mapped[str] = mapped_column(index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int]
    agencies: Mapped[list[str]]
    demands: Mapped[list[str]]
    flight_s: Mapped[float]
    energy_wh: Mapped[float]
    items: Mapped[list[Any]]
    path: Mapped[list[Any]]
    shots_planned: Mapped[int]
    shots_taken: Mapped[int]
    shots_files: Mapped[int]
    started_at: Mapped[datetime | None]
    landed_at: Mapped[datetime | None]
    landed_from_dock_m: Mapped[float | None]
    follows: Mapped[Json | None]
    steps: Mapped[list["StepRow"]] = relationship(
        order_by="StepRow.seq", lazy="raise", cascade="all, delete-orphan"
    )


class StepRow(Base):
    """One thing a gateway reported of a sortie; `id` is the event's own, so a repeat is noticed."""

    __tablename__ = "sortie_steps"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    sortie: Mapped[str] = mapped_column(ForeignKey("sorties.id"), index=True)
    state: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class FrameRow(Base):
    """One picture in the object store under `key`.

    `drone` and `sortie` are not foreign keys: a gateway may bring home pictures
    of a flight that a restored database has never heard of, and they are kept.
    """

    __tablename__ = "frames"

    id: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str]
    drone: Mapped[str]
    sortie: Mapped[str] = mapped_column(index=True)
    shot: Mapped[int]
    sensor: Mapped[str]
    taken_at: Mapped[datetime]
    sha256: Mapped[str]
    name: Mapped[str]
    bytes: Mapped[int]
    pose: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    key: Mapped[str]
    received_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    analysed_at: Mapped[datetime | None]
    skipped: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    footprint: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))


class DetectionRow(Base):
    """A region of a frame in which something was found; `box` is left, top, right, bottom in pixels."""

    __tablename__ = "detections"

    frame: Mapped[str] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hazard: Mapped[str]
    confidence: Mapped[float]
    box: Mapped[list[Any]]
    detector: Mapped[str]
    sensor: Mapped[str]
    temp_max_c: Mapped[float | None]
    background_c: Mapped[float | None]
    pixels: Mapped[int]
    outline: Mapped[list[Any]]


class IncidentRow(Base):
    """One event on the ground, best estimate first. `best_frame` is the picture that shows it best.

    `details` is the rest of what deciding needs, `changed_seq` the number of its last change
    (`api.store.live`).
    """

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(primary_key=True)
    hazard: Mapped[str]
    severity: Mapped[str]
    state: Mapped[str]
    place_name: Mapped[Json]
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    major_m: Mapped[float]
    minor_m: Mapped[float]
    bearing_deg: Mapped[float]
    confidence: Mapped[float]
    area_m2: Mapped[float | None]
    temp_max_c: Mapped[float | None]
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    looks: Mapped[int]
    best_frame: Mapped[str | None] = mapped_column(ForeignKey("frames.id"))
    best_confidence: Mapped[float]
    facts: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    details: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    changed_seq: Mapped[int] = mapped_column(index=True, default=0)
    alerts: Mapped[list["AlertRow"]] = relationship(lazy="raise", order_by="AlertRow.agency")

    __table_args__ = (Index("ix_incidents_where", "state", "hazard", "lat_deg", "lon_deg"),)


class ObservationRow(Base):
    """A detection on the ground; `decision` and `reason` say what became of it."""

    __tablename__ = "observations"

    id: Mapped[str] = mapped_column(primary_key=True)
    frame: Mapped[str] = mapped_column(ForeignKey("frames.id"), index=True)
    incident: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    decision: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    hazard: Mapped[str]
    confidence: Mapped[float]
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    major_m: Mapped[float]
    minor_m: Mapped[float]
    bearing_deg: Mapped[float]
    seen_at: Mapped[datetime]
    detector: Mapped[str]
    area_m2: Mapped[float | None]
    temp_max_c: Mapped[float | None]
    outline: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    drone: Mapped[str]
    sortie: Mapped[str]
    kind: Mapped[str | None]
    sources: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    power_w: Mapped[float | None]
    facts: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))


class AlertRow(Base):
    """One incident told to one agency. `history` has one entry for each time it was told.

    `version` grows with every change of its state and is the ETag.
    """

    __tablename__ = "alerts"

    id: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    agency: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    hazard: Mapped[str]
    severity: Mapped[str]
    title: Mapped[Json]
    place_name: Mapped[Json]
    raised_at: Mapped[datetime]
    told_at: Mapped[datetime] = mapped_column(index=True)
    revision: Mapped[int]
    history: Mapped[list[Any]]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    shelved_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
    deliveries: Mapped[list["DeliveryRow"]] = relationship(lazy="raise", order_by="DeliveryRow.seq")

    __table_args__ = (UniqueConstraint("incident", "agency", name="uq_alerts_incident_agency"),)


class DeliveryRow(Base):
    """The outbox: one message to one receiver, the same `id` and the same bytes on every try.

    `receiver` is no foreign key: what was sent stays known when its receiver was taken away.
    When to try again and who is trying stands in the receiver's row, for its line goes in order.
    """

    __tablename__ = "deliveries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    receiver: Mapped[str]
    alert: Mapped[str | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    agency: Mapped[str]
    channel: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_deliveries_line", "receiver", "state", "seq"),
        {"sqlite_autoincrement": True},
    )


class TokenRow(Base):
    """Who may call, by the SHA-256 of a random token. A session is a token born of another."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    agency: Mapped[str | None]
    name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    parent: Mapped[str | None] = mapped_column(ForeignKey("tokens.id"), index=True)
    account: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    scopes: Mapped[list[str] | None]  # None: everything the role may do
    idle_s: Mapped[float | None]  # ends when unused for so long, by the service's clock
    seen_at: Mapped[datetime | None]


class EventRow(Base):
    """What the event stream says, in order. `agencies` may hear it besides the operator."""

    __tablename__ = "events"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str]
    data: Mapped[Json]
    agencies: Mapped[list[str]]
    at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class LeaseRow(Base):
    """Who may act as the one holder of a role, and until when; `fence` grows with every change of hands."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    fence: Mapped[int]
    until_at: Mapped[datetime]
