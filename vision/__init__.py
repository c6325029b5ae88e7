"""Pictures in, hazards on the ground out: `vision.inspect` is the front door."""

from vision.inspection import FrameResult, Inspection, examine, inspect

__all__ = ["FrameResult", "Inspection", "examine", "inspect"]
