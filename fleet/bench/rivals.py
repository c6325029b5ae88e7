"""How other clients put a mission on board, as rules modelled for the same bench.

Not those programs: their published rules for timeouts, repeats and giving up,
put into the shape of our machines and driven against the same vehicles over the
same link. Neither reads anything back, so a success here is one acknowledgement.

    QGroundControl (PlanManager)   the count is sent again each 1.5 s, up to six times; once
                                   items are asked for, 1.5 s without the next request end it,
                                   and so does a missing final acknowledgement;
                                   INVALID_SEQUENCE is passed over on ArduPilot
    MAVSDK (mission transfer)      the count is sent again each 0.5 s, up to five times; then it
                                   waits six times 0.5 s for the vehicle to ask; any refusal,
                                   INVALID_SEQUENCE too, ends it
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.messages import Item, ItemCount, ItemWanted, MissionVerdict, Outgoing, Transfer, Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """What a client does about silence and refusals."""

    name: str
    wait_s: float
    counts: int  # how often the count goes out
    waits: int  # how many silent waits end an upload whose items are asked for
    passes_over: frozenset[Verdict]


QGROUNDCONTROL = Rules("QGroundControl", 1.5, 7, 1, frozenset({Verdict.INVALID_SEQUENCE}))
MAVSDK = Rules("MAVSDK", 0.5, 5, 6, frozenset())


class RivalUpload:
    """An upload by such rules; `result` is whether the client calls it done."""

    def __init__(self, items: Sequence[Item], rules: Rules) -> None:
        self.result: bool | None = None
        self._items = tuple(items)
        self._rules = rules
        self._asked = -1
        self._silences = 0
        self._since_s = 0.0

    def start(self, now: float) -> list[Outgoing]:
        """Return the count."""
        self._since_s = now
        return [ItemCount(len(self._items))]

    def receive(self, message: Transfer, now: float) -> list[Outgoing]:
        """Answer a request; end at an acknowledgement or a refusal."""
        if self.result is not None:
            return []
        match message:
            case ItemWanted() if message.seq <= self._asked + 1:
                if message.seq > self._asked:
                    self._asked, self._silences = message.seq, 0
                self._since_s = now
                return [self._items[message.seq]]
            case MissionVerdict() if message.verdict not in self._rules.passes_over:
                all_sent = self._asked == len(self._items) - 1
                self.result = message.verdict is Verdict.ACCEPTED and all_sent
        return []

    def tick(self, now: float) -> list[Outgoing]:
        """Send the count again while nothing was asked for; else give up in time."""
        if self.result is not None or now - self._since_s < self._rules.wait_s:
            return []
        self._since_s = now
        self._silences += 1
        counting = self._asked < 0
        if self._silences >= (self._rules.counts if counting else self._rules.waits):
            self.result = False
            return []
        return [ItemCount(len(self._items))] if counting else []
