"""The JSON of masks: ground that is known to be hot."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from api.etags import Stamped
from api.schemas.base import Name, like


class MaskIn(BaseModel):
    """What is hot there, how far around the incident, and until when."""

    model_config = like(name="brick kiln of Heping", radius_m=60, ends_at="2026-12-01T00:00:00Z")

    name: Name
    radius_m: Annotated[float, Field(ge=5, le=500, allow_inf_nan=False)] = 60.0
    ends_at: AwareDatetime


class MaskOut(Stamped):
    """A mask with its owner and its end."""

    model_config = like(
        id="order-9d1f",
        agency="forestry",
        name="brick kiln of Heping",
        lat_deg=30.281,
        lon_deg=119.421,
        radius_m=60.0,
        owner="forestry desk",
        until_at="2026-12-01T00:00:00Z",
    )

    id: str
    agency: str | None
    name: str
    lat_deg: float
    lon_deg: float
    radius_m: float
    owner: str
    until_at: datetime | None


class Masks(BaseModel):
    masks: list[MaskOut]
