"""What a vehicle does with the messages it hears, one function a message.

Lists that were replaced and ground that became known are taken over here too.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sim.autopilot import commands, guided, telemetry
from sim.autopilot.arducopter import ArduCopter
from sim.autopilot.auto import NOT_STARTED
from sim.autopilot.dialect import Message, Signing, mav
from sim.autopilot.px4_transfer import Px4Transfers
from sim.autopilot.transfer import FENCE, MISSION, RALLY

if TYPE_CHECKING:
    from sim.autopilot.vehicle import Vehicle

_TOTALS = (("MIS_TOTAL", MISSION), ("FENCE_TOTAL", FENCE), ("RALLY_TOTAL", RALLY))


def command(v: "Vehicle", message: Message, link: int) -> None:
    """Carry out a command and answer it."""
    result = commands.carry_out(v, commands.command_from(message, link))
    v.ack(message, message.command, result, link)


def command_camera(v: "Vehicle", message: Message, link: int, component: int) -> None:
    """Carry out a command to a camera component and answer it."""
    command = commands.command_from(message, link)
    result = v.payload.command(command, component)
    v.ack(message, command.number, result, link, component)
    v.post(v.payload.said())


def set_mode(v: "Vehicle", message: Message, link: int) -> None:
    """Change the mode as the message SET_MODE asks."""
    result = v.personality.set_mode(v, message.base_mode, message.custom_mode)
    v.ack(message, mav.MAVLINK_MSG_ID_SET_MODE, result, link)


def set_current(v: "Vehicle", message: Message, link: int) -> None:
    """Make a mission item the current one; there is no ACK."""
    if v.pilot.run.set_current(message.seq, v.pilot.helm):
        v.send(v.build(mav.MAVLINK_MSG_ID_MISSION_CURRENT))


def stream(v: "Vehicle", message: Message, link: int) -> None:
    """Set the rate of a group of messages, where groups are known."""
    if not v.personality.groups:
        return
    hz = message.req_message_rate if message.start_stop else 0
    v.streams.request_stream(link, message.req_stream_id, hz=hz, now_s=v.now_s)


def timesync(v: "Vehicle", message: Message, link: int) -> None:
    """Answer with this vehicle's time."""
    if message.tc1 == 0:
        v.send(mav.MAVLink_timesync_message(round(v.clock_s * 1e9), message.ts1), link)


def item(v: "Vehicle", message: Message, link: int) -> None:
    """Take an item of an upload, or an old-fashioned target."""
    if message.current == guided.FLY_THERE:
        result = guided.take_item(v.pilot, message)
        sender = (message.get_srcSystem(), message.get_srcComponent())
        v.send(mav.MAVLink_mission_ack_message(*sender, result), link)
        return
    v.post(v.transfers.receive(message, link, v.now_s))
    lists_changed(v)


def target_global(v: "Vehicle", message: Message, link: int) -> None:
    """Fly to a place on the globe."""
    guided.take_global(v.pilot, message)


def target_local(v: "Vehicle", message: Message, link: int) -> None:
    """Fly to a point around home."""
    guided.take_local(v.pilot, message)


def lists_changed(v: "Vehicle") -> None:
    """Take over lists that were replaced."""
    if v.transfers.replaced:
        v.transfers.replaced.clear()
        mission_replaced(v)
    if FENCE in v.transfers.changed:
        v.pilot.fence_replaced()
    v.transfers.changed.clear()
    for name, kind in _TOTALS:
        if name in v.params:
            v.params.set(name, len(v.transfers.lists[kind]))


def mission_replaced(v: "Vehicle") -> None:
    v.reached_again = 0
    check_terrain(v)
    lists = v.transfers
    if isinstance(lists, Px4Transfers):
        start_at, lists.start_at = lists.start_at, None
        v.pilot.run.current = min(v.pilot.run.current, max(0, len(v.pilot.run.items) - 1))
        if start_at is not None:
            v.pilot.run.current = start_at
        if not v.pilot.run.running:
            v.pilot.run.state = NOT_STARTED
    v.pilot.mission_replaced()


def ask_for_terrain(v: "Vehicle", link: int) -> None:
    """Ask for the ground below and, one place after another, of the whole mission."""
    if not v.params["TERRAIN_ENABLE"] or not v.pilot.has_position:
        return
    terrain = v.body.terrain
    terrain.set_spacing(v.params["TERRAIN_SPACING"])
    lat, lon, _, _ = v.estimate.position
    mission = [(i.x / 1e7, i.y / 1e7) for i in v.pilot.run.items if i.has_place]
    v.post(terrain.request(link, [(lat, lon), *mission], v.now_s))
    check_terrain(v)


def check_terrain(v: "Vehicle") -> None:
    """Take note whether a mission over the ground still waits for that ground."""
    pilot = v.pilot
    if isinstance(pilot, ArduCopter):
        places = [(i.x / 1e7, i.y / 1e7) for i in pilot.run.items if i.has_place]
        missing = any(v.body.terrain.height_m(*place) is None for place in places)
        pilot.waiting_for_terrain = pilot.needs_terrain and missing


def terrain_data(v: "Vehicle", message: Message, link: int) -> None:
    """Take heights that were asked for."""
    if v.body.terrain.take(message):
        check_terrain(v)


def terrain_check(v: "Vehicle", message: Message, link: int) -> None:
    """Tell what is known of the ground at a place."""
    v.send(telemetry.terrain_at(v, message.lat / 1e7, message.lon / 1e7), link)


def setup_signing(v: "Vehicle", message: Message, link: int) -> None:
    """Keep a key to sign with from now on; all zeros sign no more. Not while armed."""
    if v.pilot.armed:
        v.say(mav.MAV_SEVERITY_WARNING, "ERROR: Won't setup signing when armed")
        return
    key = bytes(message.secret_key)
    v.signing = Signing(key, message.initial_timestamp) if any(key) else None


RECEIVERS: Mapping[str, Callable[["Vehicle", Message, int], None]] = {
    "COMMAND_LONG": command,
    "COMMAND_INT": command,
    "SET_MODE": set_mode,
    "MISSION_SET_CURRENT": set_current,
    "MISSION_ITEM": item,
    "MISSION_ITEM_INT": item,
    "REQUEST_DATA_STREAM": stream,
    "TIMESYNC": timesync,
    "TERRAIN_DATA": terrain_data,
    "TERRAIN_CHECK": terrain_check,
    "SETUP_SIGNING": setup_signing,
    "SET_POSITION_TARGET_GLOBAL_INT": target_global,
    "SET_POSITION_TARGET_LOCAL_NED": target_local,
}
