"""Where messages go, how each try went, and what was published or must be kept."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base


class ReceiverRow(Base):
    """One place an agency is told at: a program, a mailbox, a telephone, a chat group.

    It is also a line: its messages go one after the other, so the next try, the
    lease of the worker that sends and the count of failures belong to it and not
    to a message. `step` 0 is told at once, later steps when an alert escalates.
    The secret is needed in clear to sign with; after a change of secrets the one
    before counts until `old_secret_until`.
    """

    __tablename__ = "receivers"

    id: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    address: Mapped[str] = mapped_column(Text)
    language: Mapped[str]
    step: Mapped[int]
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    next_try_at: Mapped[datetime]
    failures: Mapped[int]
    open_until: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    lease: Mapped[str | None]


class TryRow(Base):
    """The delivery log: how one try of one delivery went."""

    __tablename__ = "delivery_tries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    delivery: Mapped[str] = mapped_column(index=True)
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    took_ms: Mapped[float]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class CapRow(Base):
    """A CAP message as it was first given out, signed: it never changes under its identifier."""

    __tablename__ = "cap_documents"

    identifier: Mapped[str] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(index=True)
    sent_at: Mapped[datetime]
    document: Mapped[str] = mapped_column(Text)


class ReleaseRow(Base):
    """That a named person of an agency let the public know of an incident, and perhaps took it back."""

    __tablename__ = "releases"

    incident: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)
    released_by: Mapped[str]
    released_at: Mapped[datetime]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]


class HoldRow(Base):
    """A legal hold: nothing that belongs to the incident is erased until it is lifted.

    `agency` placed it, None for the operator; nobody else lifts it.
    """

    __tablename__ = "holds"

    incident: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    agency: Mapped[str | None]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]


class CustodyRow(Base):
    """What happened to a picture after it was kept: looked at, handed out, erased.

    `chain` follows from the line before it and this one (`api.custody`), the first from the picture's
    hash at capture; `agency` is whose person or key it was, None for the operator's and the service.
    """

    __tablename__ = "custody"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    frame: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    act: Mapped[str]
    actor: Mapped[str]
    agency: Mapped[str | None]
    nonce: Mapped[str]
    chain: Mapped[str]

    __table_args__ = ({"sqlite_autoincrement": True},)
