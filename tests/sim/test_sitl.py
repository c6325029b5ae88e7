"""`gridpatrol sim --sitl`: what it starts, what it refuses, and one flight on the real thing."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from missions.errors import InputWrong
from missions.geo import LatLon
from missions.program import main
from sim.faults import Fault, FaultPlan, Moment
from sim.sitl import arguments, as_parameter_file, check_faults, settings
from tests.sim.gcs import MODEL

BINARY = os.environ.get("GRIDPATROL_SITL", "")
SCRIPT = Path(__file__).parents[2] / "examples" / "clients" / "with_pymavlink.py"


def test_the_command_line_speaks_to_the_loopback_alone() -> None:
    line = arguments(
        Path("/x/arducopter"),
        system_id=7,
        home=LatLon(30.28, 119.42),
        amsl_m=91.5,
        speed=10,
        inner_port=1234,
        rc_port=5678,
    )
    assert line[0] == "/x/arducopter"
    words = dict(pairwise(line))
    assert words["--home"] == "30.2800000,119.4200000,91.50,0"
    assert words["--sysid"] == "7"
    assert words["--speedup"] == "10"
    assert words["--serial0"] == "udpclient:127.0.0.1:1234"
    assert words["--serial1"] == words["--serial2"] == "none"


def test_the_settings_are_a_dock_drones() -> None:
    wanted = settings(MODEL)
    assert wanted["CAM1_TYPE"] == 1
    assert wanted["BATT_CAPACITY"] == pytest.approx(MODEL.battery_wh / 44.4 * 1000, rel=0.01)
    assert "FS_THR_ENABLE 0\n" in as_parameter_file(wanted)


def test_only_faults_of_the_link_can_happen_to_a_real_autopilot() -> None:
    check_faults(FaultPlan((Fault("link"),)))
    with pytest.raises(InputWrong, match="found gps_lost after start, expected link after start"):
        check_faults(FaultPlan((Fault("gps_lost"),)))
    with pytest.raises(InputWrong, match="found link after takeoff"):
        check_faults(FaultPlan((Fault("link", after=Moment.TAKEOFF),)))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sitl", "{tmp}/none"], "is no program: name the arducopter binary"),
        (["--sitl", "{tmp}"], "is no program"),
        (["--sitl", sys.executable, "--autopilot", "px4"], "leave out --mqtt and --autopilot"),
        (["--sitl", sys.executable, "--mqtt", "mqtt://a:b@127.0.0.1:1"], "leave out --mqtt"),
    ],
)
def test_what_cannot_be_is_wrong_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert main(["sim", "--json", *(m.format(tmp=tmp_path) for m in more)]) == 2
    assert words in capsys.readouterr().err


def test_a_program_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "arducopter"
    binary.write_text("#!/bin/sh\necho wrong model\nexit 3\n")
    binary.chmod(0o755)
    arguments_ = [
        "sim",
        "--sitl",
        str(binary),
        "--drones",
        "1",
        "--mavlink-port",
        "0",
        "--out",
        str(tmp_path),
    ]
    assert main(arguments_) == 1
    said = capsys.readouterr().err
    assert "the autopilot of D1 ended with 3: wrong model" in said
    assert str(tmp_path / "sitl" / "D1" / "sitl.log") in said


@pytest.mark.sitl
@pytest.mark.slow
@pytest.mark.skipif(not BINARY, reason="flies a real ArduCopter: set GRIDPATROL_SITL to its binary to run it")
def test_a_bare_script_flies_the_real_autopilot_behind_the_relay(tmp_path: Path) -> None:
    """The first JSON line is the simulator's, and the autopilots end with it."""
    command = [sys.executable, "-m", "missions.program", "sim", "--sitl", BINARY, "--drones", "1"]
    command += ["--speed", "10", "--mavlink-port", "0", "--json", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        described = json.loads(process.stdout.readline())
        connect = described["drones"][0]["connect"]
        done = subprocess.run(
            [sys.executable, str(SCRIPT), connect], capture_output=True, text=True, timeout=200
        )
        process.terminate()
        process.wait(20)
    assert "landed, pictures 2" in done.stdout, done.stderr
