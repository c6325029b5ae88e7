"""Fly a small mission with DroneKit (pip install dronekit2): python with_dronekit.py tcp:127.0.0.1:5860"""

import sys
import time

import dronekit
from small_mission import around


def main(connect: str) -> None:
    vehicle = dronekit.connect(connect, wait_ready=False, rate=4, heartbeat_timeout=60)
    try:
        wait_for(lambda: vehicle.is_armable and vehicle.location.global_frame.lat)
        place = vehicle.location.global_frame
        vehicle.commands.download()
        vehicle.commands.wait_ready()
        vehicle.commands.clear()
        # DroneKit keeps home, item 0, to itself.
        for i in around(place.lat, place.lon, home_first=False):
            vehicle.commands.add(
                dronekit.Command(
                    0, 0, 0, i.frame, i.command, 0, 1, *i.params, i.lat_deg, i.lon_deg, i.height_m
                )
            )
        vehicle.commands.upload()
        vehicle.mode = dronekit.VehicleMode("GUIDED")
        wait_for(lambda: vehicle.mode.name == "GUIDED")
        vehicle.armed = True
        wait_for(lambda: vehicle.armed)
        vehicle.simple_takeoff(10)
        wait_for(lambda: vehicle.location.global_relative_frame.alt > 9)
        vehicle.mode = dronekit.VehicleMode("AUTO")
        wait_for(lambda: not vehicle.armed, limit_s=180)
        print(f"landed, height {vehicle.location.global_relative_frame.alt:.1f} m")
    finally:
        vehicle.close()


def wait_for(condition, limit_s: float = 90) -> None:
    ends = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > ends:
            raise SystemExit("waited too long")
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tcp:127.0.0.1:5860")
