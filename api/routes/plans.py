"""Plans and sorties, for the operator: what is to be flown, what is flying, and what can be done about it."""

from typing import Literal

from fastapi import APIRouter, Request

from api import audit, views
from api.auth import Built, Operator
from api.errors import Unavailable
from api.idempotency import creation_id
from api.launch import fly_rest, follow, launch, steer
from api.schemas import AbortIn, Accepted, DivertIn, FollowIn, PlanIn, Plans, RestIn, RestOut, Sorties
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
    async with built.database.write() as session:
        await audit.record(session, audit.actor_of(caller), "plan.ask", "plan", now=built.clock.now())
    return Accepted(accepted=True)


@router.get("/sorties")
async def list_sorties(caller: Operator, built: Built) -> Sorties:
    """List all sorties with their steps and paths."""
    async with built.database.read() as session:
        return Sorties(sorties=[views.sortie(row) for row in await sorties.sorties(session)])


@router.post("/sorties/{sortie_id}/launch")
async def launch_sortie(sortie_id: str, caller: Operator, built: Built) -> Accepted:
    """Send a sortie to the gateway of a free drone at its dock."""
    return await launch(built, sortie_id, caller=caller)


@router.post("/sorties/{sortie_id}/divert")
async def divert_sortie(
    sortie_id: str, wish: DivertIn, request: Request, caller: Operator, built: Built
) -> Accepted:
    """Let a flying drone land at another dock, or at a rally point of its order."""
    asked = creation_id(request)
    return await steer(built, sortie_id, "divert", caller, asked=asked, to=wish.to, reason=wish.reason)


@router.post("/sorties/{sortie_id}/abort")
async def abort_sortie(
    sortie_id: str, wish: AbortIn, request: Request, caller: Operator, built: Built
) -> Accepted:
    """Let a flying drone come down where it is, now; the reason goes into the audit trail."""
    return await steer(built, sortie_id, "abort", caller, asked=creation_id(request), reason=wish.reason)


@router.post("/sorties/{sortie_id}/follow")
async def follow_mover(
    sortie_id: str, wish: FollowIn, request: Request, caller: Operator, built: Built
) -> Accepted:
    """Let a flying sortie's camera follow something for a while; the drone's way stays as it is."""
    return await follow(built, sortie_id, caller, wish, asked=creation_id(request))


@router.post("/sorties/{sortie_id}/rest", status_code=202)
async def fly_the_rest(sortie_id: str, caller: Operator, built: Built, wish: RestIn | None = None) -> RestOut:
    """Fly what a sortie that is over left undone, as a sortie of its own."""
    return await fly_rest(built, sortie_id, caller, drone=wish.drone if wish else None)


@router.post("/sorties/{sortie_id}/{action}")
async def steer_sortie(
    sortie_id: str,
    action: Literal["pause", "resume", "recall", "unfollow"],
    request: Request,
    caller: Operator,
    built: Built,
) -> Accepted:
    """Hold a flying sortie, let it go on, call it home, or let its camera look ahead again."""
    return await steer(built, sortie_id, action, caller, asked=creation_id(request))
