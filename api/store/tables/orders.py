"""Who an incident concerns, what is done about it and by whom, what is due when, what people reported.

Tables whose names end in `_steps` and the ledger of points are append-only: the database itself
refuses to change or delete their rows (the migration's triggers), whoever asks.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.store.base import Base, Json


class FrameGroundRow(Base):
    """That a picture shows ground of an agency and was searched for a hazard it asked to hear of."""

    __tablename__ = "frame_grounds"

    frame: Mapped[str] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_frame_grounds_agency", "agency", "frame"),)


class RouteRow(Base):
    """What an incident is to one agency on whose ground and of whose hazards it is, and why.

    An agency sees the incidents it has a row for. `review` is "waiting" while nobody was told because
    the confidence is too low, then "raised" or "dismissed" by a person.
    """

    __tablename__ = "routes"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)
    hazard: Mapped[str]
    severity: Mapped[str]
    concern: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    notify: Mapped[str]
    decided_at: Mapped[datetime]
    review: Mapped[str | None]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_routes_agency", "agency", "review"),)


class StormRow(Base):
    """That an incident is part of a storm: many of one hazard, close together, in a short time."""

    __tablename__ = "storm_parts"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    storm: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    joined_at: Mapped[datetime]


class AlertStepRow(Base):
    """One thing that happened to an alert. Append-only."""

    __tablename__ = "alert_steps"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"), index=True)
    act: Mapped[str]
    state: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class LeadRow(Base):
    """Which agency leads the work on an incident, and who named it."""

    __tablename__ = "incident_leads"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    agency: Mapped[str]
    named_by: Mapped[str]
    named_at: Mapped[datetime]


class OrderRow(Base):
    """One agency's work on one incident. `version` grows with every change and is the ETag."""

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    agency: Mapped[str] = mapped_column(index=True)
    hazard: Mapped[str]
    severity: Mapped[str]
    place_name: Mapped[Json]
    state: Mapped[str]
    version: Mapped[int]
    assignee: Mapped[str | None]
    respond_by: Mapped[datetime]
    resolve_by: Mapped[datetime]
    verdict: Mapped[str | None]
    look: Mapped[str]
    look_request: Mapped[str | None] = mapped_column(ForeignKey("look_requests.id"))
    rating: Mapped[int | None]
    checklist: Mapped[list[Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    steps: Mapped[list["OrderStepRow"]] = relationship(lazy="raise", order_by="OrderStepRow.seq")
    pictures: Mapped[list["OrderPictureRow"]] = relationship(lazy="raise", order_by="OrderPictureRow.at")

    __table_args__ = (Index("ix_orders_open", "state", "agency"),)


class OrderStepRow(Base):
    """One thing done to an order: a move, a note, a tick on its checklist. Append-only."""

    __tablename__ = "order_steps"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order: Mapped[str] = mapped_column("work_order", ForeignKey("orders.id"), index=True)
    act: Mapped[str]
    state: Mapped[str]
    by: Mapped[str]
    agency: Mapped[str | None]
    at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[Json]

    __table_args__ = ({"sqlite_autoincrement": True},)


class OrderPictureRow(Base):
    """A picture from the ground, in the object store under `key`."""

    __tablename__ = "order_pictures"

    id: Mapped[str] = mapped_column(primary_key=True)
    order: Mapped[str] = mapped_column("work_order", ForeignKey("orders.id"), index=True)
    key: Mapped[str]
    kind: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int]
    by: Mapped[str]
    at: Mapped[datetime]


class TimerRow(Base):
    """Something that must happen at a time. Due while `fired_at` and `cancelled_at` are empty."""

    __tablename__ = "timers"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    due_at: Mapped[datetime]
    facts: Mapped[Json]
    set_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_timers_due", "fired_at", "cancelled_at", "due_at"),)


class BeatRow(Base):
    """When a source, drone, feed or worker was last heard of, and how long it may be silent."""

    __tablename__ = "beats"

    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    patience_s: Mapped[float]
    silent_since: Mapped[datetime | None]


class MuteRow(Base):
    """An agency wants to hear nothing of some hazards, somewhere or everywhere, until a time."""

    __tablename__ = "mutes"

    id: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(index=True)
    hazards: Mapped[list[str]]
    lat_deg: Mapped[float | None]
    lon_deg: Mapped[float | None]
    radius_m: Mapped[float | None]
    reason: Mapped[str] = mapped_column(Text)
    owner: Mapped[str]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    ended_by: Mapped[str | None]


class ReportRow(Base):
    """What a resident or ranger reported, and how far it has come. `code` is the reporter's own key to it."""

    __tablename__ = "reports"

    id: Mapped[str] = mapped_column(primary_key=True)
    code_sha256: Mapped[str] = mapped_column(unique=True)
    service: Mapped[str]
    hazard: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    lat_deg: Mapped[float]
    lon_deg: Mapped[float]
    within_m: Mapped[float]
    place_name: Mapped[Json]
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str]
    reporter: Mapped[str | None]
    picture: Mapped[str | None]
    agency: Mapped[str | None] = mapped_column(index=True)
    incident: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"))
    order: Mapped[str | None] = mapped_column("work_order", ForeignKey("orders.id"), index=True)
    rating: Mapped[int | None]
    received_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]
    steps: Mapped[list["ReportStepRow"]] = relationship(lazy="raise", order_by="ReportStepRow.seq")


class ReportStepRow(Base):
    """One step of a report, as its reporter is shown it. Append-only."""

    __tablename__ = "report_steps"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    report: Mapped[str] = mapped_column(ForeignKey("reports.id"), index=True)
    state: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    note: Mapped[str | None] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class PointsRow(Base):
    """The ledger of points: what a reporter was given for a report, once each. Append-only."""

    __tablename__ = "point_steps"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    reporter: Mapped[str] = mapped_column(index=True)
    report: Mapped[str] = mapped_column(ForeignKey("reports.id"))
    points: Mapped[int]
    reason: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("report", "reason", name="uq_point_steps_report_reason"),
        {"sqlite_autoincrement": True},
    )


class AnsweredRow(Base):
    """What a POST with an Idempotency-Key was answered, so that the same again is answered alike."""

    __tablename__ = "answered_keys"

    id: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 of caller, path and key
    asked_sha256: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    headers: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
