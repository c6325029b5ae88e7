"""Trucks and people on the move, and what a flying camera reports of them on the ground.

    python -m sim.movers OUT [--seeds 1-50]

writes OUT/0001.json and so on: `frames`, each with `at_s` and what was `seen` (kind, east_m, north_m, and
the `of` that only a judge may look at), and `truth`, each mover with its kind and the speed and heading
it really had at each frame. A mover bends its way and changes its pace slowly; a truck keeps to 4-15 m/s
and a person to 0.8-2 m/s. The camera misses one in ten, sees what is not there once in ten frames, and
places all of a frame off by the error of its pose, which is the flight noise of `sim.noise`, and each by
its own decimetres.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.noise import PoseNoise

FRAMES, STEP_S = 80, 0.5
MISSED, FALSE = 0.10, 0.10
OWN_M = 0.35
REACH_M = 90.0
PACE_M_S = {"truck": (4.0, 15.0), "person": (0.8, 2.0)}
TURN_DEG_S = {"truck": 2.5, "person": 4.0}


@dataclass(slots=True)
class Mover:
    """Something that moves: where it is, how fast, which way, and how fast it turns."""

    id: str
    kind: str
    east_m: float
    north_m: float
    speed_m_s: float
    heading_deg: float
    turns_deg_s: float

    def step(self, dt_s: float, rng: np.random.Generator) -> None:
        """Move on; the turn and the pace wander."""
        low, high = PACE_M_S[self.kind]
        most = TURN_DEG_S[self.kind]
        self.turns_deg_s = float(np.clip(self.turns_deg_s + rng.normal(0, 0.25 * most * dt_s), -most, most))
        self.speed_m_s = float(np.clip(self.speed_m_s * (1 + rng.normal(0, 0.01 * dt_s)), low, high))
        self.heading_deg = (self.heading_deg + self.turns_deg_s * dt_s) % 360.0
        turn = math.radians(self.heading_deg)
        self.east_m += self.speed_m_s * dt_s * math.sin(turn)
        self.north_m += self.speed_m_s * dt_s * math.cos(turn)


def scene(seed: int) -> dict[str, object]:
    """Return one scene: movers that cross each other's ways, and the frames that saw them."""
    rng, noise = np.random.default_rng([seed, 83]), PoseNoise(seed)
    movers = [_mover(i, rng) for i in range(int(rng.integers(2, 6)))]
    ways: dict[str, list[list[float]]] = {m.id: [] for m in movers}
    frames = []
    for i in range(FRAMES):
        noise.advance(STEP_S)
        off = noise.sample()
        seen = []
        for mover in movers:
            mover.step(STEP_S, rng)
            ways[mover.id].append([mover.speed_m_s, mover.heading_deg, mover.east_m, mover.north_m])
            if rng.random() > MISSED:
                east = mover.east_m + off.east_m + rng.normal(0, OWN_M)
                north = mover.north_m + off.north_m + rng.normal(0, OWN_M)
                seen.append(
                    {"kind": mover.kind, "east_m": float(east), "north_m": float(north), "of": mover.id}
                )
        if rng.random() < FALSE:
            east, north = rng.uniform(-REACH_M, REACH_M, 2)
            kind = str(rng.choice(["truck", "person"]))
            seen.append({"kind": kind, "east_m": float(east), "north_m": float(north), "of": None})
        frames.append({"at_s": i * STEP_S, "seen": [seen[k] for k in rng.permutation(len(seen))]})
    columns = ["speed_m_s", "heading_deg", "east_m", "north_m"]
    truth = [{"id": m.id, "kind": m.kind, "way": ways[m.id], "columns": columns} for m in movers]
    return {"seed": seed, "truth": truth, "frames": frames}


def _mover(number: int, rng: np.random.Generator) -> Mover:
    """Return a mover whose way leads past the middle when the scene is half over."""
    kind = str(rng.choice(["truck", "person"]))
    speed = float(rng.uniform(*PACE_M_S[kind]))
    heading = float(rng.uniform(0, 360))
    back = speed * FRAMES * STEP_S / 2
    turn = math.radians(heading)
    east = -back * math.sin(turn) + rng.normal(0, 15.0)
    north = -back * math.cos(turn) + rng.normal(0, 15.0)
    return Mover(f"M{number + 1}", kind, float(east), float(north), speed, heading, 0.0)


def main() -> None:
    """Write scenes, as the module's first lines say."""
    words = argparse.ArgumentParser(prog="python -m sim.movers", description="Movers with truth.")
    words.add_argument("out", type=Path, help="folder to write to")
    words.add_argument("--seeds", default="1-50", help="first and last seed: 1-50")
    asked = words.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    first, _, last = asked.seeds.partition("-")
    for seed in range(int(first), int(last or first) + 1):
        (asked.out / f"{seed:04d}.json").write_text(json.dumps(scene(seed)), "utf-8")


if __name__ == "__main__":
    main()
