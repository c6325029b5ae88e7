"""People who log in, and logins at an identity provider that are under way."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base


class AccountRow(Base):
    """One person. The password is kept as its argon2id hash, the second factor's secret sealed."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    agency: Mapped[str | None]
    password_hash: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(unique=True)
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_confirmed_at: Mapped[datetime | None]
    totp_step: Mapped[int]
    recovery: Mapped[list[Any]]
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ProviderLoginRow(Base):
    """A login at the identity provider that was begun here and has not come back yet."""

    __tablename__ = "provider_logins"

    state: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str]
    verifier: Mapped[str]
    begun_at: Mapped[datetime]
