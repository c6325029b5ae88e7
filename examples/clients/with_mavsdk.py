"""Fly a small mission with MAVSDK 4, ArduCopter or PX4: python with_mavsdk.py tcpout://127.0.0.1:5860"""

import asyncio
import sys

from mavsdk import Autopilot, ComponentType, Configuration
from mavsdk.asyncio import Mavsdk
from mavsdk.asyncio.plugins.action import ActionAsync
from mavsdk.asyncio.plugins.mission_raw import MissionRawAsync
from mavsdk.asyncio.plugins.telemetry import TelemetryAsync
from mavsdk.plugins.mission_raw import MissionItem
from small_mission import around


async def main(connect: str) -> None:
    station = Configuration.create_with_component_type(ComponentType.GROUND_STATION)
    async with Mavsdk(station) as mavsdk:
        await mavsdk.add_any_connection(connect)
        system = await mavsdk.first_autopilot(timeout_s=30)
        assert system is not None, "nobody there"
        action, mission, telemetry = ActionAsync(system), MissionRawAsync(system), TelemetryAsync(system)
        await ask_for(telemetry)
        async for health in telemetry.subscribe_health():
            if health.is_global_position_ok and health.is_home_position_ok and health.is_armable:
                break
        place = await anext(telemetry.subscribe_position())
        has_home = await system.autopilot_type() == Autopilot.ARDUPILOT
        items = around(place.latitude_deg, place.longitude_deg, home_first=has_home)
        await mission.upload_mission([_item(seq, i) for seq, i in enumerate(items)])
        await action.arm()
        await mission.start_mission()
        async for in_air in telemetry.subscribe_in_air():
            if in_air:
                break
        async for armed in telemetry.subscribe_armed():
            if not armed:
                break
        height_m = (await telemetry.position()).relative_altitude_m
        print(f"landed, height {height_m:.1f} m")


async def ask_for(telemetry: TelemetryAsync) -> None:
    """Ask for what is waited for: ArduPilot sends nothing unasked."""
    await telemetry.set_rate_health(2)
    await telemetry.set_rate_home(1)
    await telemetry.set_rate_position(4)
    await telemetry.set_rate_in_air(4)


def _item(seq: int, i) -> MissionItem:
    x, y = round(i.lat_deg * 1e7), round(i.lon_deg * 1e7)
    return MissionItem(seq, i.frame, i.command, int(seq == 0), 1, *i.params, x, y, i.height_m, 0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "tcpout://127.0.0.1:5860"))
