"""Places where something was seen, and what further looks said of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base, Json


class CandidateRow(Base):
    """A place that one camera saw something at; `held` are the finds that wait to be told.

    `seen_at` is the camera's time, `heard_at` the service's when it last had a picture of this camera.
    """

    __tablename__ = "candidates"

    id: Mapped[str] = mapped_column(primary_key=True)
    drone: Mapped[str]
    sensor: Mapped[str]
    hazard: Mapped[str]
    verdict: Mapped[str]
    looks: Mapped[int]
    hits: Mapped[int]
    seen_at: Mapped[datetime]
    heard_at: Mapped[datetime]
    waits: Mapped[bool] = mapped_column(index=True)
    further: Mapped[int]
    is_told: Mapped[bool]
    incident: Mapped[str | None] = mapped_column(index=True)
    candidate: Mapped[Json]
    held: Mapped[list[Any]]

    __table_args__ = (Index("ix_candidates_eye", "drone", "sensor", "seen_at"),)
