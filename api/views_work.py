"""Rows of work as the JSON that leaves the service: orders, alerts' histories, mutes, alarms."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from api import alerts, schemas_delivery, schemas_work
from api.alerts import AlertAct, AlertState
from api.orders import By, LookState, Order, OrderState, Verdict, allowed
from api.store.models import AlertRow
from api.store.tables.delivery import ReceiverRow
from api.store.tables.orders import AlertStepRow, BeatRow, LeadRow, MuteRow, OrderRow
from missions.words import LANGUAGES, text


def order(row: OrderRow, lead: LeadRow | None, by: Iterable[By], *, now: datetime) -> schemas_work.OrderOut:
    """Return an order as somebody sees it who may do some things; steps and pictures must be loaded."""
    state = OrderState(row.state)
    value = Order(state, row.assignee, Verdict(row.verdict) if row.verdict else None, LookState(row.look))
    waits_for = row.resolve_by if state in (OrderState.ON_SITE,) else row.respond_by
    is_open = state in (OrderState.NEW, OrderState.DISPATCHED, OrderState.ON_SITE, OrderState.REOPENED)
    return schemas_work.OrderOut(
        id=row.id,
        incident=row.incident,
        agency=row.agency,
        lead=lead.agency if lead else None,
        hazard=row.hazard,
        severity=row.severity,
        place_name=row.place_name,
        state=row.state,
        version=row.version,
        assignee=row.assignee,
        respond_by=row.respond_by,
        resolve_by=row.resolve_by,
        is_late=is_open and waits_for < now,
        verdict=row.verdict,
        look=row.look,
        rating=row.rating,
        allowed=[act.value for act in allowed(value, by)],
        checklist=[
            schemas_work.CheckOut(
                item=entry["item"],
                text={lang: text(f"order.check.{entry['item']}", lang) for lang in LANGUAGES},
                done_at=entry["done_at"],
                done_by=entry["done_by"],
            )
            for entry in row.checklist
        ],
        pictures=[
            schemas_work.OrderPictureOut(id=p.id, sha256=p.sha256, bytes=p.bytes, by=p.by, at=p.at)
            for p in row.pictures
        ],
        steps=[
            schemas_work.OrderStepOut(
                act=s.act, state=s.state, by=s.by, agency=s.agency, at=s.at, note=s.note, facts=s.facts
            )
            for s in row.steps
        ],
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def history(row: AlertRow, steps: Sequence[AlertStepRow]) -> schemas_work.AlertHistory:
    """Return everything that happened to an alert, and what a person may do next."""
    state = AlertState(row.state)
    ways = [act for (s, act), (_, by) in alerts.MOVES.items() if s is state and By.OFFICER in by]
    return schemas_work.AlertHistory(
        id=row.id,
        state=state,
        allowed=[act.value for act in ways if act is not AlertAct.TELL],
        steps=[
            schemas_work.AlertStepOut(act=s.act, state=s.state, by=s.by, at=s.at, note=s.note) for s in steps
        ],
    )


def mute(row: MuteRow) -> schemas_work.MuteOut:
    return schemas_work.MuteOut(**{name: getattr(row, name) for name in schemas_work.MuteOut.model_fields})


def alarm(row: BeatRow) -> schemas_work.AlarmOut:
    return schemas_work.AlarmOut(**{name: getattr(row, name) for name in schemas_work.AlarmOut.model_fields})


def receiver(row: ReceiverRow) -> schemas_delivery.ReceiverOut:
    """Return a receiver as its agency sees it, without its secret."""
    shown: dict[str, Any] = {name: getattr(row, name) for name in schemas_delivery.ReceiverOut.model_fields}
    if row.channel == "chat":
        # The address is the robot's key.
        shown["address"] = f"{row.address.partition('://')[0]}://…"
    return schemas_delivery.ReceiverOut(**shown)
