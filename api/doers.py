"""As whom a caller acts on alerts and orders."""

from api.orders import By, duties_of
from api.store.orders import Doer
from api.store.tokens import Caller, Role
from missions.model import Site


def on_alerts(caller: Caller, site: Site) -> Doer:
    """Return a caller as somebody who takes alerts in hand; the operator may for all, by telephone."""
    if caller.is_operator:
        return Doer(caller.name, None, frozenset({By.OFFICER}))
    return on_orders(caller, site)


def on_orders(caller: Caller, site: Site) -> Doer:
    """Return a caller as somebody who works on orders: an agency's people alone; others only watch."""
    known = {agency.id: agency for agency in site.agencies}
    if caller.role is not Role.AGENCY or caller.agency not in known:
        return Doer(caller.name, caller.agency, frozenset())
    by = duties_of(known[caller.agency], caller.account, caller.name)
    return Doer(caller.name, caller.agency, by)
