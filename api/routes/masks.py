"""Masks: ground that is known to be hot, set after a verdict by the agency that went there, until a time."""

from datetime import timedelta

from fastapi import APIRouter, Response

from api import audit, etags
from api.auth import Built, Watcher
from api.doers import on_orders
from api.errors import BadRequest, Forbidden, IllegalMove
from api.etags import IfMatch
from api.orders import By, Verdict
from api.schemas_masks import MaskIn, MaskOut, Masks
from api.store import incidents, masking, orders
from api.store.tables.orders import OrderRow
from api.store.tables.witnesses import KnownSourceRow

router = APIRouter(tags=["orders"])

LONGEST = {Verdict.PERMITTED: timedelta(days=30), Verdict.INDUSTRIAL_HEAT: timedelta(days=366)}
"""The verdicts after which ground may be masked, and for how long at most."""


@router.post("/orders/{order_id}/mask", status_code=201)
async def mask(
    order_id: str,
    wish: MaskIn,
    response: Response,
    caller: Watcher,
    built: Built,
    if_match: IfMatch = None,
) -> MaskOut:
    """Let nothing be told of heat at the place of a closed order that was permitted or industrial.

    Satellites' words of it open nothing, and the agency is not told of it by drones; a mask has an
    owner and an end, and ends before it when somebody takes it away.
    """
    now, doer = built.clock.now(), on_orders(caller, built.site)
    async with built.database.write() as session:
        order = await orders.order(session, order_id, caller)
        if order.agency != caller.agency or not doer.by & {By.OFFICER, By.CHIEF}:
            raise Forbidden("ground is masked by officers and chiefs of the order's own agency")
        if if_match is not None:
            there = await masking.of_order(session, order)
            etags.check_shown(if_match, _shown(there) if there else None)
        longest = _longest(order)
        if not now < wish.ends_at <= now + longest:
            raise BadRequest(f"`ends_at` lies within {longest.days} days from now after this verdict")
        incident, _ = await incidents.incident(session, order.incident, caller)
        row = await masking.keep(session, order, incident, caller, wish.name, wish.radius_m, wish.ends_at)
        details = {"name": wish.name, "radius_m": wish.radius_m, "until": wish.ends_at.isoformat()}
        await audit.record(session, audit.actor_of(caller), "mask.set", row.id, now=now, details=details)
        return etags.tagged(response, _shown(row))


@router.get("/masks")
async def list_masks(caller: Watcher, built: Built) -> Masks:
    """List the masks that hold, those that end first first; an agency sees its own."""
    async with built.database.read() as session:
        rows = await masking.masks_of(session, caller, now=built.clock.now())
    return Masks(masks=[_shown(row) for row in rows])


@router.delete("/masks/{mask_id}")
async def end_mask(
    mask_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> MaskOut:
    """End a mask now: from here on heat there is told of again."""
    now = built.clock.now()
    async with built.database.write() as session:
        row = await masking.mask(session, mask_id, caller, now=now)
        etags.check_shown(if_match, _shown(row))
        row.until_at = now
        await session.flush()
        await audit.record(session, audit.actor_of(caller), "mask.end", row.id, now=now)
        return etags.tagged(response, _shown(row))


def _longest(order: OrderRow) -> timedelta:
    longest = LONGEST.get(Verdict(order.verdict)) if order.verdict else None
    if longest is None or order.state not in ("closed", "rated"):
        why = "only a closed order whose verdict is permitted or industrial heat"
        raise IllegalMove("order", order.state, "mask the ground of", [], why)
    return longest


def _shown(row: KnownSourceRow) -> MaskOut:
    return MaskOut(**{name: getattr(row, name) for name in MaskOut.model_fields})
