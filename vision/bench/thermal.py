"""Row `thermal.fps_core`: frames of 640×512 °C a second on one core, from bytes on disk to observations."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile

from missions.measure import Job, Row, at_least, calibration_loops_per_s, measured
from vision.georeference import FlatGround
from vision.inspection import examine

_FRAMES, _QUICK = 300, 12
_WANTED_FPS = 45.0
_PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="bench" xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"
 xmlns:gridpatrol="urn:gridpatrol:xmp:1" drone-dji:GpsLatitude="+30.28000000"
 drone-dji:GpsLongitude="+119.42000000" drone-dji:AbsoluteAltitude="+220.00"
 drone-dji:RelativeAltitude="+120.00"
 drone-dji:GimbalYawDegree="+90.00" drone-dji:GimbalPitchDegree="-90.00" drone-dji:GimbalRollDegree="+0.00"
 gridpatrol:FocalPx="758.3333" gridpatrol:CentreXPx="320" gridpatrol:CentreYPx="256"
 gridpatrol:Sensor="thermal"
 gridpatrol:Camera="GP-1 T" gridpatrol:TakenAt="2026-06-01T10:00:05.25+08:00"/></rdf:RDF></x:xmpmeta>"""


def rows(job: Job) -> Iterator[Row]:
    """Yield frames a second of this core's time, and their ratio to the calibration loop."""
    many = _QUICK if job.quick else _FRAMES
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with tempfile.TemporaryDirectory(prefix="gridpatrol-thermal-") as folder:
            files = [_written(Path(folder) / f"GP_{i:04d}_T.TIF", seed=i) for i in range(8)]
            took_s, cpu_s, found = _timed(files, many)
    finally:
        cv2.setNumThreads(threads)
    fps, loops = many / cpu_s, calibration_loops_per_s()
    job.raw.write("thermal", {"frames": many, "wall_s": took_s, "cpu_s": cpu_s, "observations": found})
    yield at_least("thermal.fps_core", fps, _WANTED_FPS, unit="frames/s", clock="cpu")
    yield measured("thermal.fps_wall", many / took_s, unit="frames/s")
    yield measured("thermal.fps_core_per_kloop", fps / loops, unit="", clock="cpu")


def _timed(files: list[Path], many: int) -> tuple[float, float, int]:
    """Return wall and CPU seconds for so many frames, and how many observations they gave."""
    ground = FlatGround(100.0)
    examine(files[0], terrain=ground)
    found, began, cpu = 0, time.perf_counter(), time.process_time()
    for i in range(many):
        found += len(examine(files[i % len(files)], terrain=ground, shot_id=f"s{i}").observations)
    return time.perf_counter() - began, time.process_time() - cpu, found


def _written(path: Path, *, seed: int) -> Path:
    """Write a meadow with a fire, a warm roof and a stove, as a camera's TIFF without metadata."""
    rng = np.random.default_rng(seed)
    celsius = 22.0 + rng.normal(0.0, 0.6, (512, 640))
    top, left = (int(v) for v in rng.integers(20, 380, 2))
    celsius[top : top + 6, left : left + 6] = 450.0
    celsius[400:460, 500:600] += 40.0
    celsius[470:473, 40:43] = 190.0
    tags = [(700, 1, len(_PACKET), _PACKET, True)]
    tifffile.imwrite(path, celsius.astype(np.float32), extratags=tags, metadata=None)
    return path
