"""What every part of the API speaks of: names, problems, who calls, whether it is well."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = dict[str, str]


def like(**example: Any) -> ConfigDict:
    """Return how a model is read and described: nothing unknown, with an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Problem(BaseModel):
    """What went wrong, as a word for programs and a sentence for people."""

    model_config = like(error="not_found", message="there is no incident x, or it is not yours to see")

    error: str
    message: str
    allowed: list[str] | None = None


class Login(BaseModel):
    """The token that a session begins with."""

    model_config = like(token="gp_…")

    token: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Me(BaseModel):
    """Who the token belongs to; `may_confirm` how a place looked, on the ground that is theirs."""

    model_config = like(role="agency", agency="forestry", name="forestry duty desk", may_confirm=False)

    role: Literal["operator", "agency", "gateway", "system", "security", "auditor"]
    agency: str | None
    name: str
    may_confirm: bool = False


class Health(BaseModel):
    """Whether the service can answer."""

    model_config = like(status="ok", now="2026-06-01T02:00:00Z")

    status: Literal["ok"]
    now: datetime


class Accepted(BaseModel):
    """The wish was taken; what comes of it is told by the event stream."""

    model_config = like(accepted=True, reason=None)

    accepted: bool
    reason: str | None = None
