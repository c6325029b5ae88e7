"""Orders to gateways: written down, sent, and the answer written down.

The route and the coordinator's schedule launch by the same function. The order
is committed before it is sent, so a crash in between leaves an `ordered` sortie
that is sent again under the same id instead of a flight nobody remembers.
"""

from dataclasses import asdict
from typing import Any

import shapely

from api import audit
from api.discretion import told_place
from api.errors import BadRequest, Conflict, NotFound, Unavailable
from api.schedule import needed_percent
from api.schemas import Accepted, FollowIn, RestOut
from api.services import Json, Services
from api.store import movement, sorties, steering
from api.store.models import IncidentRow, ObservationRow
from api.store.tokens import Caller
from fleet.zones import bounded
from missions.bounds import bounds_round
from missions.errors import WorkFailed
from missions.geo import LatLon, LocalFrame
from missions.model import Dock, Site
from missions.volumes import no_photo_of

FRESH_S = 15.0
"""What was seen going is expected farther on for so long; a gateway calls it lost after 20 s."""


async def launch(
    services: Services, sortie_id: str, *, drone: str | None = None, caller: Caller | None = None
) -> Accepted:
    """Return whether the gateway took the sortie, and if not why; a caller's launch is in the audit trail.

    Raises:
        NotFound: there is no such sortie.
        Conflict: it cannot be launched now, or no drone is free.
        Unavailable: the gateway did not answer; launching again sends the same order.
    """
    async with services.database.write() as session:
        now = services.clock.now()
        gateway, order = await sorties.order_flight(session, sortie_id, now=now, drone=drone)
        if caller is not None:
            await audit.record(session, audit.actor_of(caller), "sortie.launch", sortie_id, now=now)
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
    noted: Json | None = None,
) -> Accepted:
    """Return whether the gateway took a pause, resume, recall, divert, abort, follow or unfollow.

    asked: names this wish; asked again under the same name it is answered as before and not done twice.
    What was wished (`more`, or what is `noted` of it) stands in the audit trail before it is sent.

    Raises:
        NotFound: there is no such sortie.
        IllegalMove: it is not under way; says what can be done.
        Unavailable: the gateway did not answer.
    """
    said = {key: value for key, value in (("to", to), ("reason", reason)) if value} | dict(
        noted or more or {}
    )
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
    mover = await _sought(services, wish)
    place = LatLon(mover["lat_deg"], mover["lon_deg"])
    more: dict[str, Any] = {"seconds": wish.seconds, "mover": mover}
    if is_unseen(services.site, place):
        raise Conflict("that is no-photo ground: nothing is followed there")
    rough = told_place(mover.get("kind", ""), place)
    noted = more | {"mover": mover | {"lat_deg": rough.lat_deg, "lon_deg": rough.lon_deg}}
    return await steer(
        services, sortie_id, "follow", caller, asked=asked, reason=wish.reason, more=more, noted=noted
    )


async def _sought(services: Services, wish: FollowIn) -> dict[str, Any]:
    """Return what a wish names as a gateway is told of it: where, which kind, how it goes, and since when.

    What the flight's latest looks show going is told with its speed, its heading and when it was there; what
    was lost for longer is looked for where it was last seen, as if it were there now.
    """
    named = [n for n in (wish.place, wish.observation, wish.incident) if n is not None]
    if len(named) != 1:
        raise BadRequest("name an observation, an incident, or lat_deg and lon_deg: one of the three")
    told: dict[str, Any] = {"speed_m_s": wish.speed_m_s, "heading_deg": wish.heading_deg}
    if wish.place is not None:
        return told | asdict(wish.place)
    async with services.database.read() as session:
        seen = await session.get(ObservationRow, wish.observation) if wish.observation else None
        incident = await session.get(IncidentRow, wish.incident) if wish.incident else None
        look = await movement.newest(session, incident.id) if incident else seen
        track = await movement.moved(session, look) if look and not wish.speed_m_s else None
    found = incident or seen
    if found is None:
        raise NotFound("incident" if wish.incident else "observation", str(named[0]))
    told |= {"kind": found.hazard}
    if track and (services.clock.now() - track.seen_at).total_seconds() <= FRESH_S:
        pace = {"speed_m_s": track.speed_m_s, "heading_deg": track.heading_deg}
        return told | pace | asdict(track.place) | {"seen_at": track.seen_at.isoformat()}
    told |= {"lat_deg": found.lat_deg, "lon_deg": found.lon_deg}
    return told | ({"seen_at": seen.seen_at.isoformat()} if seen else {})


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
