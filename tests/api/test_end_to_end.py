"""The whole product in one run: simulator, service, flights, fires, messages that agencies received."""

import json
import subprocess
import sys

import pytest

SECONDS = 420  # a hang is what this catches; how soon the first alert comes is asserted below


@pytest.mark.slow
def test_the_demo_flies_finds_fires_and_tells_agencies(tmp_path):
    """Twelve simulated minutes: long enough to fly over fires, too short to have seen all of them."""
    arguments = ["demo", "--headless", "--minutes", "12", "--speed", "20", "--seed", "7", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "missions.program", *arguments, "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["sorties"]["flown"] >= 2, done.stderr
    assert result["frames"] > 20
    assert result["incidents"], done.stderr
    assert all(i["hazard"] == "fire" and i["error_m"] <= 15 for i in result["incidents"])
    assert result["false"] == 0, done.stderr
    assert result["alerts_delivered"] >= len(result["incidents"])
    assert result["first_alert_s"] < 90
    incidents = json.loads((tmp_path / "out" / "incidents.geojson").read_text())
    truth = json.loads((tmp_path / "out" / "truth.json").read_text())
    assert {f["properties"]["hazard"] for f in incidents["features"]} == {"fire"}
    assert {f["properties"]["hazard"] for f in truth["features"]} == {"fire", "none"}
    assert "gp_" not in (tmp_path / "out" / "data" / "log" / "gridpatrol.log").read_text()
