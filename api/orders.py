"""The work order: one agency's work on one incident, as a table of moves. Pure.

    new ──dispatch──> dispatched ──arrive──> on_site ──resolve──> resolved
    resolved ──verify (a look)──> verified ──close──> closed ──rate──> rated
    resolved ──close (reason and picture, where no look is possible)──> closed
    resolved, verified, closed, rated ──reopen──> reopened ──dispatch──> …

"Resolved" is what the people on the ground say; "verified" is what a drone saw
afterwards, once for all orders of an incident. A rating is welcome and never
waited for: an order that is closed is done. What is no move of the table is
refused with the moves there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from api.errors import BadRequest, Forbidden, IllegalMove
from missions.duty import Duty
from missions.model import Agency, Hazard, Severity


class OrderState(StrEnum):
    """How far an order has come."""

    NEW = "new"
    DISPATCHED = "dispatched"
    ON_SITE = "on_site"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    CLOSED = "closed"
    RATED = "rated"
    REOPENED = "reopened"

    @property
    def is_done(self) -> bool:
        """Whether nobody has to do anything any more; a missing rating counts for nothing."""
        return self in (OrderState.CLOSED, OrderState.RATED)


class Act(StrEnum):
    """What moves an order."""

    DISPATCH = "dispatch"
    ARRIVE = "arrive"
    RESOLVE = "resolve"
    VERIFY = "verify"
    CLOSE = "close"
    RATE = "rate"
    REOPEN = "reopen"


class By(StrEnum):
    """As whom somebody acts on an order."""

    OFFICER = "officer"
    CREW = "crew"
    CHIEF = "chief"
    SERVICE = "service"  # the service itself, after a look
    REPORTER = "reporter"  # who reported the incident, by tracking code


class Verdict(StrEnum):
    """What it turned out to be."""

    FOREST_FIRE = "forest_fire"
    FARM_BURNING = "farm_burning"
    PERMITTED = "permitted"
    INDUSTRIAL_HEAT = "industrial_heat"
    CONFIRMED = "confirmed"  # another hazard than fire, as it was told
    FALSE = "false"
    NOT_FOUND = "not_found"

    @property
    def is_real(self) -> bool:
        """Whether there was something that should not have been there."""
        return self in (Verdict.FOREST_FIRE, Verdict.FARM_BURNING, Verdict.CONFIRMED)


class LookState(StrEnum):
    """What became of the verification look at the order's incident."""

    NONE = "none"
    ASKED = "asked"
    CLEAR = "clear"
    STILL_THERE = "still_there"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Order:
    """What the rules need to know of an order."""

    state: OrderState
    assignee: str | None = None
    verdict: Verdict | None = None
    look: LookState = LookState.NONE
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody hands in with an act; what an act does not need is left out."""

    note: str | None = None
    assignee: str | None = None
    verdict: Verdict | None = None
    rating: int | None = None


_PEOPLE = frozenset({By.OFFICER, By.CREW, By.CHIEF})
_DESK = frozenset({By.OFFICER, By.CHIEF})
_LOOK = frozenset({By.SERVICE})

MOVES: Mapping[tuple[OrderState, Act], tuple[OrderState, frozenset[By]]] = {
    (OrderState.NEW, Act.DISPATCH): (OrderState.DISPATCHED, _DESK),
    (OrderState.REOPENED, Act.DISPATCH): (OrderState.DISPATCHED, _DESK),
    (OrderState.DISPATCHED, Act.DISPATCH): (OrderState.DISPATCHED, _DESK),  # to somebody else
    (OrderState.DISPATCHED, Act.ARRIVE): (OrderState.ON_SITE, _PEOPLE),
    (OrderState.ON_SITE, Act.RESOLVE): (OrderState.RESOLVED, _PEOPLE),
    (OrderState.RESOLVED, Act.VERIFY): (OrderState.VERIFIED, _LOOK),
    (OrderState.RESOLVED, Act.CLOSE): (OrderState.CLOSED, _DESK),
    (OrderState.VERIFIED, Act.CLOSE): (OrderState.CLOSED, _DESK),
    (OrderState.CLOSED, Act.RATE): (OrderState.RATED, _DESK | {By.REPORTER}),
    (OrderState.RESOLVED, Act.REOPEN): (OrderState.REOPENED, _DESK | _LOOK),
    (OrderState.VERIFIED, Act.REOPEN): (OrderState.REOPENED, _DESK | _LOOK),
    (OrderState.CLOSED, Act.REOPEN): (OrderState.REOPENED, _DESK | _LOOK),
    (OrderState.RATED, Act.REOPEN): (OrderState.REOPENED, _DESK | _LOOK),
}
"""From a state by an act: where it leads, and who may do it."""

CHECKLISTS: Mapping[Hazard, tuple[str, ...]] = {
    Hazard.FIRE: ("way_out", "wind", "water", "people_away", "line_off", "mopped_up", "watch_left"),
    Hazard.SMOKE: ("way_out", "wind", "source", "people_away"),
    Hazard.BURNING: ("who", "permit", "put_out"),
    Hazard.FLOOD: ("people_away", "road_closed", "level", "dike", "line_off"),
    Hazard.HOT_JOINT: ("line", "measured", "load", "mended"),
    Hazard.LOGGING: ("who", "permit", "evidence", "stumps"),
    Hazard.DISCHARGE: ("sample", "source", "evidence"),
    Hazard.LINE_CLEARANCE: ("line", "distance", "cut"),
}
_ANY_HAZARD = ("who", "evidence")

_RESPOND: Mapping[Severity, tuple[timedelta, timedelta]] = {
    Severity.RED: (timedelta(minutes=15), timedelta(hours=4)),
    Severity.ORANGE: (timedelta(minutes=30), timedelta(hours=8)),
    Severity.YELLOW: (timedelta(hours=2), timedelta(hours=24)),
    Severity.BLUE: (timedelta(hours=24), timedelta(days=7)),
}


def moved(order: Order, act: Act, wish: Wish, *, by: Iterable[By]) -> Order:
    """Return the order after an act.

    Raises:
        IllegalMove: the order is in no state for it; it names the acts there are.
        Forbidden: there is such an act, and it is not for whoever asks.
        BadRequest: something the act needs was not handed in.
    """
    move = MOVES.get((order.state, act))
    if move is None:
        raise IllegalMove("order", order.state, act, allowed(order))
    to, who = move
    if not who & set(by):
        raise Forbidden(f"to {act} an order is for {' or '.join(sorted(who))}, not for you")
    check_needs(order, act, wish)
    return replace(
        order,
        state=to,
        assignee=wish.assignee or order.assignee,
        verdict=wish.verdict or order.verdict,
        look=LookState.NONE if to is OrderState.REOPENED else order.look,
    )


def allowed(order: Order, by: Iterable[By] | None = None) -> tuple[Act, ...]:
    """Return the acts that lead on from an order's state, for anybody or for somebody."""
    mine = set(By) if by is None else set(by)
    return tuple(act for (state, act), (_, who) in MOVES.items() if state is order.state and who & mine)


def check_needs(order: Order, act: Act, wish: Wish) -> None:
    """Return when an act has all it needs.

    Raises:
        BadRequest: it says what is missing.
    """
    match act:
        case Act.DISPATCH if not wish.assignee:
            raise BadRequest("dispatch needs `assignee`: who goes there")
        case Act.RESOLVE if wish.verdict is None:
            raise BadRequest(f"resolve needs `verdict`, one of {', '.join(Verdict)}")
        case Act.RATE if wish.rating is None:
            raise BadRequest("rate needs `rating`, 1 to 5")
        case Act.REOPEN if not wish.note:
            raise BadRequest("reopen needs `note`: why it is not done")
        case Act.CLOSE if order.state is OrderState.RESOLVED:
            _check_unseen(order, wish)
        case _:
            return


def checklist(hazard: Hazard) -> tuple[str, ...]:
    """Return the names of what is to be ticked off on the ground; the words are in the catalogue."""
    return CHECKLISTS.get(hazard, _ANY_HAZARD)


def due_times(severity: Severity, now: datetime) -> tuple[datetime, datetime]:
    """Return (somebody is there by, it is resolved by) unless the agency says otherwise."""
    respond, resolve = _RESPOND[severity]
    return now + respond, now + resolve


def duties_of(agency: Agency, account: str | None, name: str) -> frozenset[By]:
    """Return as whom a caller of an agency may act.

    The agency's own key may do everything. A person may do what the agency's list of members says;
    where it lists nobody, everything; a person it does not list only watches.
    """
    if account is None or not agency.members:
        return _PEOPLE
    listed = next((m for m in agency.members if name in (m.id, m.name)), None)
    return frozenset(By(duty.value) for duty in listed.duties) if listed else frozenset()


def _check_unseen(order: Order, wish: Wish) -> None:
    """A person closes without a look only where none is possible, and says and shows why."""
    if order.look is not LookState.IMPOSSIBLE:
        raise IllegalMove(
            "order", order.state, Act.CLOSE, (Act.VERIFY, Act.REOPEN), "its look has not been answered yet"
        )
    if not wish.note or order.pictures == 0:
        raise BadRequest("to close without a look needs `note` (why) and a picture from the ground")


assert {duty.value for duty in Duty} <= {by.value for by in By}
