"""How far each sortie has come, and the commands that move it.

planned -> ordered -> accepted -> (what the gateway reports: preflight … landed) -> done | failed

An order has the id `SORTIE:fly:ATTEMPT`. Asking again while the answer is
outstanding sends the same id, which the gateway's journal answers as before, so
no lost reply starts a second flight. A refusal counts a new attempt. A sortie that
failed is never launched again: its pictures carry its name, the gateway would
refuse it, and its demands are planned anew after a rest.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, selectinload

from api import views
from api.errors import Conflict, IllegalMove, NotFound
from api.store import events
from api.store.models import DockRow, DroneRow, SortieRow, StepRow
from api.store.rows import insert_once

Json = Mapping[str, Any]

AT_REST = ("planned", "done", "failed", "replaced")
"""States in which a sortie holds no drone."""

UNDER_WAY = ("pause", "resume", "recall", "divert", "abort", "follow", "unfollow")
"""What can be done about a sortie that holds a drone."""

_LEFT = ("armed", "flying", "returning")


def with_steps() -> Select[SortieRow]:
    """Return the query of all sorties in order, with their steps."""
    return (
        select(SortieRow)
        .options(selectinload(SortieRow.steps))
        .order_by(SortieRow.plan, SortieRow.position)
        .execution_options(populate_existing=True)
    )


async def sorties(session: AsyncSession) -> Sequence[SortieRow]:
    """Return all sorties by plan and order, steps loaded."""
    return (await session.scalars(with_steps())).all()


async def outlines(session: AsyncSession) -> Sequence[tuple[SortieRow, datetime | None]]:
    """Return all sorties in order without their items and paths, each with the time of its last step."""
    last = select(StepRow.sortie, func.max(StepRow.at).label("at")).group_by(StepRow.sortie).subquery()
    query = (
        select(SortieRow, last.c.at)
        .outerjoin(last, last.c.sortie == SortieRow.id)
        .options(defer(SortieRow.items), defer(SortieRow.path))
        .order_by(SortieRow.plan, SortieRow.position)
    )
    return [(row, at) for row, at in await session.execute(query)]


async def sortie(session: AsyncSession, sortie_id: str) -> SortieRow:
    """Return one sortie, steps loaded.

    Raises:
        NotFound: there is none.
    """
    row = await session.scalar(with_steps().where(SortieRow.id == sortie_id).with_for_update())
    if row is None:
        raise NotFound("sortie", sortie_id)
    return row


async def order_flight(
    session: AsyncSession, sortie_id: str, *, now: datetime, drone: str | None = None
) -> tuple[str, Json]:
    """Assign a drone and return (gateway, command) to be sent once this is committed.

    Raises:
        NotFound: there is no such sortie.
        IllegalMove: it is under way or over; says what can be done.
        Conflict: no drone of its dock is free.
    """
    row = await sortie(session, sortie_id)
    if row.state not in ("planned", "ordered"):
        raise IllegalMove("sortie", row.state, "launch", acts_on(row))
    if row.state != "ordered":
        row.drone = (await free_drone(session, row, drone)).id
        row.state, row.reason = "ordered", None
        await tell(session, row, now)
    carrier = await session.get_one(DroneRow, row.drone)
    dock = await session.get_one(DockRow, row.dock)
    return carrier.gateway, {
        "id": f"{row.id}:fly:{row.attempt}",
        "action": "fly",
        "sortie": {
            "id": row.id,
            "drone": carrier.id,
            "dock": {
                "id": dock.id,
                "lat_deg": dock.lat_deg,
                "lon_deg": dock.lon_deg,
                "elevation_m": dock.elevation_m,
            },
            "model": row.model,
            "items": row.items,
            "shots": row.shots_planned,
            "expected_s": row.flight_s,
            "energy_wh": row.energy_wh,
        },
    }


def acts_on(row: SortieRow) -> tuple[str, ...]:
    """Return what can be done about a sortie as it stands."""
    match row.state:
        case "planned" | "ordered":
            return ("launch",)
        case "done" | "failed":
            return ("rest",) if is_left(row) else ()
        case state:
            return () if state in AT_REST else UNDER_WAY


def is_left(row: SortieRow) -> bool:
    """Return whether some of a sortie's planned pictures never came."""
    return row.shots_files < row.shots_planned


async def flight_answered(session: AsyncSession, sortie_id: str, answer: Json, *, now: datetime) -> None:
    """Note the gateway's answer to an order; its reports may have come before it."""
    row = await sortie(session, sortie_id)
    if row.state != "ordered":
        return
    if answer.get("accepted"):
        row.state = "accepted"
    else:
        row.state, row.drone, row.attempt = "planned", None, row.attempt + 1
        row.reason = str(answer.get("reason") or "the gateway refused without a reason")
    await tell(session, row, now)


async def record_sortie_event(session: AsyncSession, told: Json, *, now: datetime) -> bool:
    """Keep what a gateway reports of a sortie; return False for a repeat or an unknown sortie."""
    known = await session.scalar(select(SortieRow.id).where(SortieRow.id == told["sortie"]))
    at = datetime.fromisoformat(told["at"]).astimezone(UTC)
    values = {"id": told["id"], "sortie": known, "state": told["state"], "at": at}
    evidence = str(told.get("evidence") or "")
    if known is None or not await insert_once(session, StepRow, **values, evidence=evidence):
        return False
    row = await sortie(session, known)
    if row.state not in ("done", "failed"):
        row.state = told["state"]
    row.drone = told.get("drone") or row.drone
    row.follows = told.get("follows")
    shots = told.get("shots") or {}
    row.shots_taken = max(row.shots_taken, int(shots.get("taken", 0)))
    row.shots_files = max(row.shots_files, int(shots.get("files", 0)))
    if told["state"] in _LEFT and row.started_at is None:
        row.started_at = at
    if told["state"] == "landed":
        row.landed_at = at
    if told.get("landed_from_dock_m") is not None:
        row.landed_from_dock_m = float(told["landed_from_dock_m"])
    if told["state"] == "failed":
        row.reason = evidence
    await tell(session, row, now)
    return True


async def withdraw_planned(session: AsyncSession, *, now: datetime) -> None:
    """Take back what was planned and not yet ordered, because a new plan replaces it."""
    for row in (await session.scalars(with_steps().where(SortieRow.state == "planned"))).all():
        row.state, row.reason = "replaced", "a new plan was asked for"
        await tell(session, row, now)


async def free_drone(session: AsyncSession, row: SortieRow, wanted: str | None) -> DroneRow:
    """Return the fullest drone of the sortie's dock that is at home and has no other sortie.

    The drones are locked before it is asked which are busy: of two launches at
    once, the second waits here and then sees what the first has taken.
    """
    at_dock = (
        select(DroneRow)
        .where(DroneRow.dock == row.dock, DroneRow.model == row.model)
        .where(DroneRow.state.in_(("docked", "unknown")))
        .order_by(DroneRow.battery_percent.desc().nulls_last(), DroneRow.id)
        .with_for_update()
    )
    candidates = (await session.scalars(at_dock)).all()
    flying = select(SortieRow.drone).where(SortieRow.state.not_in(AT_REST), SortieRow.drone.is_not(None))
    busy = set((await session.scalars(flying)).all())
    found = next((d for d in candidates if d.id not in busy and wanted in (None, d.id)), None)
    if found is None:
        raise Conflict(f"sortie {row.id}: {wanted or 'no drone'} at {row.dock} is free to fly it")
    return found


async def tell(session: AsyncSession, row: SortieRow, now: datetime) -> None:
    """Put a sortie as it now stands into the event stream."""
    await session.flush()
    await events.append(session, "sortie", views.plain(views.sortie(row)), now=now)
