"""Rows `tiles.*`: a 12-megapixel JPEG from its bytes to boxes, beside SAHI with ultralytics on the same file.

The pictures are real drone pictures into which flames and smoke of labelled pictures are pasted at their
own size, so that it is known what is to be found. The peer is a process of its own on one thread, with
SAHI's usual slices (640, a fifth of overlap, no pass over the whole); both are counted in processor seconds.
Recall is measured beside the same weights without rounded activations on all of SAHI's slices
(`vision/bench/unrounded.py`). What decoding costs in memory is measured in processes of their own.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from missions.measure import Job, Row, at_least, at_most, measured, skipped
from vision import encoded, labelled
from vision.detectors import rgb_fire, runtime
from vision.detectors.rgb_fire import Candidates
from vision.detectors.runtime import Model, Rgb
from vision.encoded import Encoded
from vision.tiling import SIDE_PX, Tile

DATA = Path(__file__).parents[3] / "shared" / "data"
WIDTH_PX, HEIGHT_PX = 4000, 3000
_PEER_STRIDE_PX = 512
_OBJECTS, _PICTURES, _QUICK = 48, 8, 1
_TIMED = 3
_OBJECT_PX = (48, 300)
_MATCH = 0.3
_QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 92)
_NAMES = ("tiles.mp_s_ratio", "tiles.recall_loss")


@dataclass(frozen=True, slots=True, eq=False)
class Scene12:
    """A picture's file, its pixels, and the boxes pasted into it: left, top, right, bottom, class."""

    path: Path
    pixels: Rgb
    truth: npt.NDArray[np.float32]


def rows(job: Job) -> Iterator[Row]:
    """Yield the speed beside the peer's and the recall beside 32 bits."""
    if not (DATA / "fire").is_dir():
        yield from (skipped(name, "../shared/data is not here") for name in _NAMES)
        return
    if not runtime.is_installed():
        yield from (skipped(name, runtime.NOT_INSTALLED) for name in _NAMES)
        return
    model = runtime.load()
    count = _QUICK if job.quick else _PICTURES
    with tempfile.TemporaryDirectory(prefix="gridpatrol-tiles-") as folder:
        scenes = _scenes(Path(folder), count)
        yield from _speed(job, model, scenes[:_TIMED])
        yield from _decoding(Path(folder), scenes[0])
        yield from _recall(job, model, scenes, Path(folder))


def _speed(job: Job, model: Model, scenes: Sequence[Scene12]) -> Iterator[Row]:
    _ours(model, scenes[0])  # compiles
    ours = [_ours(model, scene) for scene in scenes]
    megapixels = WIDTH_PX * HEIGHT_PX / 1e6
    job.raw.write(
        "tiles.ours", *({"picture": s.path.name, "cpu_s": t} for s, t in zip(scenes, ours, strict=True))
    )
    rate = megapixels / float(np.median(ours))
    yield measured(f"tiles.mp_s_{model.engine}", rate, unit="MP/s", clock="cpu")
    missing = [
        name for name in ("sahi", "ultralytics", "torch", "onnx") if not importlib.util.find_spec(name)
    ]
    if missing:
        yield skipped(
            _NAMES[0], f"needs the extras bench and train: {', '.join(missing)} missing", target="≥ 3"
        )
        return
    theirs = _peer(job, [scene.path for scene in scenes])
    peer_rate = megapixels / float(np.median(theirs))
    yield measured("tiles.mp_s_sahi_ultralytics", peer_rate, unit="MP/s", clock="cpu")
    yield at_least(_NAMES[0], rate / peer_rate, 3.0, unit="×", clock="cpu", anchor="SAHI + ultralytics")


def _recall(job: Job, model: Model, scenes: Sequence[Scene12], folder: Path) -> Iterator[Row]:
    if not importlib.util.find_spec("onnx"):
        yield skipped(_NAMES[1], "needs the extra train: onnx missing", target="≤ 0.005")
        return
    from vision.bench import unrounded  # reads the graph, which only the extra train can

    full = runtime.load(unrounded.in_32_bits(runtime.SHIPPED, folder))
    found = {"ours": 0, "full": 0}
    objects = 0
    for scene in scenes:
        answers = {"ours": rgb_fire.look(model, _encoded(scene)), "full": _all_slices(full, scene.pixels)}
        hits = {name: found_of(answer, scene.truth) for name, answer in answers.items()}
        objects += len(scene.truth)
        for name, hit in hits.items():
            found[name] += int(hit.sum())
        job.raw.write(
            "tiles.recall", {"picture": scene.path.name, **{n: h.tolist() for n, h in hits.items()}}
        )
    recall = {name: hits / objects for name, hits in found.items()}
    yield measured("tiles.recall_ours", recall["ours"], unit="", clock="none")
    yield measured("tiles.recall_fp32", recall["full"], unit="", clock="none")
    loss = max(0.0, recall["full"] - recall["ours"])
    yield at_most(_NAMES[1], loss, 0.005, unit="", clock="none", anchor="fp32 on all slices")


def _ours(model: Model, scene: Scene12) -> float:
    """Return processor seconds from the file's bytes to boxes, decoded straight to pieces."""
    began = time.process_time()
    rgb_fire.look(model, _encoded(scene))
    return time.process_time() - began


def _encoded(scene: Scene12) -> Encoded:
    picture = encoded.opened(scene.path.read_bytes())
    assert picture is not None  # it is large and a colour JPEG
    return picture


_STATUS = Path("/proc/self/status")
_DECODED = """
import re, sys, time
import pyvips
from pathlib import Path
from vision.frame import load
from vision.tiling import tiles

def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

load(Path(sys.argv[2]), whole=sys.argv[1] == "whole")  # what is loaded once counts not
was, began = peak_mb(), time.process_time()
frame = load(Path(sys.argv[3]), whole=sys.argv[1] == "whole")
if frame.encoded:
    cuts = tiles(frame.encoded.width_px, frame.encoded.height_px)
    assert all(pixels.size for _, pixels in frame.encoded.pieces(cuts))
print(peak_mb() - was, (time.process_time() - began) * 1e3)
"""


def _decoding(folder: Path, scene: Scene12) -> Iterator[Row]:
    """Yield what decoding whole and straight to pieces takes, each in a process of its own."""
    if not _STATUS.is_file():
        yield skipped("tiles.decode", f"a process's peak of memory is read from {_STATUS}, which is not here")
        return
    first, larger = folder / "first.jpg", folder / "48.jpg"
    cv2.imwrite(str(first), np.zeros((16, 16, 3), np.uint8))
    cv2.imwrite(str(larger), cv2.resize(scene.pixels, (2 * WIDTH_PX, 2 * HEIGHT_PX))[..., ::-1], _QUALITY)
    for size, path in (("12", scene.path), ("48", larger)):
        for how in ("whole", "straight"):
            command = [sys.executable, "-c", _DECODED, how, str(first), str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peak_mb, cpu_ms = (float(value) for value in done.stdout.split())
            yield measured(f"tiles.decode_{how}_{size}_mb", peak_mb, unit="MB", clock="none")
            yield measured(f"tiles.decode_{how}_{size}_ms", cpu_ms, unit="ms", clock="cpu")


def _peer(job: Job, pictures: Sequence[Path]) -> list[float]:
    """Return the peer's processor seconds; its first picture is run twice, the first time counts not."""
    command = [sys.executable, "-m", "vision.train.peer_tiles", str(runtime.SHIPPED)]
    names = [str(path) for path in (pictures[0], *pictures)]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    job.raw.write("tiles.peer", *lines)
    return [line["cpu_s"] for line in lines[1:]]


def _all_slices(model: Model, pixels: Rgb) -> Candidates:
    """Return what a model finds on slices as SAHI cuts them."""
    height, width = pixels.shape[:2]
    lefts, tops = (
        sorted({min(at, side - SIDE_PX) for at in range(0, side, _PEER_STRIDE_PX)})
        for side in (width, height)
    )
    cuts = [Tile(x, y, x + SIDE_PX, y + SIDE_PX) for y in tops for x in lefts]
    return rgb_fire.look_at(model, pixels, cuts)


def found_of(answer: Candidates, truth: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return for each pasted object whether a box of its class covers it well enough."""
    hits = np.zeros(len(truth), bool)
    for i, (*box, kind) in enumerate(truth):
        mine = answer.boxes[answer.kinds == int(kind)]
        sides = np.minimum(box[2:4], mine[:, 2:]) - np.maximum(box[:2], mine[:, :2])
        shared = sides.clip(0).prod(1)
        area = (box[2] - box[0]) * (box[3] - box[1])
        whole = area + (mine[:, 2:] - mine[:, :2]).prod(1) - shared
        hits[i] = bool((shared / np.maximum(whole, 1e-6) >= _MATCH).any())
    return hits


def _scenes(folder: Path, count: int) -> list[Scene12]:
    rng = np.random.default_rng(12)
    photos = sorted((DATA / "geotagged" / "brighton_dji_p3").glob("*.JPG"))
    grounds = [cv2.resize(labelled.load_rgb(path), (WIDTH_PX, HEIGHT_PX)) for path in photos]
    pieces = _pieces(rng)
    scenes = []
    for i in range(count):
        turned = np.rot90(grounds[i % len(grounds)], 2 * (i // len(grounds) % 2))
        pixels = np.array(turned, np.uint8)
        truth = _pasted(pixels, pieces, rng)
        path = folder / f"scene{i}.jpg"
        cv2.imwrite(str(path), pixels[..., ::-1], _QUALITY)
        scenes.append(Scene12(path, labelled.load_rgb(path), truth))
    return scenes


def _pieces(rng: np.random.Generator) -> list[tuple[Rgb, int]]:
    """Return flames and plumes cut out of labelled pictures, each with its class."""
    pictures = [p for p in labelled.read(DATA / "fire") if p.boxes is not None and len(p.boxes)]
    found: list[tuple[Rgb, int]] = []
    for index in rng.permutation(len(pictures))[: 4 * _OBJECTS]:
        picture = pictures[int(index)]
        assert picture.boxes is not None
        pixels = labelled.load_rgb(picture.path)
        height, width = pixels.shape[:2]
        kind, x, y, wide, high = picture.boxes[int(rng.integers(len(picture.boxes)))]
        left, top = max(0, round((x - wide * 0.75) * width)), max(0, round((y - high * 0.75) * height))
        right, bottom = round((x + wide * 0.75) * width), round((y + high * 0.75) * height)
        piece = pixels[top:bottom, left:right]
        if min(piece.shape[:2]) >= 24:
            found.append((piece, int(kind)))
    return found


def _pasted(
    pixels: Rgb, pieces: Sequence[tuple[Rgb, int]], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Paste pieces into a picture, none over another, and return their boxes without the margin."""
    taken = np.zeros(pixels.shape[:2], bool)
    truth = []
    for index in rng.permutation(len(pieces)):
        piece, kind = pieces[int(index)]
        scale = rng.uniform(*_OBJECT_PX) / max(piece.shape[:2])
        wide, high = max(8, round(piece.shape[1] * scale)), max(8, round(piece.shape[0] * scale))
        left, top = int(rng.integers(WIDTH_PX - wide)), int(rng.integers(HEIGHT_PX - high))
        if taken[max(0, top - 80) : top + high + 80, max(0, left - 80) : left + wide + 80].any():
            continue
        pixels[top : top + high, left : left + wide] = cv2.resize(piece, (wide, high))
        taken[top : top + high, left : left + wide] = True
        across, down = wide / 6, high / 6
        truth.append((left + across, top + down, left + wide - across, top + high - down, kind))
        if len(truth) == _OBJECTS:
            break
    return np.array(truth, np.float32)
