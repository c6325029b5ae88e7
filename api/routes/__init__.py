"""The HTTP API, one file a subject. Routes parse, call the store, and show; they decide nothing."""

from api.routes import (
    accounts,
    alerts,
    audit,
    cap,
    coverage,
    events,
    fleet,
    frames,
    incidents,
    observations,
    plans,
    session,
    site,
    system,
    witnesses,
)

ROUTERS = (
    session.router,
    accounts.session_router,
    accounts.account_router,
    accounts.security_router,
    audit.router,
    system.router,
    site.router,
    fleet.router,
    plans.router,
    incidents.router,
    alerts.router,
    frames.router,
    coverage.router,
    witnesses.router,
    observations.router,
    events.router,
    cap.router,
)
