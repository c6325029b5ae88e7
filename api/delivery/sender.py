"""The one small interface that every channel fulfils."""

from dataclasses import dataclass
from typing import Protocol

from api.store.outbox import Leased


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try went. The sender says whether trying again can help; when is not its business.

    `note` is for the delivery log: something odd that was no failure.
    """

    error: str | None = None
    can_retry: bool = True
    retry_after_s: float | None = None
    is_gone: bool = False  # the receiver asked us to stop for good
    status: int | None = None
    note: str | None = None
    reply: bytes = b""  # how the answer began, for channels that read it


class Sender(Protocol):
    """A channel to agencies."""

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went; what may happen on a good day raises nothing."""
        ...
