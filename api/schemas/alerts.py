"""Who was told: agencies, alerts and their deliveries."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from api.schemas.base import Names, like


class AgencyOut(BaseModel):
    """An agency and the hazards it asked to hear of."""

    model_config = like(
        id="forestry",
        name={"en-US": "Forestry bureau", "zh-CN": "林业局"},
        language="zh-CN",
        hazards=["fire"],
    )

    id: str
    name: Names
    language: str
    hazards: list[str]


class Agencies(BaseModel):
    agencies: list[AgencyOut]


class WebhookIn(BaseModel):
    """Where the agency's own program listens."""

    model_config = like(url="https://alerts.forestry.example/gridpatrol")

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class WebhookOut(BaseModel):
    """The receiver as kept; the secret is shown this once."""

    model_config = like(
        url="https://alerts.forestry.example/gridpatrol", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )

    url: str
    secret: str


class DeliveryOut(BaseModel):
    """How far a message has come on one channel."""

    channel: str
    state: str
    attempts: int
    last_error: str | None
    delivered_at: datetime | None


class AlertOut(BaseModel):
    """One incident told to one agency."""

    model_config = like(
        id="7c3d9a4e",
        incident="5b0c",
        agency="forestry",
        state="raised",
        hazard="fire",
        severity="orange",
        title={"en-US": "Suspected fire: compartment 12", "zh-CN": "疑似火情：12林班"},
        place_name={"en-US": "compartment 12, 40 m west of tower 7", "zh-CN": "12林班，7号塔以西40米"},
        raised_at="2026-06-01T02:06:41Z",
        deliveries=[
            {
                "channel": "webhook",
                "state": "delivered",
                "attempts": 1,
                "last_error": None,
                "delivered_at": "2026-06-01T02:06:42Z",
            }
        ],
    )

    id: str
    incident: str
    agency: str
    state: str
    hazard: str
    severity: str
    title: Names
    place_name: Names
    raised_at: datetime
    acknowledged_by: str | None = None
    shelved_until: datetime | None = None
    deliveries: list[DeliveryOut]


class Alerts(BaseModel):
    alerts: list[AlertOut]
