"""Plans that were made; each of their sorties becomes a row that can be launched."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import views
from api.store import events
from api.store.models import PlanRow, SortieRow
from api.store.sorties import with_steps
from missions.items import mission_items
from missions.model import Plan, Site, Sortie


async def save_plan(session: AsyncSession, plan: Plan, site: Site, *, now: datetime) -> PlanRow:
    """Keep a plan and its sorties, "P3" and "P3-S1", ready to be launched in their order."""
    number = (await session.scalar(select(func.count()).select_from(PlanRow)) or 0) + 1
    row = PlanRow(
        id=f"P{number}",
        site=plan.site,
        seed=plan.seed,
        made_at=now,
        flight_s=plan.flight_s,
        energy_wh=plan.energy_wh,
        shared_tasks=plan.shared_tasks,
        saving=plan.saving,
        unserved=[dataclasses.asdict(left) for left in plan.unserved],
    )
    session.add(row)
    await session.flush()
    for position, sortie in enumerate(plan.sorties):
        session.add(_sortie_row(row.id, position, sortie, plan, site))
    await session.flush()
    for saved in await session.scalars(with_steps().where(SortieRow.plan == row.id)):
        await events.append(session, "sortie", views.plain(views.sortie(saved)), now=now)
    return row


async def plans(session: AsyncSession) -> Sequence[tuple[PlanRow, int]]:
    """Return all plans, newest first, each with its number of sorties."""
    counted = (
        select(PlanRow, func.count(SortieRow.id))
        .outerjoin(SortieRow, SortieRow.plan == PlanRow.id)
        .group_by(PlanRow.id)
        .order_by(PlanRow.made_at.desc())
    )
    return [(plan, count) for plan, count in await session.execute(counted)]


def _sortie_row(plan_id: str, position: int, sortie: Sortie, plan: Plan, site: Site) -> SortieRow:
    served = {task.id: task.demands for task in plan.tasks}
    return SortieRow(
        id=f"{plan_id}-{sortie.id}",
        plan=plan_id,
        position=position,
        dock=sortie.dock,
        model=sortie.model,
        drone=None,
        state="planned",
        reason=None,
        attempt=1,
        agencies=list(sortie.agencies),
        demands=sorted({demand for task in sortie.tasks for demand in served[task]}),
        flight_s=sortie.flight_s,
        energy_wh=sortie.needs_wh,
        items=[dataclasses.asdict(item) for item in mission_items(sortie, site.dock(sortie.dock))],
        path=[[w.place.lon_deg, w.place.lat_deg] for w in sortie.waypoints],
        shots_planned=len(sortie.shots),
        shots_taken=0,
        shots_files=0,
        started_at=None,
        landed_at=None,
        landed_from_dock_m=None,
    )
