"""Point clouds of power lines: wires found by their shape, and how near things come to them."""

from vision.lidar.survey import Survey, survey

__all__ = ["Survey", "survey"]
