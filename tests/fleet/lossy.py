"""A bad link and two small vehicles, written from the MAVLink mission protocol.

Nothing here comes from `fleet/transfer.py`: the vehicles follow
mavlink.io/en/services/mission.html with the habits of ArduCopter 4.5 and PX4
that bite a ground station. Time is a number that the test moves.
"""

import heapq
import random
from dataclasses import dataclass, field, replace
from itertools import count

from fleet.messages import (
    ClearWanted,
    Item,
    ItemCount,
    ItemWanted,
    ListWanted,
    MissionVerdict,
    Transfer,
    Verdict,
)


@dataclass
class LossyLink:
    """Carries messages both ways late, sometimes twice, sometimes never."""

    rng: random.Random
    loss: float = 0.0
    double: float = 0.0
    delay_s: float = 0.05
    jitter_s: float = 0.0
    queue: list = field(default_factory=list)
    order: count = field(default_factory=count)
    carried: int = 0

    def put(self, to_vehicle: bool, message: Transfer, now: float) -> None:
        copies = 2 if self.rng.random() < self.double else 1
        for _ in range(copies):
            if self.rng.random() >= self.loss:
                at = now + self.delay_s + self.rng.random() * self.jitter_s
                heapq.heappush(self.queue, (at, next(self.order), to_vehicle, message))

    def due(self, now: float):
        while self.queue and self.queue[0][0] <= now:
            _, _, to_vehicle, message = heapq.heappop(self.queue)
            self.carried += 1
            yield to_vehicle, message


@dataclass
class Ardu:
    """The vehicle's half as ArduCopter plays it: item 0 is home, silence after the end."""

    mission: list[Item] = field(default_factory=list)
    limit: int = 650
    receiving: int | None = None
    total: int = 0
    asked_at: float = 0.0
    got_at: float = 0.0
    retry_s = 1.0

    def receive(self, message: Transfer, now: float) -> list[Transfer]:
        match message:
            case ItemCount():
                return self.begin(message.count, now)
            case Item():
                return self.take(message, now)
            case ListWanted():
                return self.list_wanted()
            case ItemWanted() if message.seq < len(self.mission):
                return [self.mission[message.seq]]
            case ClearWanted():
                self.mission = []
                return [MissionVerdict(Verdict.ACCEPTED)]
        return []

    def tick(self, now: float) -> list[Transfer]:
        if self.receiving is None:
            return []
        if now - self.got_at > 8.0:
            self.receiving = None
            return [MissionVerdict(Verdict.CANCELLED)]
        if now - self.asked_at >= self.retry_s:
            return self.ask(now)
        return []

    def begin(self, total: int, now: float) -> list[Transfer]:
        if total > self.limit:
            return [MissionVerdict(Verdict.NO_SPACE)]
        del self.mission[total:]
        self.receiving, self.total, self.got_at = 0, total, now
        return self.ask(now)

    def ask(self, now: float) -> list[Transfer]:
        self.asked_at = now
        return [ItemWanted(self.receiving)]

    def take(self, item: Item, now: float) -> list[Transfer]:
        if self.receiving is None:
            return self.after_the_end(item)
        if item.seq != self.receiving:
            return self.out_of_turn(now)
        if abs(item.lat_deg) > 90:
            self.receiving = None
            return [MissionVerdict(Verdict.INVALID_LATITUDE)]
        self.mission[item.seq : item.seq + 1] = [self.stored(item)]
        self.got_at = now
        self.receiving += 1
        if self.receiving == self.total:
            self.receiving = None
            return [MissionVerdict(Verdict.ACCEPTED)]
        return self.ask(now)

    def stored(self, item: Item) -> Item:
        if item.seq == 0:
            return replace(item, lat_deg=30.0, lon_deg=119.0, altitude_m=80.0)
        return replace(item, frame=3 if item.frame == 6 else item.frame)

    def out_of_turn(self, now: float) -> list[Transfer]:
        return [MissionVerdict(Verdict.INVALID_SEQUENCE)]

    def after_the_end(self, item: Item) -> list[Transfer]:
        return []

    def list_wanted(self) -> list[Transfer]:
        if self.receiving is not None:
            return [MissionVerdict(Verdict.DENIED)]
        return [ItemCount(len(self.mission))]


@dataclass
class Px4(Ardu):
    """The vehicle's half as PX4 plays it: no home, a repeated last item acknowledged again."""

    retry_s = 0.25

    def stored(self, item: Item) -> Item:
        return item

    def out_of_turn(self, now: float) -> list[Transfer]:
        return []

    def after_the_end(self, item: Item) -> list[Transfer]:
        done = item.seq == self.total - 1
        return [MissionVerdict(Verdict.ACCEPTED if done else Verdict.ERROR)]

    def list_wanted(self) -> list[Transfer]:
        return [] if self.receiving is not None else [ItemCount(len(self.mission))]


@dataclass
class HastyPx4(Px4):
    """Acknowledges an incomplete upload as success now and then, as PX4 did until 2026."""

    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def take(self, item: Item, now: float) -> list[Transfer]:
        if self.receiving is not None and 3 < item.seq == self.receiving and self.rng.random() < 0.005:
            self.receiving = None
            return [MissionVerdict(Verdict.ACCEPTED)]
        return super().take(item, now)


def run(machine, vehicle, link: LossyLink, *, limit_s: float = 600.0, step_s: float = 0.01) -> float:
    """Drive a transfer to its end; return how long it took."""
    now = 0.0
    for message in machine.start(now):
        link.put(True, message, now)
    while machine.result is None:
        now += step_s
        assert now < limit_s, "the transfer never ended"
        for to_vehicle, message in list(link.due(now)):
            answers = vehicle.receive(message, now) if to_vehicle else machine.receive(message, now)
            for answer in answers:
                link.put(not to_vehicle, answer, now)
        for message in vehicle.tick(now):
            link.put(False, message, now)
        for message in machine.tick(now):
            link.put(True, message, now)
    return now
