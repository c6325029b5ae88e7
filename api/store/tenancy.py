"""What a caller may see, in one place for every interface: the agency's own, and what others share with it.

`grants` is the decision, as data: whose things, of which hazards, from which severity on. Everything else
here says the same to those who ask: `lets` of one thing at hand (the event stream), the conditions of
rows in the database (our API, OGC, STAC, CAP, exports, evidence). A route row says that an incident lies
on an agency's ground and is of its hazards (`api.routing`); the site's sharing rules say what one agency
lets another see of its own. The operator sees everything, a role that is nobody's eyes sees nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from api.discretion import untold
from api.routing import Concern
from api.store.models import EventRow, IncidentRow, ObservationRow
from api.store.tables.orders import FrameGroundRow, LeadRow, OrderRow, RouteRow
from api.store.tokens import Caller, Role
from missions.model import Hazard, Severity, Shared

ITS_OWN = tuple(concern.value for concern in Concern if concern.is_its_own)


@dataclass(frozen=True, slots=True)
class Grant:
    """One agency's things that may be seen: all of them, or those of some hazards and severities."""

    agency: str
    hazards: frozenset[Hazard] | None = None
    severities: frozenset[Severity] | None = None

    def lets(self, agency: str, hazard: str | None, severity: str | None) -> bool:
        """Return whether a thing of an agency is among them; what a rule asks for must be known of it."""
        if agency != self.agency:
            return False
        return (self.hazards is None or hazard in self.hazards) and (
            self.severities is None or severity in self.severities
        )


def grants(caller: Caller, what: Shared | None) -> tuple[Grant, ...] | None:
    """Return what a caller may see of one kind of thing; None for everything there is.

    what: None for a kind that is never shared (alerts, deliveries, mutes, reports, evidence).
    """
    if caller.is_operator:
        return None
    if caller.role is not Role.AGENCY or caller.agency is None:
        return ()
    return (
        Grant(caller.agency),
        *(
            Grant(rule.giver, rule.hazards, frozenset(s for s in Severity if s.reaches(rule.floor)))
            for rule in caller.shared
            if what in rule.what
        ),
    )


def lets(
    caller: Caller, what: Shared | None, agency: str, hazard: str | None = None, severity: str | None = None
) -> bool:
    """Return whether a caller may see one thing of an agency."""
    found = grants(caller, what)
    return found is None or any(grant.lets(agency, hazard, severity) for grant in found)


def owned(caller: Caller, agency: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition on rows that are one agency's alone and never shared."""
    found = grants(caller, None)
    return true() if found is None else agency.in_([grant.agency for grant in found])


def seen_incidents(caller: Caller, what: Shared = Shared.INCIDENTS) -> Select[str] | None:
    """Return the query of the ids of incidents that a caller may see, None for all of them.

    what: their pictures may be shared with fewer than the incidents themselves.
    """
    found = grants(caller, what)
    if found is None:
        return None
    return select(RouteRow.incident).where(_granted(found, RouteRow), RouteRow.concern.in_(ITS_OWN))


def seen_orders(caller: Caller) -> ColumnElement[bool]:
    """Return the condition on orders that a caller may see.

    An agency sees its own orders, those that others share, and all orders of incidents that it leads.
    """
    found = grants(caller, Shared.ORDERS)
    if found is None:
        return true()
    led = select(LeadRow.incident).where(owned(caller, LeadRow.agency))
    return or_(_granted(found, OrderRow), OrderRow.incident.in_(led))


def seen_frames(caller: Caller) -> CompoundSelect[str] | None:
    """Return the query of the ids of frames that show what a caller may see, None for all of them.

    Those of its own ground that were searched for its hazards, and those that show incidents whose exact
    places it may know.
    """
    incidents = seen_incidents(caller, Shared.PICTURES)
    if incidents is None:
        return None
    rough = untold(caller.knows)
    looked = select(ObservationRow.frame).where(
        ObservationRow.incident.in_(incidents), ObservationRow.hazard.not_in(rough)
    )
    best = select(IncidentRow.best_frame).where(
        IncidentRow.id.in_(incidents), IncidentRow.best_frame.is_not(None), IncidentRow.hazard.not_in(rough)
    )
    ground = select(FrameGroundRow.frame).where(owned(caller, FrameGroundRow.agency))
    return looked.union(best, ground)


def hears(caller: Caller, event: EventRow) -> bool:
    """Return whether an event of the stream is the caller's to hear: its own, or shared with it."""
    if any(lets(caller, None, agency) for agency in event.agencies):
        return True
    hazard, severity = event.data.get("hazard"), event.data.get("severity")
    match event.kind:
        case "incident":
            what, givers = Shared.INCIDENTS, event.agencies
        case "order":
            what, givers = Shared.ORDERS, [event.data.get("agency", "")]
        case _:
            return caller.is_operator
    return caller.is_operator or any(lets(caller, what, giver, hazard, severity) for giver in givers)


def as_heard(caller: Caller, event: EventRow) -> Mapping[str, Any]:
    """Return what an event says to a caller that may hear it: an agency is not told who else knows."""
    if caller.is_operator or "agencies" not in event.data:
        return event.data
    return {**event.data, "agencies": [caller.agency]}


def _granted(found: Sequence[Grant], table: type[RouteRow] | type[OrderRow]) -> ColumnElement[bool]:
    return or_(false(), *(_condition(grant, table) for grant in found))


def _condition(grant: Grant, table: type[RouteRow] | type[OrderRow]) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [table.agency == grant.agency]
    if grant.hazards is not None:
        parts.append(table.hazard.in_(sorted(h.value for h in grant.hazards)))
    if grant.severities is not None:
        parts.append(table.severity.in_(sorted(s.value for s in grant.severities)))
    return and_(*parts)
