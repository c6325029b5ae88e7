"""The road of one report: received -> accepted -> dispatched -> done -> rated, or rejected. Pure.

A resident or ranger reports; an officer of the agency on whose ground it lies accepts or
rejects it; from then on it follows the work order that was made of it. The reporter
sees every step by the tracking code, rates the end, and earns points when what was
reported proved true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.errors import IllegalMove
from api.orders import OrderState, Verdict
from missions.model import Hazard


class ReportState(StrEnum):
    """How far a report has come."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    DONE = "done"
    RATED = "rated"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """Whether something is still to come, as Open311 means `open`."""
        return self in (ReportState.RECEIVED, ReportState.ACCEPTED, ReportState.DISPATCHED)


class ReportAct(StrEnum):
    """What moves a report by hand; the rest its order does."""

    ACCEPT = "accept"
    REJECT = "reject"
    RATE = "rate"


MOVES: Mapping[tuple[ReportState, ReportAct], ReportState] = {
    (ReportState.RECEIVED, ReportAct.ACCEPT): ReportState.ACCEPTED,
    (ReportState.RECEIVED, ReportAct.REJECT): ReportState.REJECTED,
    (ReportState.DONE, ReportAct.RATE): ReportState.RATED,
}

_FOLLOWS: Mapping[OrderState, ReportState] = {
    OrderState.NEW: ReportState.ACCEPTED,
    OrderState.DISPATCHED: ReportState.DISPATCHED,
    OrderState.ON_SITE: ReportState.DISPATCHED,
    OrderState.RESOLVED: ReportState.DISPATCHED,
    OrderState.VERIFIED: ReportState.DISPATCHED,
    OrderState.REOPENED: ReportState.DISPATCHED,
    OrderState.CLOSED: ReportState.DONE,
}

POINTS: Mapping[Verdict, int] = {Verdict.FOREST_FIRE: 10, Verdict.FARM_BURNING: 5, Verdict.CONFIRMED: 5}
"""What a report is worth that proved true."""


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of report that can be made, by the hazard it tells of."""

    code: str
    hazard: Hazard
    group: str


SERVICES = (
    Service("fire", Hazard.FIRE, "fire"),
    Service("smoke", Hazard.SMOKE, "fire"),
    Service("burning", Hazard.BURNING, "fire"),
    Service("flood", Hazard.FLOOD, "water"),
    Service("discharge", Hazard.DISCHARGE, "water"),
    Service("logging", Hazard.LOGGING, "forest"),
    Service("foreign_object", Hazard.FOREIGN_OBJECT, "line"),
)


def service(code: str) -> Service | None:
    """Return the service of a code, None when there is none."""
    return next((service for service in SERVICES if service.code == code), None)


def moved(state: ReportState, act: ReportAct) -> ReportState:
    """Return the state of a report after an act.

    Raises:
        IllegalMove: it is in no state for it; it names the acts there are.
    """
    to = MOVES.get((state, act))
    if to is None:
        raise IllegalMove("report", state, act, [way for (s, way) in MOVES if s is state])
    return to


def following(state: ReportState, order: OrderState) -> ReportState | None:
    """Return the state of a report whose order has moved, None when that is no news to the reporter."""
    to = _FOLLOWS.get(order)
    if to is None or to is state or state in (ReportState.REJECTED, ReportState.RATED):
        return None
    return to


def points(verdict: Verdict | None) -> int:
    """Return what a reporter earns by a verdict; what proved false costs nothing."""
    return POINTS.get(verdict, 0) if verdict else 0
