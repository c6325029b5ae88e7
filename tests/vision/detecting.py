"""A detector whose answers are known: `data/tiny_detector.onnx` with a card, and pictures for it."""

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

TINY = Path(__file__).parent / "data" / "tiny_detector.onnx"
GREEN, FLAME, PALE = (40, 90, 40), (250, 120, 20), (225, 225, 225)


def tiny_model(folder: Path, **changes: object) -> Path:
    """Return a copy of the tiny detector with its card; `changes` replace what the card says."""
    path = folder / "tiny.onnx"
    shutil.copy(TINY, path)
    half = {"fire": 0.5, "smoke": 0.5}
    card = {
        "name": "tiny",
        "version": "7",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "classes": ["fire", "smoke"],
        "picture": half,
        "box": half,
        "longest_px": 512,
    }
    path.with_suffix(".json").write_text(json.dumps(card | changes), "utf-8")
    return path


def meadow(width: int = 512, height: int = 384) -> np.ndarray:
    """Return a green picture."""
    return np.full((height, width, 3), GREEN, np.uint8)


def painted(
    picture: np.ndarray, left: int, top: int, size: int, colour: tuple[int, int, int] = FLAME
) -> np.ndarray:
    """Return the picture with a square in it."""
    changed = picture.copy()
    changed[top : top + size, left : left + size] = colour
    return changed


def write(path: Path, picture: np.ndarray) -> Path:
    """Write an RGB picture as PNG and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])
    return path
