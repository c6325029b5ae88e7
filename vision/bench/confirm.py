"""Rows `confirm.*`: what the confirmation over frames leaves of false alarms, and what it costs.

The flights are simulated by `python -m sim.passes --flashes`, started as a process: passes at 120 m over
fires from 0.3 m² and over roofs, chimneys, stoves, cars and rocks, by day and night, some frames with the
sun's flash in glass, some passes with a bad cell. Every frame goes through the whole chain from its file on;
the poses have a consumer drone's errors. A single frame alarms when it holds a fire, with confirmation only
when that fire's candidate is confirmed. An alarm within `SAME_M` of a true fire is right.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from missions.errors import WorkFailed
from missions.geo import LatLon, distance_m
from missions.measure import Job, Row, at_least, at_most, measured
from missions.model import Hazard
from vision import confirmation
from vision.confirmation import Candidate, Look, Verdict
from vision.inspection import examine
from vision.looks import look_of

SAME_M = 20.0
_SEED, _WORLDS, _QUICK_FRAMES = 21, 2, 3
_LEAST_LOOKS = 3
"""A fire that a pass shows in fewer frames than this cannot be confirmed and is not counted."""


@dataclass(frozen=True, slots=True)
class _Alarm:
    """What one frame raised: by itself and by its confirmed candidates; places of fires, right or not."""

    single: tuple[LatLon, ...]
    confirmed: tuple[LatLon, ...]


def rows(job: Job) -> Iterator[Row]:
    """Yield how many fewer false alarms, how much recall it costs and how many frames later."""
    with tempfile.TemporaryDirectory(prefix="gridpatrol-confirm-") as made:
        folder = Path(made)
        _flown(folder, quick=job.quick)
        fires = _fires(folder)
        passes = _passes(folder)
        single = confirmed = seen = found = caught = 0
        delays: list[int] = []
        for name, files in passes.items():
            alarms = _alarms([folder / f for f in files])
            true = fires[name.split("-")[0]]
            wrong = [_wrong(a.single, true) for a in alarms], [_wrong(a.confirmed, true) for a in alarms]
            single, confirmed = single + sum(wrong[0]), confirmed + sum(wrong[1])
            for fire in true:
                first = [i for i, a in enumerate(alarms) if _has(a.single, fire)]
                later = [i for i, a in enumerate(alarms) if _has(a.confirmed, fire)]
                if len(first) < _LEAST_LOOKS:
                    continue
                seen, found, caught = seen + 1, found + 1, caught + bool(later)
                if later:
                    delays.append(later[0] - first[0])
            job.raw.write("confirm", {"pass": name, "single_false": wrong[0], "confirmed_false": wrong[1]})
    yield at_least(
        "confirm.false_alarm_ratio", single / max(confirmed, 1), 4.0, unit="times", clock="simulated"
    )
    yield at_most("confirm.recall_loss", (found - caught) / max(found, 1), 0.015, unit="", clock="simulated")
    late = float(np.percentile(delays, 95)) if delays else 0.0
    yield at_most("confirm.delay_frames", late, 2.0, unit="frames", clock="simulated")
    yield measured("confirm.single_false_alarms", single, unit="", clock="simulated")
    yield measured("confirm.confirmed_false_alarms", confirmed, unit="", clock="simulated")
    yield measured("confirm.fires", seen, unit="", clock="simulated")
    yield measured("confirm.mean_delay_frames", float(np.mean(delays)) if delays else 0.0, unit="frames")


def _flown(folder: Path, *, quick: bool) -> None:
    """Have the simulator write the passes."""
    words = [sys.executable, "-m", "sim.passes", str(folder), "--flashes", "--seed", str(_SEED)]
    words += ["--worlds", "1", "--frames", str(_QUICK_FRAMES)] if quick else ["--worlds", str(_WORLDS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkFailed(f"the simulated passes could not be written: {done.stderr.strip()[-300:]}")


def _fires(folder: Path) -> dict[str, list[LatLon]]:
    told = json.loads((folder / "fires.json").read_text("utf-8"))
    return {world: [LatLon(f["lat_deg"], f["lon_deg"]) for f in some] for world, some in told.items()}


def _passes(folder: Path) -> dict[str, list[str]]:
    """Return the °C frames of each pass in flying order."""
    passes: defaultdict[str, list[str]] = defaultdict(list)
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["file"].startswith("celsius"):
                passes[row["pass"]].append(row["file"])
    return dict(passes)


def _alarms(files: list[Path]) -> list[_Alarm]:
    """Return what each frame of a pass raises."""
    candidates: tuple[Candidate, ...] = ()
    alarms = []
    for file in files:
        look = look_of(examine(file, hazards={Hazard.FIRE}))
        if look is None:
            alarms.append(_Alarm((), ()))
            continue
        candidates = confirmation.after(candidates, look)
        alarms.append(_Alarm(tuple(s.observation.place for s in look.seen), _confirmed(candidates, look)))
    return alarms


def _confirmed(candidates: tuple[Candidate, ...], look: Look) -> tuple[LatLon, ...]:
    """Return the places that this frame showed again and that are confirmed by now."""
    ids = {s.observation.id for s in look.seen}
    return tuple(
        c.place for c in candidates if c.verdict is Verdict.CONFIRMED and ids & frozenset(c.observations)
    )


def _wrong(places: tuple[LatLon, ...], fires: list[LatLon]) -> int:
    return sum(all(distance_m(place, fire) > SAME_M for fire in fires) for place in places)


def _has(places: tuple[LatLon, ...], fire: LatLon) -> bool:
    return any(distance_m(place, fire) <= SAME_M for place in places)
