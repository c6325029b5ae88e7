"""Who is told, and how: `api.create_app(services)` is the front door, `gridpatrol serve` the whole."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # The roles that serve no HTTP need not load the web framework.
    if name == "create_app":
        from api.app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
