"""Simulated pairs of pictures with their truth, made by `gridpatrol sim --gallery` as a process of its own.

Vision may not import the simulator; it reads what that wrote: pictures whose files tell noisy poses,
and `truth.json` beside them.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from missions.errors import WorkFailed
from missions.geo import LatLon
from missions.model import CameraPose, Site
from missions.site import load_site
from missions.terrain import Terrain

SEEDS, QUICK_SEEDS = range(1, 101), range(1, 4)


@dataclass(frozen=True, slots=True)
class Change:
    """What really changed on the ground: its outline in degrees, how much of it is in view.

    `track` is the middle line of a felling's track beyond its patch, of which so many metres are in view.
    """

    hazard: str
    id: str
    in_view_m2: float
    outline: BaseGeometry
    track: BaseGeometry | None = None
    track_in_view_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a gallery: where the camera really was, and what changed in its view."""

    seed: int
    name: str
    path: Path
    true: CameraPose
    changes: tuple[Change, ...]


@contextmanager
def made(kind: str, seeds: range) -> Iterator[dict[tuple[int, str], Picture]]:
    """Yield a gallery's pictures by seed and name; the files are gone afterwards.

    Raises:
        WorkFailed: the simulator did not make them.
    """
    with tempfile.TemporaryDirectory(prefix="gridpatrol-gallery-") as name:
        folder = Path(name)
        command = [
            sys.executable,
            "-m",
            "missions.program",
            "sim",
            "--gallery",
            kind,
            "--site",
            str(valley()),
        ]
        command += ["--seeds", f"{seeds.start}-{seeds.stop - 1}", "--out", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise WorkFailed(f"the simulator made no pictures: {done.stderr.strip()[-300:]}")
        told = json.loads((folder / "truth.json").read_text("utf-8"))["pictures"]
        yield {(p.seed, p.name): p for p in (_picture(folder, row) for row in told)}


@lru_cache(maxsize=1)
def place() -> tuple[Site, Terrain]:
    """Return the site that galleries are made of, and its ground."""
    site = load_site(valley())
    return site, Terrain.open(site.terrain)


def valley() -> Path:
    """Return the example site's file."""
    return Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"


def _picture(folder: Path, row: dict[str, Any]) -> Picture:
    true = row["true"]
    pose = CameraPose(
        LatLon(true["lat_deg"], true["lon_deg"]),
        true["altitude_m"],
        true["heading_deg"],
        true["pitch_deg"],
        true["roll_deg"],
    )
    path = folder / row["file"]
    changes = tuple(_change(c) for c in row["changes"])
    return Picture(row["seed"], path.stem.removesuffix("_W"), path, pose, changes)


def _change(row: dict[str, Any]) -> Change:
    track = shape(row["track"]) if "track" in row else None
    outline, seen_m = shape(row["geometry"]), row.get("track_in_view_m", 0.0)
    return Change(row["hazard"], row["id"], row["in_view_m2"], outline, track, seen_m)
