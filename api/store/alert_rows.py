"""What telling writes into an alert's row: a new one, one revision more, a step, and what it says so far."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api import alerts, views
from api.alerts import AlertState, NotifyReason, Told
from api.discretion import NOTHING, is_rough
from api.store.models import AlertRow, IncidentRow
from api.store.tables.orders import AlertStepRow
from missions.model import Agency, Hazard, Severity


def new(row: IncidentRow, agency: Agency, now: datetime) -> AlertRow:
    """Return the alert of an incident to an agency, nothing told yet; its id follows from both."""
    return AlertRow(
        id=uuid5(NAMESPACE_URL, f"urn:gridpatrol:alert:{row.id}:{agency.id}").hex,
        incident=row.id,
        agency=agency.id,
        hazard=row.hazard,
        raised_at=now,
        revision=0,
        version=0,
        history=[],
    )


def write(
    alert: AlertRow,
    row: IncidentRow,
    reason: NotifyReason,
    now: datetime,
    *,
    severity: Severity | None,
    parts: int,
    knows: frozenset[Hazard] = NOTHING,
) -> None:
    """Write into the alert what its agency is now told; news reopens what was acknowledged.

    The incident as it now is goes with it: what was published once (CAP) must
    not change when the next look moves the incident. What only an agency that `knows` the hazard's places
    may read lies beside it, under `exact`.
    """
    first = reason is NotifyReason.FIRST
    alert.state = AlertState.RAISED.value if first else AlertState.UPDATED.value
    worst = max(Severity(row.severity), severity or Severity.BLUE, key=lambda s: s.rank)
    alert.severity = worst.value
    alert.place_name = row.place_name
    alert.title = alerts.title(Hazard(row.hazard), row.place_name, parts)
    alert.told_at, alert.revision, alert.version = now, alert.revision + 1, alert.version + 1
    alert.acknowledged_at = alert.acknowledged_by = alert.shelved_until = None
    entry = {
        "revision": alert.revision,
        "reason": reason.value,
        "severity": worst.value,
        "area_m2": row.area_m2,
        "told_at": now.isoformat(),
        "incident": views.plain(views.incident(row, [alert.agency])),
        "parts": parts,
    }
    if is_rough(row.hazard) and not is_rough(row.hazard, knows):
        entry["exact"] = views.exact(row, knows)
    alert.history = [*alert.history, entry]


def step(row: AlertRow, act: str, *, by: str, now: datetime, note: str | None) -> AlertStepRow:
    """Return one thing that happened to an alert."""
    return AlertStepRow(alert=row.id, act=act, state=row.state, by=by, at=now, note=note)


def told_by(history: Sequence[Any], told_at: datetime, state: str) -> Told | None:
    """Return the worst and the largest an agency was ever told, and when it was told last."""
    if not history:
        return None
    return Told(
        severity=max((Severity(h["severity"]) for h in history), key=lambda s: s.rank),
        area_m2=max((h["area_m2"] or 0.0 for h in history), default=None),
        told_at=told_at,
        state=AlertState(state),
    )
