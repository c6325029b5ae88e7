"""Fly a small mission with MAVProxy, typing what one would: python with_mavproxy.py tcp:127.0.0.1:5860"""

import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pymavlink import mavutil
from small_mission import around

MODULES = "wp,mode,arm,cmdlong,misc,output"


def main(connect: str) -> None:
    lat, lon = place_of(connect)
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder, "mission.waypoints")
        plan.write_text(as_waypoints(around(lat, lon, home_first=True)))
        proxy = Proxy(connect, folder)
        try:
            proxy.expect("Detected vehicle|STABILIZE>|online system", 30)
            proxy.type(f"wp load {plan}")
            proxy.expect("Flight plan received|Loaded.*waypoint", 30)
            proxy.type("mode guided")
            proxy.expect("GUIDED", 20)
            proxy.type("arm throttle")
            proxy.expect("ARMED|Arming motors", 20)
            proxy.type("mode auto")
            proxy.expect("AUTO", 20)
            proxy.type("long MISSION_START")
            proxy.expect("DISARMED|Disarming motors", 180)
            print("landed")
        finally:
            proxy.close()


class Proxy:
    """A MAVProxy that is typed to and listened to."""

    def __init__(self, connect: str, folder: str) -> None:
        script = Path(sys.executable).with_name("mavproxy.py")
        command = [sys.executable, str(script), f"--master={connect}", f"--default-modules={MODULES}"]
        command += ["--state-basedir", folder, "--retries", "20", "--streamrate", "4"]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._heard = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def type(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def expect(self, words: str, limit_s: float) -> None:
        """Wait until MAVProxy has said one of these words since the last time."""
        ends = time.monotonic() + limit_s
        while not (found := re.search(words, self._heard)):
            if time.monotonic() > ends:
                raise SystemExit(f"MAVProxy never said {words!r}; it said:\n{self._heard[-2000:]}")
            time.sleep(0.05)
        self._heard = self._heard[found.end() :]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        while letters := self._process.stdout.read(1):
            self._heard += letters


def place_of(connect: str) -> tuple[float, float]:
    """Return where the vehicle stands, once it is ready to fly."""
    link = mavutil.mavlink_connection(connect, source_system=254)
    link.wait_heartbeat(timeout=30)
    link.mav.request_data_stream_send(link.target_system, 1, 0, 4, 1)
    while not link.recv_match(type="EKF_STATUS_REPORT", blocking=True, timeout=30).flags & 16:
        pass
    here = link.recv_match(type="GLOBAL_POSITION_INT", blocking=True, timeout=10)
    link.close()
    return here.lat / 1e7, here.lon / 1e7


def as_waypoints(items) -> str:
    """Return the mission as a "QGC WPL 110" file."""
    lines = ["QGC WPL 110"]
    for seq, i in enumerate(items):
        values = (seq, int(seq == 0), i.frame, i.command, *i.params, i.lat_deg, i.lon_deg, i.height_m, 1)
        lines.append("\t".join(f"{v:.8f}" if isinstance(v, float) else str(v) for v in values))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tcp:127.0.0.1:5860")
