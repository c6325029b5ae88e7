"""The audit trail: who did what to what, each entry chained to the one before."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base, Json


class AuditRow(Base):
    """One entry; written once and never changed. `hash` covers everything here and `previous`."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str]
    agency: Mapped[str | None]
    action: Mapped[str] = mapped_column(index=True)
    target: Mapped[str]
    details: Mapped[Json]
    previous: Mapped[str]
    hash: Mapped[str]
