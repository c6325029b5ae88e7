"""The JSON of receivers, deliveries, releases and evidence."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.etags import Stamped


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


Person = Annotated[str, StringConstraints(min_length=2, max_length=100, strip_whitespace=True)]


class PersonIn(BaseModel):
    """Who stands behind a publication; needed where a program calls and no person is logged in."""

    model_config = _like(person="Li Wei")

    person: Person | None = None


class ReleaseOut(Stamped):
    """That an incident is public, in whose name, and whether that was taken back."""

    model_config = _like(
        incident="5b0c",
        agency="forestry",
        released_by="Li Wei",
        released_at="2026-06-01T02:10:00Z",
        withdrawn_by=None,
        withdrawn_at=None,
    )

    incident: str
    agency: str
    released_by: str
    released_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class Releases(BaseModel):
    releases: list[ReleaseOut]


Channel = Literal["webhook", "mqtt", "mail", "chat", "sms", "voice"]


class ReceiverIn(BaseModel):
    """Where an agency wants to be told, by which channel, and whether at once or as alerts escalate."""

    model_config = _like(channel="mail", address="duty@forestry.example", language="zh-CN", step=0)

    channel: Channel
    address: Annotated[str, StringConstraints(max_length=2000)] = ""
    language: Literal["zh-CN", "en-US"] | None = None
    step: Annotated[int, Field(ge=0, le=9)] = 0


class ReceiverOut(Stamped):
    """A receiver as kept, and how it does."""

    model_config = _like(
        id="forestry-webhook",
        agency="forestry",
        channel="webhook",
        address="https://alerts.forestry.example/gridpatrol",
        language="zh-CN",
        step=0,
        failures=0,
        next_try_at="2026-06-01T02:00:00Z",
        disabled_at=None,
        disabled_reason=None,
        created_at="2026-06-01T02:00:00Z",
        old_secret_until=None,
    )

    UNSTAMPED: ClassVar[frozenset[str]] = frozenset({"failures", "next_try_at"})

    id: str
    agency: str
    channel: str
    address: str
    language: str
    step: int
    failures: int
    next_try_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime
    old_secret_until: datetime | None


class ReceiverMade(ReceiverOut):
    """A new receiver with what its reader needs to trust our messages, shown this once."""

    UNSTAMPED: ClassVar[frozenset[str]] = ReceiverOut.UNSTAMPED | {"secret", "user", "topic"}

    secret: str
    user: str | None = None
    topic: str | None = None


class Receivers(BaseModel):
    receivers: list[ReceiverOut]


class SecretOut(BaseModel):
    """A new secret, shown this once; messages carry the old signature too until `both_until`."""

    model_config = _like(secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", both_until="2026-06-02T02:00:00Z")

    secret: str
    both_until: datetime


class MessageOut(Stamped):
    """A message in the outbox and how far it has come."""

    model_config = _like(
        id="msg_1f0c",
        receiver="forestry-webhook",
        agency="forestry",
        channel="webhook",
        alert="7c3d9a4e",
        state="delivered",
        attempts=1,
        created_at="2026-06-01T02:06:41Z",
        give_up_at="2026-06-04T05:06:41Z",
        last_error=None,
        delivered_at="2026-06-01T02:06:41Z",
        cursor=17,
    )

    id: str
    receiver: str
    agency: str
    channel: str
    alert: str | None
    state: str
    attempts: int
    created_at: datetime
    give_up_at: datetime
    last_error: str | None
    delivered_at: datetime | None
    cursor: int


class Messages(BaseModel):
    deliveries: list[MessageOut]


class TryOut(BaseModel):
    """One try: when, how long it took, what was answered, what was odd."""

    model_config = _like(
        attempt=1, at="2026-06-01T02:06:41Z", took_ms=12.4, status=503, error="answered 503", note=None
    )

    attempt: int
    at: datetime
    took_ms: float
    status: int | None
    error: str | None
    note: str | None


class MessageWhole(MessageOut):
    """A message with every try of it and the bytes that are sent."""

    UNSTAMPED: ClassVar[frozenset[str]] = frozenset({"tries", "body"})

    tries: list[TryOut]
    body: str


class Replayed(BaseModel):
    """How many dead letters are sent again."""

    model_config = _like(replayed=3)

    replayed: int


class HoldIn(BaseModel):
    """Why nothing of an incident may be erased."""

    model_config = _like(reason="court case 2026-114")

    reason: Annotated[str, StringConstraints(min_length=3, max_length=1000, strip_whitespace=True)]


class HoldOut(Stamped):
    """A legal hold on all that belongs to an incident."""

    model_config = _like(
        incident="5b0c",
        reason="court case 2026-114",
        placed_by="forestry desk",
        placed_at="2026-06-01T02:10:00Z",
        lifted_by=None,
        lifted_at=None,
    )

    incident: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
