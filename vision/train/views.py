"""Rounds of views with the trunk's features, computed once by ONNX Runtime and kept on disk.

The trunk is most of the work and is not learnt, so a round (every picture once, changed by
chance) is paid for once and learnt from several times. A round that was cut short goes on where it stopped.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.labelled import LabelledPicture
from vision.train.augment import HEIGHT_PX, WIDTH_PX, Boxes, View, plain, varied

FINE = (112, HEIGHT_PX // 16, WIDTH_PX // 16)
DEEP = (192, HEIGHT_PX // 32, WIDTH_PX // 32)
_PARTS = ("fine.f16", "deep.f16")
_BATCH = 8

Trunk = Callable[[npt.NDArray[np.uint8]], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
"""From pictures (n, height, width, 3) to features at strides 16 and 32, (n, *FINE) and (n, *DEEP)."""


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over the pictures: features in files that are mapped, truth in memory."""

    fine: npt.NDArray[np.float16]
    deep: npt.NDArray[np.float16]
    boxes: list[Boxes | None]
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.boxes)


def round_of(
    folder: Path,
    name: str,
    pictures: Sequence[LabelledPicture],
    trunk: Trunk,
    *,
    seed: int | None,
    told: Callable[[str], None],
) -> Round:
    """Return a round, made or finished if it is not there; without a seed no picture is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    files, truth = [folder / f"{name}.{part}" for part in _PARTS], folder / f"{name}.jsonl"
    is_begun = all(path.is_file() for path in (*files, truth))
    done = len(truth.read_text("utf-8").splitlines()) if is_begun else 0
    done = min(done, len(pictures)) // _BATCH * _BATCH if done < len(pictures) else len(pictures)
    parts = [
        np.memmap(path, np.float16, "r+" if done else "w+", shape=(len(pictures), *shape))
        for path, shape in zip(files, (FINE, DEEP), strict=True)
    ]
    lines = truth.read_text("utf-8").splitlines()[:done] if done else []
    for start in range(done, len(pictures), _BATCH):
        batch = [_view(pictures, i, seed) for i in range(start, min(start + _BATCH, len(pictures)))]
        for part, values in zip(parts, trunk(np.stack([view.pixels for view in batch])), strict=True):
            part[start : start + len(batch)] = values
        lines += [_line(view) for view in batch]
        if start // _BATCH % 32 == 31:
            _keep(parts, truth, lines)
            told(f"{name}: {len(lines)} of {len(pictures)} views")
    _keep(parts, truth, lines)
    return _read(parts[0], parts[1], lines)


def forget(folder: Path, name: str) -> None:
    """Remove a round from the disk."""
    for ending in (*_PARTS, "jsonl"):
        (folder / f"{name}.{ending}").unlink(missing_ok=True)


def _keep(parts: Sequence[np.memmap[Any, Any]], truth: Path, lines: Sequence[str]) -> None:
    """Write what is done so far, the features first."""
    for part in parts:
        part.flush()
    truth.write_text("\n".join(lines) + "\n", "utf-8")


def _view(pictures: Sequence[LabelledPicture], i: int, seed: int | None) -> View:
    if seed is None:
        return plain(pictures[i])
    rng = np.random.default_rng((seed, i))
    others = [pictures[int(k)] for k in rng.integers(len(pictures), size=3)]
    return varied(pictures[i], others, rng)


def _line(view: View) -> str:
    boxes = None if view.boxes is None else [[round(float(v), 1) for v in row] for row in view.boxes]
    return json.dumps({"labels": view.labels, "boxes": boxes})


def _read(fine: npt.NDArray[np.float16], deep: npt.NDArray[np.float16], lines: list[str]) -> Round:
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    boxes = [
        None if row["boxes"] is None else np.array(row["boxes"], np.float32).reshape(-1, 5) for row in rows
    ]
    return Round(fine, deep, boxes, np.array([row["labels"] for row in rows], np.int8))
