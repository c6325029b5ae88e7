"""Pictures as gateways hand them in and people read of them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.moments import Moment
from api.schemas.base import Name, like


class PoseIn(BaseModel):
    """Where the drone says it was at the moment of the picture."""

    model_config = ConfigDict(allow_inf_nan=False)

    lat_deg: Annotated[float, Field(ge=-90, le=90)]
    lon_deg: Annotated[float, Field(ge=-180, le=180)]
    altitude_m: float
    heading_deg: float
    pitch_deg: float
    roll_deg: float


FRAME_EXAMPLE: dict[str, Any] = {
    "id": "0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11",
    "gateway": "g1",
    "drone": "D1",
    "sortie": "P1-S1",
    "shot": 31,
    "sensor": "thermal",
    "taken_at": "2026-06-01T02:06:40Z",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "name": "GP_0031_T.TIF",
    "bytes": 1310720,
    "pose": None,
}


class FrameIn(BaseModel):
    """What a gateway says of a picture it hands over."""

    model_config = ConfigDict(json_schema_extra={"examples": [FRAME_EXAMPLE]})

    id: UUID
    gateway: Name
    drone: Name
    sortie: Name
    shot: Annotated[int, Field(ge=0, lt=2**31)]
    sensor: Literal["thermal", "rgb"]
    taken_at: Moment
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    name: Name
    bytes: Annotated[int, Field(gt=0, lt=2**31)]
    pose: PoseIn | None = None


class DetectionOut(BaseModel):
    """A region of a frame in which something was found; the box is left, top, right, bottom in pixels."""

    hazard: str
    confidence: float
    box_px: list[float]
    temp_max_c: float | None
    background_c: float | None
    detector: str


class FrameOut(BaseModel):
    """A picture that was taken, and what was found in it."""

    model_config = like(
        id="0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11",
        sortie="P1-S1",
        drone="D1",
        shot=31,
        sensor="thermal",
        taken_at="2026-06-01T02:06:40Z",
        name="GP_0031_T.TIF",
        bytes=1310720,
        analysed_at="2026-06-01T02:06:41Z",
        skipped=None,
        detections=[],
    )

    id: str
    sortie: str
    drone: str
    shot: int
    sensor: str
    taken_at: datetime
    name: str
    bytes: int
    analysed_at: datetime | None
    skipped: str | None
    detections: list[DetectionOut]


class ConfirmIn(BaseModel):
    """Who says that a flight shows its place as it is to be compared with from now on."""

    model_config = like(person="Li Na")

    person: Name


class BaselineOut(BaseModel):
    """A version of a place's baseline and whether it stands."""

    model_config = like(place="east-wood", version="v0002", standing="stands")

    place: str
    version: str
    standing: str


class Frames(BaseModel):
    frames: list[FrameOut]
