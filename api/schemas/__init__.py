"""The JSON that the service speaks: one model a thing, with an example each, a file a topic.

Degrees are WGS84; GeoJSON order (longitude first) is found only where the name
says so (`path`, `corners`, GeoJSON itself). Times are ISO 8601 with a zone.
"""

from api.schemas.alerts import Agencies, AgencyOut, AlertOut, Alerts, DeliveryOut, WebhookIn, WebhookOut
from api.schemas.base import Accepted, Health, Login, Me, Name, Names, Problem
from api.schemas.fleet import (
    AbortIn,
    DivertIn,
    DockOut,
    Docks,
    DroneOut,
    Drones,
    PlanIn,
    PlanOut,
    Plans,
    RestIn,
    RestOut,
    ShotCount,
    SortieOut,
    Sorties,
    StepOut,
    UnservedOut,
)
from api.schemas.frames import FRAME_EXAMPLE, DetectionOut, FrameIn, FrameOut, Frames, PoseIn
from api.schemas.incidents import (
    ArrivalOut,
    EllipseOut,
    GrowthOut,
    IncidentOut,
    Incidents,
    IncidentWhole,
    ObservationOut,
    SourceOut,
)

__all__ = [
    "FRAME_EXAMPLE",
    "AbortIn",
    "Accepted",
    "Agencies",
    "AgencyOut",
    "AlertOut",
    "Alerts",
    "ArrivalOut",
    "DeliveryOut",
    "DetectionOut",
    "DivertIn",
    "DockOut",
    "Docks",
    "DroneOut",
    "Drones",
    "EllipseOut",
    "FrameIn",
    "FrameOut",
    "Frames",
    "GrowthOut",
    "Health",
    "IncidentOut",
    "IncidentWhole",
    "Incidents",
    "Login",
    "Me",
    "Name",
    "Names",
    "ObservationOut",
    "PlanIn",
    "PlanOut",
    "Plans",
    "PoseIn",
    "Problem",
    "RestIn",
    "RestOut",
    "ShotCount",
    "SortieOut",
    "Sorties",
    "SourceOut",
    "StepOut",
    "UnservedOut",
    "WebhookIn",
    "WebhookOut",
]
