"""Flies the demo over many seeds and scores what the service said against the simulator's truth.

    python tests/valley_seeds.py --seeds 1-20 --minutes 60 --speed 20 --out out/seeds

Reads nothing but the two files each demo leaves, incidents.geojson and
truth.json, and writes one CSV line a seed. A fire counts as found by the
nearest incident within 50 m that no nearer fire has taken; an incident that is
left over is false, or a second telling when it lies within 50 m of a found fire.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from missions.geo import LatLon, distance_m

REACH_M = 50.0
COLUMNS = ("seed", "fires", "decoys", "found", "missed", "false", "twice", "median_m", "worst_m")
COLUMNS += ("flown", "landed_at_dock", "frames", "alerts", "first_alert_s")


def main() -> int:
    wish = _arguments()
    wish.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    errors: list[float] = []
    for seed in wish.seeds:
        folder = wish.out / f"seed{seed}"
        said = _fly(seed, folder, minutes=wish.minutes, speed=wish.speed, port=wish.http_port)
        row, apart = score(folder / "incidents.geojson", folder / "truth.json")
        errors += apart
        rows.append({"seed": seed, **row, **said})
        print(rows[-1], flush=True)
    with (wish.out / "seeds.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    fires = sum(r["fires"] for r in rows)
    found = sum(r["found"] for r in rows)
    p95 = statistics.quantiles(errors, n=20)[-1] if len(errors) > 1 else float("nan")
    print(f"{found} of {fires} fires found, recall {found / fires:.3f}; place error P95 {p95:.1f} m")
    print(f"{sum(r['false'] for r in rows)} false, {sum(r['twice'] for r in rows)} told twice")
    return 0


def score(incidents_file: Path, truth_file: Path) -> tuple[dict[str, Any], list[float]]:
    """Return one seed's row and the place errors of its found fires in metres."""
    said = [_place(f) for f in _features(incidents_file)]
    truth = _features(truth_file)
    fires = [_place(f) for f in truth if "decoy" not in f["properties"]]
    pairs = sorted((distance_m(f, s), i, j) for i, f in enumerate(fires) for j, s in enumerate(said))
    fire_of: dict[int, int] = {}
    errors: list[float] = []
    for apart, i, j in pairs:
        if apart <= REACH_M and i not in fire_of.values() and j not in fire_of:
            fire_of[j] = i
            errors.append(apart)
    left = [j for j in range(len(said)) if j not in fire_of]
    twice = sum(any(distance_m(f, said[j]) <= REACH_M for f in fires) for j in left)
    row = {
        "fires": len(fires),
        "decoys": len(truth) - len(fires),
        "found": len(errors),
        "missed": len(fires) - len(errors),
        "false": len(left) - twice,
        "twice": twice,
        "median_m": round(statistics.median(errors), 2) if errors else None,
        "worst_m": round(max(errors), 2) if errors else None,
    }
    return row, errors


def _fly(seed: int, folder: Path, *, minutes: float, speed: float, port: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "missions.program", "demo", "--headless", "--json"]
    command += ["--minutes", f"{minutes:g}", "--speed", f"{speed:g}", "--seed", str(seed)]
    command += ["--http-port", str(port), "--out", str(folder)]
    with (folder.parent / f"seed{seed}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True, check=True)
    said = json.loads(done.stdout)
    return {
        "flown": said["sorties"]["flown"],
        "landed_at_dock": said["sorties"]["landed_at_dock"],
        "frames": said["frames"],
        "alerts": said["alerts_delivered"],
        "first_alert_s": said["first_alert_s"],
    }


def _features(path: Path) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    return features


def _place(feature: dict[str, Any]) -> LatLon:
    lon, lat = feature["geometry"]["coordinates"][:2]
    return LatLon(lat, lon)


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1-20"))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--http-port", type=int, default=8100)
    parser.add_argument("--out", type=Path, default=Path("out/seeds"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
