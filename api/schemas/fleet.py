"""Docks, drones, plans and sorties as the operator sees them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.base import Name, Names, like
from missions.geo import LatLon


class DockOut(BaseModel):
    """A dock as last heard of."""

    model_config = like(
        id="dock-east",
        name={"en-US": "East dock", "zh-CN": "东机巢"},
        lat_deg=30.28,
        lon_deg=119.43,
        elevation_m=84.0,
        door="closed",
        charger="on",
        drones=["D1"],
        updated_at="2026-06-01T02:00:00Z",
    )

    id: str
    name: Names
    lat_deg: float
    lon_deg: float
    elevation_m: float
    door: str | None
    charger: str | None
    drones: list[str]
    updated_at: datetime | None


class Docks(BaseModel):
    docks: list[DockOut]


class DroneOut(BaseModel):
    """A drone as last heard of."""

    model_config = like(
        id="D1",
        model="GP-1",
        dock="dock-east",
        system_id=1,
        state="flying",
        lat_deg=30.281,
        lon_deg=119.428,
        altitude_m=212.0,
        above_home_m=128.0,
        heading_deg=241.0,
        speed_m_s=11.9,
        battery_percent=71.0,
        sortie="P1-S1",
        updated_at="2026-06-01T02:06:10Z",
    )

    id: str
    model: str
    dock: str
    system_id: int
    state: str
    lat_deg: float | None
    lon_deg: float | None
    altitude_m: float | None
    above_home_m: float | None
    heading_deg: float | None
    speed_m_s: float | None
    battery_percent: float | None
    sortie: str | None
    updated_at: datetime | None


class Drones(BaseModel):
    drones: list[DroneOut]


class UnservedOut(BaseModel):
    """A demand that no sortie serves, why, and what would help."""

    model_config = like(demand="river", reason="beyond the reach of every dock", would_help="a dock nearer")

    demand: str
    reason: str
    would_help: str


class PlanOut(BaseModel):
    """A plan in one line."""

    model_config = like(
        id="P1",
        made_at="2026-06-01T02:00:00Z",
        sorties=4,
        shared_tasks=17,
        flight_s=4310.0,
        energy_wh=590.0,
        unserved=[],
    )

    id: str
    made_at: datetime
    sorties: int
    shared_tasks: int
    flight_s: float
    energy_wh: float
    unserved: list[UnservedOut]


class Plans(BaseModel):
    plans: list[PlanOut]


class PlanIn(BaseModel):
    """What a new plan starts from."""

    model_config = like(seed=1)

    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class ShotCount(BaseModel):
    planned: int
    taken: int
    files: int


class StepOut(BaseModel):
    """One thing the gateway reported of a sortie."""

    at: datetime
    state: str
    evidence: str


class FollowsOut(BaseModel):
    """What a flying sortie's camera follows, where that was last told of, and until when."""

    model_config = like(
        kind="truck",
        lat_deg=30.2856,
        lon_deg=119.4203,
        speed_m_s=6.0,
        heading_deg=85.0,
        seen_at="2026-06-01T02:04:10Z",
        until_at="2026-06-01T02:06:10Z",
    )

    kind: str
    lat_deg: float
    lon_deg: float
    speed_m_s: float = 0.0
    heading_deg: float = 0.0
    seen_at: datetime
    until_at: datetime | None = None


class SortieOut(BaseModel):
    """A sortie, how far it has come, and its path as [longitude, latitude]."""

    model_config = like(
        id="P1-S1",
        plan="P1",
        dock="dock-east",
        drone="D1",
        state="flying",
        agencies=["forestry", "power"],
        flight_s=1130.0,
        started_at="2026-06-01T02:01:00Z",
        landed_at=None,
        landed_from_dock_m=None,
        shots={"planned": 120, "taken": 31, "files": 58},
        steps=[{"at": "2026-06-01T02:00:40Z", "state": "verified", "evidence": "142 items read back"}],
        path=[[119.43, 30.28], [119.42, 30.285]],
    )

    id: str
    plan: str
    dock: str
    drone: str | None
    state: str
    agencies: list[str]
    flight_s: float
    started_at: datetime | None
    landed_at: datetime | None
    landed_from_dock_m: float | None
    follows: FollowsOut | None = None
    shots: ShotCount
    steps: list[StepOut]
    path: list[list[float]]


class Sorties(BaseModel):
    sorties: list[SortieOut]


class DivertIn(BaseModel):
    """Where a flying drone is to land instead of at home: another dock, or a rally point of its order."""

    model_config = like(to="dock-west", reason="the door at home is stuck")

    to: Name
    reason: Annotated[str, Field(max_length=2000)] | None = None


class FollowIn(BaseModel):
    """What a flying sortie's camera is to follow: what an observation shows, or what is at a place now.

    What the latest looks show going is expected farther on. An incident seen standing, or longer ago, is
    looked for where it was last seen, as if it were there now.
    """

    model_config = like(lat_deg=30.2856, lon_deg=119.4203, speed_m_s=6.0, heading_deg=85.0, seconds=90.0)

    observation: Name | None = None
    incident: Name | None = None
    lat_deg: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    speed_m_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    heading_deg: Annotated[float, Field(ge=0, le=360)] = 0.0
    seconds: Annotated[float, Field(gt=0, le=300)] = 120.0
    reason: Annotated[str, Field(max_length=2000)] | None = None

    @property
    def place(self) -> LatLon | None:
        """The place named, None where it is not whole."""
        if self.lat_deg is None or self.lon_deg is None:
            return None
        return LatLon(self.lat_deg, self.lon_deg)


class AbortIn(BaseModel):
    """Why a drone is to come down where it is; that may cost the drone, so it is never said by the way."""

    model_config = like(reason="a rescue helicopter is coming in")

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class RestIn(BaseModel):
    """Who flies what a cut sortie left undone; a free drone of its dock where nobody is named."""

    model_config = like(drone="D2")

    drone: Name | None = None


class RestOut(BaseModel):
    """The sortie that flies the rest, and whether the gateway took it."""

    model_config = like(sortie="P1-S1-R1", accepted=True, reason=None)

    sortie: str
    accepted: bool
    reason: str | None = None
