"""What an agency may see, in one place for every interface: its own, and what others share with it.

A route row says that an incident lies on an agency's ground and is of its hazards (`api.routing`); the
site's sharing rules say what one agency lets another see of its own. The operator sees everything,
nobody else sees anything.
"""

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, false, or_, select

from api.store.models import IncidentRow, ObservationRow
from api.store.tables.orders import OrderRow, RouteRow
from api.store.tokens import Caller, Role
from missions.model import Severity, Shared


def seen_incidents(caller: Caller, what: Shared = Shared.INCIDENTS) -> Select[str] | None:
    """Return the query of the ids of incidents that a caller may see, None for all of them.

    what: their pictures may be shared with fewer than the incidents themselves.
    """
    if caller.is_operator:
        return None
    return select(RouteRow.incident).where(_is_shown(caller, what, RouteRow))


def seen_orders(caller: Caller) -> ColumnElement[bool] | None:
    """Return the condition on orders that a caller may see, None for all of them.

    An agency sees its own orders, those that others share, and all orders of incidents that it leads.
    """
    if caller.is_operator:
        return None
    return _is_shown(caller, Shared.ORDERS, OrderRow)


def seen_frames(caller: Caller) -> CompoundSelect[str] | None:
    """Return the query of the ids of frames that show what a caller may see, None for all of them."""
    incidents = seen_incidents(caller, Shared.PICTURES)
    if incidents is None:
        return None
    looked = select(ObservationRow.frame).where(ObservationRow.incident.in_(incidents))
    best = select(IncidentRow.best_frame).where(
        IncidentRow.id.in_(incidents), IncidentRow.best_frame.is_not(None)
    )
    return looked.union(best)


def _is_shown(caller: Caller, what: Shared, table: type[RouteRow] | type[OrderRow]) -> ColumnElement[bool]:
    if caller.role is not Role.AGENCY:
        return false()
    shown = [table.agency == caller.agency]
    for rule in caller.shared:
        if what in rule.what:
            bad_enough = [severity.value for severity in Severity if severity.reaches(rule.floor)]
            shown.append(
                and_(
                    table.agency == rule.giver,
                    table.hazard.in_([hazard.value for hazard in rule.hazards]),
                    table.severity.in_(bad_enough),
                )
            )
    return or_(*shown)
