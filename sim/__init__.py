"""The world, the drones, the docks and the cameras that stand in for real ones: `sim.World`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.world import World

__all__ = ["World"]


def __getattr__(name: str) -> Any:
    # The world brings SciPy along; the command line need not wait for it.
    if name == "World":
        from sim.world import World

        return World
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
