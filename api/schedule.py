"""What is to be planned and launched now: pure decisions on what the service remembers.

A demand is due when its revisit time has passed since the last flight that
looked at it began, inside its hours of the site's day. Whatever becomes due
soon after is planned along, because shared flights are the point. A demand that
no plan could serve, or whose sortie failed, is planned again after a rest and
not at once, for nothing has changed yet that would let it succeed. A failed
sortie itself is never flown again: its pictures carry its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from missions.model import Demand, DroneModel

# A demand due within this share of its revisit time is planned together with one that is due now.
LEAD_SHARE = 0.1
RETRY = timedelta(minutes=10)
# Two drones of one dock leave so far apart that the first is out of the second's climb.
LAUNCH_GAP = timedelta(seconds=60)
# A drone whose telemetry is older than this is not launched: no fresh data, no take-off.
FRESH = timedelta(seconds=60)
FULL_PERCENT = 99.0

# How the demand of a look that was asked for is called (`api.verification`).
LOOK = "look:"

UNLAUNCHED = ("planned", "ordered")
OVER = ("done", "failed", "replaced")


@dataclass(frozen=True, slots=True)
class Flight:
    """One sortie as the schedule needs it. `began_at` is its launch, `changed_at` its last step."""

    id: str
    dock: str
    model: str
    drone: str | None
    state: str
    energy_wh: float
    demands: tuple[str, ...]
    began_at: datetime | None
    changed_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether it is still to be launched."""
        return self.state in UNLAUNCHED

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody waits for what it will see."""
        return any(demand.startswith(LOOK) for demand in self.demands)

    @property
    def holds_demands(self) -> bool:
        """Whether its demands are being looked after."""
        return self.state not in OVER


@dataclass(frozen=True, slots=True)
class Heard:
    """What a drone last said of itself."""

    drone: str
    dock: str
    model: str
    state: str
    battery_percent: float | None
    at: datetime


def due(
    demands: Iterable[Demand],
    flights: Sequence[Flight],
    tried: Mapping[str, datetime],
    *,
    now: datetime,
    timezone: ZoneInfo,
) -> tuple[Demand, ...]:
    """Return the demands to plan now, none when nothing is due.

    `tried` says when a plan last had to leave a demand out.
    """
    held = {d for flight in flights if flight.holds_demands for d in flight.demands}
    free = [d for d in demands if d.id not in held and _is_open(d, now, timezone)]
    when = {d.id: _due_at(d, flights, tried) for d in free}
    if not any(at is None or at <= now for at in when.values()):
        return ()
    soon = {d.id: now + timedelta(seconds=d.revisit_s * LEAD_SHARE) for d in free}
    return tuple(d for d in free if (at := when[d.id]) is None or at <= soon[d.id])


def late_s(
    demands: Iterable[Demand],
    flights: Sequence[Flight],
    tried: Mapping[str, datetime],
    *,
    now: datetime,
) -> dict[str, float]:
    """Return how long ago demands were due, in seconds; those that are not are left out."""
    when = {d.id: _due_at(d, flights, tried) for d in demands}
    return {name: (now - at).total_seconds() for name, at in when.items() if at is not None and at < now}


def launches(
    flights: Sequence[Flight],
    drones: Iterable[Heard],
    models: Mapping[str, DroneModel],
    last_launch_at: Mapping[str, datetime],
    *,
    now: datetime,
) -> tuple[tuple[str, str | None], ...]:
    """Return (sortie, drone) to launch now, at most one a dock.

    An order whose answer is outstanding comes again with the drone it was
    given (None here), so that it is sent again under the same id.
    """
    busy = {f.drone for f in flights if f.drone and f.state not in (*OVER, "planned")}
    free = [d for d in drones if d.drone not in busy and d.state == "docked" and now - d.at <= FRESH]
    free.sort(key=lambda d: (-(d.battery_percent or 0.0), d.drone))
    chosen: list[tuple[str, str | None]] = []
    docks = {dock for dock, at in last_launch_at.items() if now - at < LAUNCH_GAP}
    for flight in flights:
        if not flight.waits:
            continue
        if flight.state == "ordered":
            chosen.append((flight.id, None))
            continue
        if flight.dock in docks:
            continue
        fits = (d for d in free if d.dock == flight.dock and d.model == flight.model)
        drone = next((d for d in fits if _has_energy(d, flight, models[flight.model])), None)
        if drone is not None:
            docks.add(flight.dock)
            chosen.append((flight.id, drone.drone))
    return tuple(chosen)


def needed_percent(energy_wh: float, model: DroneModel) -> float:
    """Return the charge a sortie needs with the model's reserve; a full battery always will do."""
    return min(FULL_PERCENT, (energy_wh / model.battery_wh + model.reserve) * 100.0)


def _has_energy(drone: Heard, flight: Flight, model: DroneModel) -> bool:
    return drone.battery_percent is not None and drone.battery_percent >= needed_percent(
        flight.energy_wh, model
    )


def _due_at(demand: Demand, flights: Sequence[Flight], tried: Mapping[str, datetime]) -> datetime | None:
    """Return from when on a demand is due, None when it never was looked at."""
    mine = [f for f in flights if demand.id in f.demands]
    looked = [f.began_at for f in mine if f.state == "done" and f.began_at]
    vain = [f.changed_at for f in mine if f.state == "failed" and f.changed_at]
    vain += [tried[demand.id]] if demand.id in tried else []
    ends = []
    if looked:
        ends.append(max(looked) + timedelta(seconds=demand.revisit_s))
    if vain:
        ends.append(max(vain) + RETRY)
    return max(ends, default=None)


def _is_open(demand: Demand, now: datetime, timezone: ZoneInfo) -> bool:
    """Return whether a look now falls into the demand's hours; they may run past midnight."""
    if demand.window is None:
        return True
    local = now.astimezone(timezone)
    of_day = local.hour * 3600 + local.minute * 60 + local.second
    begins, ends = demand.window
    return begins <= of_day < ends if begins <= ends else of_day >= begins or of_day < ends
