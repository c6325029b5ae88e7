"""fleet: flies sorties over MAVLink and brings their pictures home."""

from fleet.fly import fly
from fleet.gateway import DroneLink, Gateway, GatewaySink
from fleet.journal import Journal

__all__ = ["DroneLink", "Gateway", "GatewaySink", "Journal", "fly"]
