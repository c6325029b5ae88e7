"""What a person can do about a sortie: hold it, let it go on, home, elsewhere or down with it, fly its rest.

Each wish has a name, which becomes part of the command's id: the gateway's journal does the same name once.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, IllegalMove
from api.store.models import DroneRow, SortieRow
from api.store.sorties import AT_REST, Json, acts_on, free_drone, is_left, sortie, tell, with_steps

_SAME = ("plan", "position", "dock", "model", "agencies", "demands", "flight_s", "energy_wh", "items", "path")


async def flight_command(
    session: AsyncSession,
    sortie_id: str,
    action: str,
    *,
    asked: str,
    to: str | None = None,
    more: Json | None = None,
) -> tuple[str, Json]:
    """Return (gateway, command) of a pause, resume, recall, divert, abort, follow or unfollow.

    asked: names the wish; the gateway's journal does the same name once. to: where a divert leads. more: what
    else the command says.

    Raises:
        NotFound: there is no such sortie.
        IllegalMove: it is not under way; says what can be done.
    """
    row = await sortie(session, sortie_id)
    if row.state in AT_REST or row.drone is None:
        raise IllegalMove("sortie", row.state, action, acts_on(row))
    carrier = await session.get_one(DroneRow, row.drone)
    return carrier.gateway, {
        "id": f"{row.id}:{action}:{asked}",
        "action": action,
        "sortie": {"id": row.id, "drone": row.drone},
        **({"to": to} if to else {}),
        **(more or {}),
    }


async def order_rest(
    session: AsyncSession, sortie_id: str, *, now: datetime, drone: str | None = None
) -> tuple[str, str, Json]:
    """Return (id of the rest, gateway, command), to be sent once this is committed.

    The gateway knows by its journal which pictures are proven, so it makes the order of what is left. A
    rest whose answer was lost is asked for again under its own name.

    Raises:
        NotFound: there is no such sortie.
        IllegalMove: it is not over, or nothing is left of it; says what can be done.
        Conflict: its rest is under way, or no drone is free.
    """
    row = await sortie(session, sortie_id)
    if row.state not in ("done", "failed") or not is_left(row):
        raise IllegalMove("sortie", row.state, "fly the rest of", acts_on(row))
    name = f"{row.id}-R"
    rests = (await session.scalars(with_steps().where(SortieRow.id.startswith(name, autoescape=True)))).all()
    rest = next((r for r in rests if r.state == "ordered"), None)
    if busy := next((r for r in rests if r.state not in (*AT_REST, "ordered")), None):
        raise Conflict(f"the rest of sortie {row.id} is under way: {busy.id} is {busy.state}")
    if rest is None:
        rest = _rest(row, f"{name}{len(rests) + 1}")
        rest.drone = (await free_drone(session, row, drone)).id
        session.add(rest)
        await tell(session, rest, now)
    carrier = await session.get_one(DroneRow, rest.drone)
    return (
        rest.id,
        carrier.gateway,
        {
            "id": f"{rest.id}:rest:{rest.attempt}",
            "action": "resume_from",
            "sortie": {"id": row.id},
            "as": {"id": rest.id, "drone": carrier.id},
        },
    )


async def rest_answered(session: AsyncSession, rest_id: str, answer: Json, *, now: datetime) -> None:
    """Note the gateway's answer to the order of a rest; one that it refused is over."""
    row = await sortie(session, rest_id)
    if row.state != "ordered":
        return
    row.state = "accepted" if answer.get("accepted") else "failed"
    if row.state == "failed":
        row.reason = str(answer.get("reason") or "the gateway refused without a reason")
    await tell(session, row, now)


def _rest(row: SortieRow, rest_id: str) -> SortieRow:
    """Return the row of what a sortie left undone; how long it takes is known when it is flown."""
    return SortieRow(
        **{name: getattr(row, name) for name in _SAME},
        id=rest_id,
        drone=None,
        state="ordered",
        reason=None,
        attempt=1,
        shots_planned=row.shots_planned - row.shots_files,
        shots_taken=0,
        shots_files=0,
        steps=[],
    )
