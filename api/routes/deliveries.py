"""Where agencies are told, the delivery log, dead letters, and sending them again."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import audit, etags, views_work
from api.auth import Built, Watcher
from api.delivery.guard import check_url
from api.delivery.mqtt import topic_of
from api.discretion import is_rough, known_to
from api.errors import BadRequest, NotFound
from api.etags import IfMatch
from api.schemas_delivery import (
    MessageOut,
    Messages,
    MessageWhole,
    ReceiverIn,
    ReceiverMade,
    ReceiverOut,
    Receivers,
    Replayed,
    SecretOut,
    TryOut,
)
from api.services import Services
from api.store import delivery_log, receivers
from api.store.models import AlertRow, DeliveryRow
from api.store.tables.delivery import ReceiverRow
from api.store.tokens import Caller

router = APIRouter(tags=["deliveries"])

MOST_REPLAYED = 1000
"""Dead letters in one go; ask again for more."""


@router.get("/receivers")
async def list_receivers(caller: Watcher, built: Built) -> Receivers:
    """List where alerts are sent; an agency sees its own."""
    async with built.database.read() as session:
        rows = await receivers.receivers_of(session, caller)
    return Receivers(receivers=[views_work.receiver(row) for row in rows])


@router.post("/agencies/{agency_id}/receivers", status_code=201)
async def add_receiver(agency_id: str, wish: ReceiverIn, caller: Watcher, built: Built) -> ReceiverMade:
    """Send an agency's alerts to one more place. The secret is shown this once.

    A webhook's address is judged before it is kept; addresses inside private
    networks are refused unless the operator's settings allow them.
    """
    agency = next((a for a in built.site.agencies if a.id == agency_id), None)
    if agency is None or not caller.may_see(agency_id):
        raise NotFound("agency", agency_id)
    if wish.channel not in built.channels:
        raise BadRequest(
            f"the channel {wish.channel} is not set up here: there is {', '.join(built.channels)}"
        )
    await _check(wish, built)
    async with built.database.write() as session:
        row = await receivers.add(
            session,
            agency_id,
            channel=wish.channel,
            address=wish.address if wish.channel != "mqtt" else topic_of(agency_id),
            language=wish.language or agency.language,
            step=wish.step,
            now=built.clock.now(),
        )
        details = {"agency": agency_id, "channel": wish.channel}
        await _record(session, caller, built, "receiver.add", row.id, details)
    shown = views_work.receiver(row).model_dump(exclude={"etag"})
    if wish.channel == "mqtt" and built.mqtt_login is not None:
        user, password = built.mqtt_login(agency_id)
        return ReceiverMade(**shown, secret=password, user=user, topic=topic_of(agency_id))
    return ReceiverMade(**shown, secret=row.secret)


@router.delete("/receivers/{receiver_id}", status_code=204)
async def remove_receiver(
    receiver_id: str, caller: Watcher, built: Built, if_match: IfMatch = None
) -> Response:
    """Send nothing more to a receiver; what waited for it becomes dead letters."""
    async with built.database.write() as session:
        row = await _read(session, receiver_id, caller, if_match)
        await receivers.remove(session, row.id)
        await _record(session, caller, built, "receiver.remove", row.id, {"agency": row.agency})
    return Response(status_code=204)


@router.post("/receivers/{receiver_id}/secret")
async def change_secret(
    receiver_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> SecretOut:
    """Sign with a new secret from now on; for a day messages carry the signature of the old one too."""
    async with built.database.write() as session:
        row = await _read(session, receiver_id, caller, if_match)
        secret = await receivers.change_secret(session, row, now=built.clock.now())
        await _record(session, caller, built, "receiver.secret", row.id, {"agency": row.agency})
    assert row.old_secret_until is not None
    etags.tagged(response, views_work.receiver(row))
    return SecretOut(secret=secret, both_until=row.old_secret_until)


@router.post("/receivers/{receiver_id}/enable")
async def enable_receiver(
    receiver_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> ReceiverOut:
    """Send to a receiver again that asked to be left alone, and at once what waits for it."""
    async with built.database.write() as session:
        row = await _read(session, receiver_id, caller, if_match)
        receivers.enable(row, now=built.clock.now())
        await _record(session, caller, built, "receiver.enable", row.id, {"agency": row.agency})
    built.feed.wake()
    return etags.tagged(response, views_work.receiver(row))


@router.get("/deliveries")
async def list_deliveries(
    caller: Watcher,
    built: Built,
    state: Literal["pending", "delivered", "failed"] | None = None,
    receiver: Annotated[str | None, Query(max_length=200)] = None,
    before: Annotated[int | None, Query(ge=0, lt=2**62, description="the last `cursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Messages:
    """List messages, newest first; `failed` are the dead letters."""
    async with built.database.read() as session:
        rows = await delivery_log.deliveries(
            session, caller, state=state, receiver=receiver, before=before, limit=limit
        )
    return Messages(deliveries=[_message(row) for row in rows])


@router.get("/deliveries/{delivery_id}")
async def one_delivery(delivery_id: str, response: Response, caller: Watcher, built: Built) -> MessageWhole:
    """Give one message with its delivery log: every try, what was answered, what was refused or cut.

    `body` is empty where it tells an exact place of animals to its agency that is not the caller's to know.
    """
    async with built.database.read() as session:
        row, tries = await delivery_log.delivery(session, delivery_id, caller)
        body = row.body if await _may_read(session, row, caller, built) else ""
    log = [
        TryOut(attempt=t.attempt, at=t.at, took_ms=t.took_ms, status=t.status, error=t.error, note=t.note)
        for t in tries
    ]
    shown = _message(row).model_dump(exclude={"etag"})
    return etags.tagged(response, MessageWhole(**shown, tries=log, body=body))


@router.post("/deliveries/{delivery_id}/replay")
async def replay(
    delivery_id: str, response: Response, caller: Watcher, built: Built, if_match: IfMatch = None
) -> MessageOut:
    """Send a dead letter again, under its own id, for another 75 hours."""
    async with built.database.write() as session:
        row, _ = await delivery_log.delivery(session, delivery_id, caller)
        etags.check_shown(if_match, _message(row))
        await delivery_log.replay(session, row, now=built.clock.now())
        await _record(session, caller, built, "delivery.replay", row.id, {"receiver": row.receiver})
    built.feed.wake()
    return etags.tagged(response, _message(row))


@router.post("/receivers/{receiver_id}/replay")
async def replay_all(receiver_id: str, caller: Watcher, built: Built, if_match: IfMatch = None) -> Replayed:
    """Send a receiver's dead letters again, oldest first, up to a thousand."""
    async with built.database.write() as session:
        row = await _read(session, receiver_id, caller, if_match)
        dead = await delivery_log.deliveries(
            session, caller, state="failed", receiver=row.id, limit=MOST_REPLAYED
        )
        for letter in dead:
            await delivery_log.replay(session, letter, now=built.clock.now())
        await _record(session, caller, built, "receiver.replay", row.id, {"letters": len(dead)})
    built.feed.wake()
    return Replayed(replayed=len(dead))


async def _read(session: AsyncSession, receiver_id: str, caller: Caller, if_match: str | None) -> ReceiverRow:
    """Return a receiver that is to be changed, when it is still the one the caller has read."""
    row = await receivers.receiver(session, receiver_id, caller)
    etags.check_shown(if_match, views_work.receiver(row))
    return row


async def _may_read(session: AsyncSession, row: DeliveryRow, caller: Caller, built: Services) -> bool:
    """Return whether a message tells no place more exactly than its reader may know it."""
    alert = await session.get(AlertRow, row.alert) if row.alert else None
    if alert is None or not is_rough(alert.hazard, caller.knows):
        return True
    return is_rough(alert.hazard, known_to(alert.agency, built.site))


async def _check(wish: ReceiverIn, built: Services) -> None:
    """Refuse an address that the channel cannot send to.

    Raises:
        BadRequest: with what was expected.
    """
    match wish.channel:
        case "webhook":
            await check_url(wish.address, built.options.allowed_networks)
        case "mail":
            name, _, domain = wish.address.partition("@")
            if not name or not domain or any(c.isspace() or c in ",;<>" for c in wish.address):
                raise BadRequest("a mail address is written name@domain")
        case "chat":
            from api.delivery.chat import robot_of  # Apprise takes a second to load

            robot_of(wish.address)
        case "sms" | "voice":
            if not re.fullmatch(r"\+?[0-9]{3,20}", wish.address):
                raise BadRequest("a telephone number has 3 to 20 digits, perhaps with a + in front")


def _message(row: DeliveryRow) -> MessageOut:
    names = set(MessageOut.model_fields) - {"cursor"}
    return MessageOut(**{name: getattr(row, name) for name in names}, cursor=row.seq)


async def _record(
    session: AsyncSession, caller: Caller, built: Services, action: str, target: str, details: dict[str, Any]
) -> None:
    await audit.record(
        session, audit.actor_of(caller), action, target, now=built.clock.now(), details=details
    )
