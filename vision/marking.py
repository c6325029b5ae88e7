"""Pictures for people: what was found, boxed and worded on the frame itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from missions.model import Hazard
from vision.errors import Unreadable
from vision.frame import Frame, load
from vision.model import Detection

if TYPE_CHECKING:
    from vision.inspection import FrameResult

Picture = npt.NDArray[np.uint8]

_COLOURS_BGR = {Hazard.FIRE: (60, 60, 255), Hazard.HOT_SPOT: (0, 200, 255)}
_OTHER_BGR = (255, 160, 0)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_WIDEST_PX, _NARROWEST_PX = 1600, 640
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SCALE_PX = 46


def marked(path: str | Path, result: "FrameResult", *, quality: int = 88) -> bytes:
    """Return a JPEG of a frame with every detection boxed, and for °C frames the colour scale.

    Raises:
        Unreadable: the file is no picture any more.
    """
    frame = load(Path(path))
    picture, scale = _drawn(frame)
    picture, factor = _fitted(picture)
    for detection in result.detections:
        _mark(picture, detection, factor)
    if scale:
        picture = _with_scale(picture, *scale)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise Unreadable("the marked picture could not be written as JPEG")
    return bytes(data)


def _drawn(frame: Frame) -> tuple[Picture, tuple[float, float] | None]:
    """Return the frame as blue, green, red, and the temperatures its colours run between."""
    if frame.celsius is None:
        pixels = frame.pixels if frame.pixels is not None else np.zeros((1, 1), np.uint8)
        grey = pixels.ndim == 2
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR if grey else cv2.COLOR_RGB2BGR)), None
    real = frame.celsius[np.isfinite(frame.celsius)]
    low, high = float(np.percentile(real, 1)), float(real.max())
    high = max(high, low + 5.0)
    # The square root keeps the ground's shape visible beside a flame.
    share = np.sqrt(np.clip((np.nan_to_num(frame.celsius, nan=low) - low) / (high - low), 0.0, 1.0))
    return np.asarray(cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)), (low, high)


def _fitted(picture: Picture) -> tuple[Picture, float]:
    """Return the picture at a size for reading, and the factor."""
    width = picture.shape[1]
    if width > _WIDEST_PX:
        factor = _WIDEST_PX / width
    else:
        factor = float(max(1, round(_NARROWEST_PX * 1.5 / width))) if width < _NARROWEST_PX else 1.0
    if factor == 1.0:
        return picture.copy(), factor
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)), factor


def _mark(picture: Picture, detection: Detection, factor: float) -> None:
    """Draw one detection's box and words into the picture."""
    colour = _COLOURS_BGR.get(detection.hazard, _OTHER_BGR)
    box = detection.box
    left, top = int(box.left_px * factor) - 3, int(box.top_px * factor) - 3
    right, bottom = int(box.right_px * factor) + 2, int(box.bottom_px * factor) + 2
    cv2.rectangle(picture, (left, top), (right, bottom), _BLACK, 3)
    cv2.rectangle(picture, (left, top), (right, bottom), colour, 1)
    words = detection.hazard.value.replace("_", " ")
    if detection.temp_max_c is not None:
        words += f" {'>=' if detection.saturated else ''}{detection.temp_max_c:.0f} C"
    _write(picture, words, (left, top - 5), colour)


def _write(picture: Picture, words: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Write words near a point, moved inside the picture."""
    (width, height), _ = cv2.getTextSize(words, _FONT, 0.45, 1)
    x = min(max(at[0], 2), max(picture.shape[1] - width - 2, 2))
    y = min(max(at[1], height + 2), picture.shape[0] - 3)
    cv2.putText(picture, words, (x, y), _FONT, 0.45, _BLACK, 3, cv2.LINE_AA)
    cv2.putText(picture, words, (x, y), _FONT, 0.45, colour, 1, cv2.LINE_AA)


def _with_scale(picture: Picture, low_c: float, high_c: float) -> Picture:
    """Return the picture with a bar at its right that tells which colour is how hot."""
    height = picture.shape[0]
    bar: Any = np.zeros((height, _SCALE_PX, 3), np.uint8)
    ramp = np.linspace(255, 0, height - 40).astype(np.uint8)[:, None].repeat(14, axis=1)
    bar[20 : height - 20, 6:20] = cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = round(20 + (1 - share) * (height - 41))
        text = f"{low_c + (high_c - low_c) * share**2:.0f}"
        cv2.putText(bar, text, (23, y + 4), _FONT, 0.33, _WHITE, 1, cv2.LINE_AA)
    cv2.putText(bar, "C", (10, 14), _FONT, 0.4, _WHITE, 1, cv2.LINE_AA)
    return np.asarray(np.hstack([picture, bar]))
