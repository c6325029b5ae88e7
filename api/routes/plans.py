"""Plans and sorties, for the operator: what is to be flown, what is flying, and the four commands."""

from typing import Literal

from fastapi import APIRouter

from api import views
from api.auth import Built, Operator
from api.errors import Unavailable
from api.launch import launch, steer
from api.schemas import Accepted, PlanIn, Plans, Sorties
from api.store import plans, sorties
from missions.errors import WorkFailed

router = APIRouter(tags=["sorties"])


@router.get("/plans")
async def list_plans(caller: Operator, built: Built) -> Plans:
    """List the plans, newest first."""
    async with built.database.read() as session:
        return Plans(plans=[views.plan(row, count) for row, count in await plans.plans(session)])


@router.post("/plans", status_code=202)
async def make_plan(caller: Operator, built: Built, wish: PlanIn | None = None) -> Accepted:
    """Ask for a new plan; its sorties appear in the event stream when it is made."""
    try:
        await built.request_plan(wish.seed if wish else None)
    except (WorkFailed, TimeoutError) as error:
        raise Unavailable(f"the coordinator does not answer: {str(error) or 'too late'}") from None
    return Accepted(accepted=True)


@router.get("/sorties")
async def list_sorties(caller: Operator, built: Built) -> Sorties:
    """List all sorties with their steps and paths."""
    async with built.database.read() as session:
        return Sorties(sorties=[views.sortie(row) for row in await sorties.sorties(session)])


@router.post("/sorties/{sortie_id}/launch")
async def launch_sortie(sortie_id: str, caller: Operator, built: Built) -> Accepted:
    """Send a sortie to the gateway of a free drone at its dock."""
    return await launch(built, sortie_id)


@router.post("/sorties/{sortie_id}/{action}")
async def steer_sortie(
    sortie_id: str, action: Literal["pause", "resume", "recall"], caller: Operator, built: Built
) -> Accepted:
    """Hold a flying sortie, let it go on, or call it home."""
    return await steer(built, sortie_id, action)
