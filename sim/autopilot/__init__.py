"""The vehicle half of MAVLink 2, written from its specification: an ArduCopter with two cameras."""

from sim.autopilot.vehicle import Identity, Vehicle

__all__ = ["Identity", "Vehicle"]
