"""Who asks for what and which flights serve it: `missions.plan` is the front door."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from missions.planner import plan

__all__ = ["plan"]


def __getattr__(name: str) -> Any:
    # The planner brings SciPy and the solver along; who only needs a word must not wait for them.
    if name == "plan":
        from missions.planner import plan

        return plan
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
