"""A bad link in virtual time: what is sent arrives late, or never; nothing waits for a wall clock.

Loss is independent for each message and each way, the delay is the same for all,
so a run is decided by its seed alone.
"""

import heapq
import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

STEP_S = 0.01  # how often either side looks at its timeouts


class Side(Protocol):
    """One end: takes in a message or the time, answers with what it sends."""

    def receive(self, message: Any, now: float, /) -> list[Any]: ...

    def tick(self, now: float, /) -> list[Any]: ...


class Client(Side, Protocol):
    """The ground's end of one transfer; `result` is None until it has ended."""

    result: Any

    def start(self, now: float, /) -> list[Any]: ...


@dataclass(slots=True)
class AirLink:
    """Carries messages both ways; `loss` is the share that never arrives, each way."""

    rng: random.Random
    loss: float
    delay_s: float = 0.05
    carried: int = 0
    _under_way: list[tuple[float, int, bool, Any]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)

    def send(self, messages: list[Any], now: float, *, to_vehicle: bool) -> None:
        """Take messages of one side."""
        for message in messages:
            self.carried += 1
            if self.rng.random() >= self.loss:
                heapq.heappush(self._under_way, (now + self.delay_s, next(self._order), to_vehicle, message))

    def due(self, until: float) -> tuple[float, bool, Any] | None:
        """Return the next arrival up to a time: when, whether at the vehicle, what."""
        if not self._under_way or self._under_way[0][0] > until:
            return None
        at, _, to_vehicle, message = heapq.heappop(self._under_way)
        return at, to_vehicle, message


def run(client: Client, vehicle: Side, link: AirLink, *, limit_s: float = 900.0) -> float:
    """Drive a transfer to its end; return how long it took, in virtual seconds, or `limit_s`."""
    now = 0.0
    link.send(client.start(now), now, to_vehicle=True)
    step = 0
    while client.result is None and now < limit_s:
        step += 1
        until = step * STEP_S
        while (arrival := link.due(until)) is not None:
            now, to_vehicle, message = arrival
            side: Side = vehicle if to_vehicle else client
            link.send(side.receive(message, now), now, to_vehicle=not to_vehicle)
            if client.result is not None:
                return now
        now = until
        link.send(vehicle.tick(now), now, to_vehicle=False)
        link.send(client.tick(now), now, to_vehicle=True)
    return now
