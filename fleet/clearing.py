"""Deleting a list on board, proven by the count that remains, as a machine without I/O."""

from fleet.messages import ClearWanted, ListKind, MissionVerdict, Transfer, Verdict
from fleet.patience import Patience
from fleet.readback import Messages, ReadBack
from fleet.transfer import UploadResult


class Clear:
    """Deletes a list on board and reads back that it is gone."""

    def __init__(
        self,
        *,
        first: int = 0,
        patience: Patience | None = None,
        attempts: int = 5,
        kind: ListKind = ListKind.MISSION,
    ) -> None:
        self.result: UploadResult | None = None
        self._first = first
        self._kind = kind
        self._patience = patience or Patience(resend_s=0.5)
        self._attempts_left = attempts
        self._acted_at = 0.0
        self._reader: ReadBack | None = None

    def start(self, now: float) -> Messages:
        """Return the request to clear."""
        return self._ask(now)

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        if self.result is not None:
            return []
        if self._reader is None:
            return self._receive_verdict(message, now)
        out = self._reader.receive(message, now)
        if self._reader.count is not None:
            gone = self._reader.count <= self._first
            self.result = UploadResult(gone, True, "" if gone else f"{self._reader.count} items remain")
        return out

    def tick(self, now: float) -> Messages:
        """Return what silence demands."""
        if self.result is not None:
            return []
        if self._reader is not None:
            if self._reader.silent_s(now) > self._patience.give_up_s:
                self.result = UploadResult(False, True, "the vehicle did not say what is left on board")
                return []
            return self._reader.tick(now)
        return self._ask(now) if now - self._acted_at >= self._patience.slowest_s else []

    def _ask(self, now: float) -> Messages:
        if self._attempts_left == 0:
            self.result = UploadResult(False, False, "the vehicle did not answer the request to clear")
            return []
        self._attempts_left -= 1
        self._acted_at = now
        return [ClearWanted(self._kind)]

    def _receive_verdict(self, message: Transfer, now: float) -> Messages:
        if not isinstance(message, MissionVerdict) or message.kind is not self._kind:
            return []
        if message.verdict is Verdict.ACCEPTED:
            self._reader = ReadBack(patience=self._patience, expect=self._first, kind=self._kind)
            return self._reader.start(now)
        self.result = UploadResult(False, False, f"the vehicle answered {message.verdict.words}")
        return []
