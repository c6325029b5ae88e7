"""Other people's clients fly our vehicles: the scripts of examples/clients, run as they are.

They belong to the extra `interop`; where a client is not installed its flight is
skipped and says so.
"""

import contextlib
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[2] / "examples" / "clients"
SPEED = 20
LIMIT_S = 150


@contextlib.contextmanager
def simulated(autopilot: str, drones: int, folder: Path) -> Iterator[list[int]]:
    """Yield the ports of so many simulated drones."""
    command = [
        sys.executable,
        "-m",
        "missions.program",
        "sim",
        "--drones",
        str(drones),
        "--mavlink-port",
        "0",
    ]
    command += ["--autopilot", autopilot, "--speed", str(SPEED), "--json"]
    with (folder / f"{autopilot}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        described = json.loads(process.stdout.readline())
        yield [int(drone["port"]) for drone in described["drones"]]
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def arducopters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    with simulated("arducopter", 5, tmp_path_factory.mktemp("sim")) as ports:
        yield ports


@pytest.fixture(scope="module")
def px4s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    with simulated("px4", 1, tmp_path_factory.mktemp("sim")) as ports:
        yield ports


def fly(script: str, connect: str) -> str:
    """Return what a script says when it has flown."""
    done = subprocess.run(
        [sys.executable, str(CLIENTS / script), connect], capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def needs(module: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"needs the extra interop: {module} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "scheme"),
    [
        ("with_pymavlink.py", "tcp:"),
        ("with_pymavlink.py", "udpout:"),
        pytest.param("with_dronekit.py", "tcp:", marks=needs("dronekit")),
        pytest.param("with_mavproxy.py", "tcp:", marks=needs("MAVProxy")),
        pytest.param("with_mavsdk.py", "tcpout://", marks=needs("mavsdk")),
    ],
)
def test_a_client_flies_an_arducopter_and_lands(arducopters: list[int], script: str, scheme: str) -> None:
    """Connect, upload, arm, fly, land; the script ends when the vehicle has disarmed."""
    assert "landed" in fly(script, f"{scheme}127.0.0.1:{arducopters.pop()}")


@pytest.mark.slow
@needs("mavsdk")
def test_mavsdk_flies_a_px4_and_lands(px4s: list[int]) -> None:
    said = fly("with_mavsdk.py", f"tcpout://127.0.0.1:{px4s[0]}")
    (height,) = re.findall(r"height (-?[\d.]+) m", said)
    assert abs(float(height)) < 3
