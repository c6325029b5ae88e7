"""Fly a small mission with nothing but pymavlink: python with_pymavlink.py tcp:127.0.0.1:5860"""

import sys
import threading
import time

from pymavlink import mavutil
from small_mission import around

SET_MODE, ARM, START, ALL_STREAMS = 176, 400, 300, 0
GUIDED, AUTO = 4, 3  # ArduCopter's modes
ARMED, HAS_POSITION = 128, 16


def main(connect: str) -> None:
    link = mavutil.mavlink_connection(connect, source_system=255)
    threading.Thread(target=_beat, args=[link], daemon=True).start()  # over UDP we have to speak first
    link.wait_heartbeat(timeout=30)
    link.mav.request_data_stream_send(link.target_system, 1, ALL_STREAMS, 4, 1)
    while (
        not link.messages.get("EKF_STATUS_REPORT")
        or not link.messages["EKF_STATUS_REPORT"].flags & HAS_POSITION
    ):
        link.recv_match(blocking=True, timeout=10)
    here = link.recv_match(type="GLOBAL_POSITION_INT", blocking=True, timeout=10)
    upload(link, around(here.lat / 1e7, here.lon / 1e7, home_first=True))
    for number, *params in ((SET_MODE, 1, GUIDED), (ARM, 1), (SET_MODE, 1, AUTO), (START,)):
        command(link, number, *params)
    pictures = 0
    while True:
        message = link.recv_match(type=["HEARTBEAT", "CAMERA_FEEDBACK"], blocking=True, timeout=30)
        if message.get_type() == "CAMERA_FEEDBACK":
            pictures += 1
        elif message.get_srcComponent() == 1 and not message.base_mode & ARMED:
            break
    height_m = link.messages["GLOBAL_POSITION_INT"].relative_alt / 1000
    print(f"landed, pictures {pictures}, height {height_m:.1f} m")


def upload(link, items) -> None:
    """Send the items as the vehicle asks for them; what it asks for twice is sent twice."""
    link.mav.mission_count_send(link.target_system, 1, len(items), 0)
    while True:
        asked = link.recv_match(type=["MISSION_REQUEST", "MISSION_ACK"], blocking=True, timeout=10)
        if asked.get_type() == "MISSION_REQUEST":
            i = items[asked.seq]
            x, y = round(i.lat_deg * 1e7), round(i.lon_deg * 1e7)
            link.mav.mission_item_int_send(
                link.target_system, 1, asked.seq, i.frame, i.command, 0, 1, *i.params, x, y, i.height_m, 0
            )
        elif asked.type == mavutil.mavlink.MAV_MISSION_ACCEPTED:
            return
        elif asked.type != mavutil.mavlink.MAV_MISSION_INVALID_SEQUENCE:
            raise SystemExit(f"the upload was refused: {asked.type}")


def command(link, number: int, *params: float) -> None:
    link.mav.command_long_send(link.target_system, 1, number, 0, *params, *[0] * (7 - len(params)))
    ack = link.recv_match(type="COMMAND_ACK", blocking=True, timeout=10)
    if ack.result:
        raise SystemExit(f"command {number} was refused: {ack.result}")


def _beat(link) -> None:
    while True:
        link.mav.heartbeat_send(6, 8, 0, 0, 0)
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tcp:127.0.0.1:5860")
