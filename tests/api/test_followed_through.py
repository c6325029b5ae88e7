"""From pictures of somebody who moves to the camera that is turned after him: every part is the real one."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api.roles.following import Pursuits
from fleet.following import Mover, mover_from
from fleet.stages import LookAt, Stage
from missions.geo import LatLon, distance_m, moved
from missions.model import Hazard
from missions.program import main
from missions.site import load_site
from missions.terrain import Terrain
from tests.fleet.builders import sight
from tests.fleet.test_sortie import AIR, Timeline
from vision.inspection import examine

SITE = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
HOVERS_M = 80.0
HIGH: Any = AIR["motion"]


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty thermal pictures of a walker at 1.5 m/s, as a drone writes them, with the truth."""
    out = tmp_path_factory.mktemp("moving")
    subprocess.run([sys.executable, "-m", "sim.sights", "moving", str(out), "--seeds", "5-5"], check=True)
    return out / "0005"


def where(truth: dict[str, Any], after_s: float) -> LatLon:
    start = LatLon(truth["lat_deg"], truth["lon_deg"])
    return moved(start, truth["heading_deg"], truth["speed_m_s"] * after_s)


def test_inspect_tells_tracks_with_speed_and_heading(
    flight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = json.loads((flight / "truth.json").read_text("utf-8"))
    dem = load_site(SITE).terrain
    assert main(["inspect", str(flight), "--dem", str(dem), "--hazard", "person", "--json"]) == 0
    said = capsys.readouterr()
    track = max(json.loads(said.out)["tracks"], key=lambda t: t["sightings"])
    assert track["kind"] == "person"
    assert track["speed_m_s"] == pytest.approx(truth["speed_m_s"], abs=3 * track["speed_error_m_s"])
    assert abs((track["heading_deg"] - truth["heading_deg"] + 180) % 360 - 180) < 20
    assert "person goes towards" in said.err


def test_the_detector_sees_the_walker_and_the_sorties_camera_goes_along(flight: Path) -> None:
    """Detector, tracks, the coordinator's word and the gateway's sortie; the drone stands over the walker."""
    truth = json.loads((flight / "truth.json").read_text("utf-8"))
    terrain, pursuits = Terrain.open(load_site(SITE).terrain), Pursuits()
    sortie = Timeline(has_dock=False).until(Stage.FLYING)
    ordered: list[tuple[float, Mover]] = []
    began_at: datetime | None = None
    for number, file in enumerate(truth["files"].values()):
        seen = examine(flight / file, terrain=terrain, hazards=[Hazard.PERSON], with_trials=True)
        assert seen.shot is not None
        assert seen.shot.taken_at is not None
        if began_at is None:
            began_at = seen.shot.taken_at
            asked = where(truth, 0.0)
            follows = {"lat_deg": asked.lat_deg, "lon_deg": asked.lon_deg, "seen_at": began_at.isoformat()}
            pursuits.heard("g1", {"sortie": "S1", "follows": follows})
        told = pursuits.seen("S1", f"frame{number}", seen.shot.taken_at, seen.observations)
        if told is None:
            continue
        gateway, command = told
        assert (gateway, command["action"], command["mover"]["kind"]) == ("g1", "follow", "person")
        mover = replace(mover_from(command["mover"], seen.shot.taken_at), ground_m=0.0)
        over = {"lat_deg": mover.place.lat_deg, "lon_deg": mover.place.lon_deg, "altitude_m": HOVERS_M}
        above: dict[str, Any] = AIR | {"motion": replace(HIGH, **over)}
        for_s = None if ordered else 60.0
        why_not = sortie.machine.follow(
            mover, 0.0, for_s, sight(sortie.now, **above), age_s=0.0, now=sortie.now
        )
        assert why_not is None
        sortie.see(1.1, door=None, **above)
        ordered.append(((seen.shot.taken_at - began_at).total_seconds(), mover))
    assert len(ordered) >= 5, "the walker is seen again and again"
    for after_s, mover in ordered:
        assert distance_m(mover.place, where(truth, after_s)) < 10.0  # a pose's error, and the track's
    last = ordered[-1][1]
    assert last.speed_m_s == pytest.approx(truth["speed_m_s"], abs=1.0)
    assert math.cos(math.radians(last.heading_deg - truth["heading_deg"])) > 0.5
    looked = [action for action in sortie.done if isinstance(action, LookAt)]
    assert len(looked) == len(ordered)
    assert distance_m(looked[-1].place, last.place) < 4.0  # where he is by now, a second later
