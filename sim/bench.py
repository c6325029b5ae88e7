"""How many vehicles one process can fly: `gridpatrol bench sim`.

Vehicles fly lanes of 50 m legs in a wind and send thirteen messages a second each, framed to the
bytes that go to a socket. The sockets themselves are not in it. Time is the processor's: on a
machine that does other work too, wall time would measure the other work.
"""

import time
from collections.abc import Iterator

from missions.geo import LatLon
from missions.measure import Job, Row, at_least, measured
from missions.model import Camera, DroneModel, Sensor, Wind
from sim.autopilot.dialect import Outgoing, mav
from sim.autopilot.framing import Framer
from sim.autopilot.items import Item
from sim.autopilot.modes import Mode
from sim.autopilot.vehicle import Identity, Vehicle
from sim.swarm import Swarm

VEHICLES, FEW = 1000, 50
TICK_S = 0.1
_READY_S = 43.0
_LEGS = 60
_LEG_M = 50.0
_RATES_HZ = {33: 4.0, 30: 4.0, 74: 1.0, 1: 1.0, 24: 1.0, 42: 1.0}  # with the heartbeat 13 a second
_CAMERA = Camera.from_optics(
    "T", Sensor.THERMAL, width_px=640, height_px=512, focal_mm=9.1, sensor_width_mm=7.68
)
_MODEL = DroneModel("GP-1", 12, 4, 3, 500, 520, 700, 480, 450, 0.25, 12, (_CAMERA,))


def rows(job: Job) -> Iterator[Row]:
    """Yield how much faster than real time a thousand vehicles fly, and what of it is whose."""
    count, seconds = (FEW, 3.0) if job.quick else (VEHICLES, 10.0)
    job.say(f"{count} vehicles take off …")
    vehicles = [_flying(number) for number in range(count)]
    fly(vehicles, 20.0)
    cpu_s = time.process_time()
    sent, moving_s = fly(vehicles, seconds)
    cpu_s = time.process_time() - cpu_s
    airborne = sum(v.drone.airborne for v in vehicles)
    event = {"vehicles": count, "simulated_s": seconds, "cpu_s": cpu_s, "sent": sent}
    job.raw.write("vehicles.realtime", event)
    factor = seconds / cpu_s
    name = "vehicles.realtime"
    if job.quick:
        yield measured(name, factor, unit=f"simulated s a cpu s, {count} vehicles", clock="cpu")
    else:
        yield at_least(name, factor, 1.0, unit="simulated s a cpu s", clock="cpu")
    yield measured("vehicles.airborne", airborne, unit="vehicles", clock="none")
    each = sent / seconds / count
    yield measured("vehicles.messages", each, unit="a vehicle and second", clock="simulated")
    yield measured("vehicles.moving_share", moving_s / cpu_s, unit="of the cpu time", clock="cpu")


def fly(vehicles: list[Vehicle], seconds: float) -> tuple[int, float]:
    """Let them fly so long; return how many messages they sent and the cpu time their bodies took."""
    swarm, framer = Swarm(), Framer(1, 1)
    sent, moving_s = 0, 0.0
    now_s = vehicles[0].now_s
    for _ in range(round(seconds / TICK_S)):
        now_s += TICK_S
        steps = [(v, s) for v in vehicles if (s := v.next_step(now_s)) is not None]
        began_s = time.process_time()
        swarm.advance([step for _, step in steps])
        moving_s += time.process_time() - began_s
        for vehicle, _ in steps:
            vehicle.stepped()
        for vehicle in vehicles:
            for reply in vehicle.tick(now_s):
                if isinstance(reply, Outgoing):
                    framer.frame(reply.message)
                    sent += 1
    return sent, moving_s


def _flying(number: int) -> Vehicle:
    """Return a vehicle at the start of its lane, armed and in AUTO."""
    identity = Identity(f"X{number}", 1 + number % 250, _MODEL, LatLon(30.28, 119.42), 80.0, seed=number)
    vehicle = Vehicle(identity, now_s=0.0, wind=Wind(4, 90))
    vehicle.tick(_READY_S)
    vehicle.transfers.lists[0][:] = _lane(vehicle)
    pilot = vehicle.pilot
    ready = pilot.set_mode(Mode.GUIDED) and pilot.arm() and pilot.start_mission()
    assert ready, "the lane cannot be flown"
    for message_id, hz in _RATES_HZ.items():
        vehicle.streams.set_interval(0, message_id, interval_s=1.0 / hz, now_s=vehicle.now_s)
    return vehicle


def _lane(vehicle: Vehicle) -> list[Item]:
    """Return home, take-off and legs to and fro."""
    items = [vehicle.estimate.home_item(), Item(mav.MAV_CMD_NAV_TAKEOFF, 3, z=40.0)]
    for leg in range(_LEGS):
        row, column = divmod(leg, 10)
        east_m = _LEG_M * (column + 1 if row % 2 == 0 else 10 - column)
        lat, lon = vehicle.estimate.tangent.to_place(east_m, _LEG_M * row)
        items.append(Item(mav.MAV_CMD_NAV_WAYPOINT, 3, x=round(lat * 1e7), y=round(lon * 1e7), z=40.0))
    return items
