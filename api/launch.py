"""Orders to gateways: written down, sent, and the answer written down.

The route and the coordinator's schedule launch by the same function. The order
is committed before it is sent, so a crash in between leaves an `ordered` sortie
that is sent again under the same id instead of a flight nobody remembers.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import shapely

from api import audit
from api.errors import BadRequest, Conflict, NotFound, Unavailable
from api.schedule import needed_percent
from api.schemas import Accepted, FollowIn, RestOut
from api.services import Json, Services
from api.store import sorties, steering
from api.store.models import IncidentRow, ObservationRow
from api.store.tokens import Caller
from fleet.zones import bounded
from missions.bounds import bounds_round
from missions.errors import WorkFailed
from missions.geo import LatLon, LocalFrame
from missions.model import Dock, Site
from missions.volumes import no_photo_of


async def launch(services: Services, sortie_id: str, *, drone: str | None = None) -> Accepted:
    """Return whether the gateway took the sortie, and if not why.

    Raises:
        NotFound: there is no such sortie.
        Conflict: it cannot be launched now, or no drone is free.
        Unavailable: the gateway did not answer; launching again sends the same order.
    """
    async with services.database.write() as session:
        gateway, order = await sorties.order_flight(session, sortie_id, now=services.clock.now(), drone=drone)
    services.feed.wake()
    answer = await _ask(services, gateway, with_limits(order, services.site))
    async with services.database.write() as session:
        await sorties.flight_answered(session, sortie_id, answer, now=services.clock.now())
    services.feed.wake()
    return _accepted(answer)


def with_limits(order: Json, site: Site) -> Json:
    """Return a flight order with what its drone model and dock allow, as the site says it.

    A gateway that is told nothing keeps the vehicle's own speeds and its own
    careful limits; a site that no longer knows the model leaves it at that.
    """
    sortie = order["sortie"]
    model = next((m for m in site.models if m.name == sortie["model"]), None)
    dock = next((d for d in site.docks if d.id == sortie["dock"]["id"]), None)
    if model is None or dock is None:
        return order
    limits = {
        "battery_percent": needed_percent(sortie["energy_wh"], model),
        "max_wind_m_s": min(model.max_wind_m_s, dock.max_wind_m_s),
        "climb_m_s": model.climb_m_s,
        "descent_m_s": model.descent_m_s,
    }
    return {**order, "sortie": {**sortie, **limits, **_bounds(sortie, dock, site)}}


def _bounds(sortie: Json, dock: Dock, site: Site) -> Json:
    """Return the fence of a flight and where else it may land, by the rule that plans are exported by."""
    placed = (i for i in sortie.get("items", ()) if i["lat_deg"] or i["lon_deg"])
    path = [LatLon(i["lat_deg"], i["lon_deg"]) for i in placed]
    landings, fence = bounded(bounds_round(dock, path, site.docks, site.no_fly), are_tended=True)
    return {"landings": [asdict(landing) for landing in landings], "fence": [asdict(zone) for zone in fence]}


async def steer(
    services: Services,
    sortie_id: str,
    action: str,
    caller: Caller,
    *,
    asked: str,
    to: str | None = None,
    reason: str | None = None,
    more: Json | None = None,
) -> Accepted:
    """Return whether the gateway took a pause, resume, recall, divert, abort, follow or unfollow.

    asked: names this wish; asked again under the same name it is answered as before and not done twice.
    What was wished stands in the audit trail before it is sent.

    Raises:
        NotFound: there is no such sortie.
        IllegalMove: it is not under way; says what can be done.
        Unavailable: the gateway did not answer.
    """
    said = {key: value for key, value in (("to", to), ("reason", reason)) if value} | dict(more or {})
    async with services.database.write() as session:
        gateway, order = await steering.flight_command(
            session, sortie_id, action, asked=asked, to=to, more=more
        )
        now = services.clock.now()
        await audit.record(
            session, audit.actor_of(caller), f"sortie.{action}", sortie_id, now=now, details=said
        )
    return _accepted(await _ask(services, gateway, order))


async def follow(
    services: Services, sortie_id: str, caller: Caller, wish: FollowIn, *, asked: str
) -> Accepted:
    """Return whether a flying sortie's camera will follow what was observed, or what is at a place.

    Raises:
        BadRequest: not just one of an observation, an incident and a place is named.
        Conflict: it is on no-photo ground.
        NotFound, IllegalMove, Unavailable: as `steer`.
    """
    place, kind, seen_at = await _sought(services, wish)
    mover = {
        **{"lat_deg": place.lat_deg, "lon_deg": place.lon_deg, **({"kind": kind} if kind else {})},
        **{"speed_m_s": wish.speed_m_s, "heading_deg": wish.heading_deg},
        **({"seen_at": seen_at.isoformat()} if seen_at else {}),
    }
    more: dict[str, Any] = {"seconds": wish.seconds, "mover": mover}
    if is_unseen(services.site, place):
        raise Conflict("that is no-photo ground: nothing is followed there")
    return await steer(services, sortie_id, "follow", caller, asked=asked, reason=wish.reason, more=more)


async def _sought(services: Services, wish: FollowIn) -> tuple[LatLon, str | None, datetime | None]:
    """Return where what a wish names is, its kind, and when it was there, where that is not now."""
    named = [n for n in (wish.place, wish.observation, wish.incident) if n is not None]
    if len(named) != 1:
        raise BadRequest("name an observation, an incident, or lat_deg and lon_deg: one of the three")
    if wish.place is not None:
        return wish.place, None, None
    async with services.database.read() as session:
        seen = await session.get(ObservationRow, wish.observation) if wish.observation else None
        incident = await session.get(IncidentRow, wish.incident) if wish.incident else None
    if incident is not None:
        return LatLon(incident.lat_deg, incident.lon_deg), incident.hazard, None
    if seen is None:
        raise NotFound("incident" if wish.incident else "observation", str(named[0]))
    return LatLon(seen.lat_deg, seen.lon_deg), seen.hazard, seen.seen_at


def is_unseen(site: Site, place: LatLon) -> bool:
    """Return whether a place lies on the site's no-photo ground."""
    frame = LocalFrame(place)
    return bool(shapely.contains_xy(no_photo_of(site, frame), 0.0, 0.0))


async def fly_rest(
    services: Services, sortie_id: str, caller: Caller, *, drone: str | None = None
) -> RestOut:
    """Return the sortie that flies what another left undone, and whether the gateway took it.

    Raises:
        NotFound: there is no such sortie.
        IllegalMove: it is not over; says what can be done.
        Conflict: all its pictures are there, its rest is flying already, or no drone is free.
        Unavailable: the gateway did not answer; asking again sends the same order.
    """
    now = services.clock.now()
    async with services.database.write() as session:
        rest, gateway, order = await steering.order_rest(session, sortie_id, now=now, drone=drone)
        details = {"as": rest}
        await audit.record(
            session, audit.actor_of(caller), "sortie.rest", sortie_id, now=now, details=details
        )
    services.feed.wake()
    answer = await _ask(services, gateway, order)
    async with services.database.write() as session:
        await steering.rest_answered(session, rest, answer, now=services.clock.now())
    services.feed.wake()
    return RestOut(sortie=rest, accepted=bool(answer.get("accepted")), reason=answer.get("reason"))


async def _ask(services: Services, gateway: str, order: Json) -> Json:
    try:
        return await services.command(gateway, order)
    except (WorkFailed, TimeoutError) as error:
        raise Unavailable(f"gateway {gateway} does not answer: {str(error) or 'too late'}") from None


def _accepted(answer: Json) -> Accepted:
    return Accepted(accepted=bool(answer.get("accepted")), reason=answer.get("reason"))
