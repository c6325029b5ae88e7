"""Pictures for people: what was found, boxed or outlined and worded on the frame itself."""

from dataclasses import dataclass
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
Floats = npt.NDArray[np.floating[Any]]

_COLOURS_BGR = {Hazard.FIRE: (60, 60, 255), Hazard.HOT_SPOT: (0, 200, 255)}
_OTHER_BGR = (255, 160, 0)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_WIDEST_PX, _NARROWEST_PX, _TALLEST_PX = 1600, 1200, 6400
_FONT, _FONT_SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.65
_SCALE_PX = 64
# The ground takes this share of the colours however hot the fire is; what is hotter shares the rest.
_GROUND_SHARE = 0.6
_LENS_SHARE, _LENS_PX = 0.26, 48


@dataclass(frozen=True, slots=True)
class _Scale:
    """Which colour is how hot: straight from `low_c` to `knee_c` over the ground, squeezed above."""

    low_c: float
    knee_c: float
    high_c: float

    @classmethod
    def of(cls, celsius: Floats) -> "_Scale":
        real = celsius[np.isfinite(celsius)]
        real = real if real.size else np.zeros(1)
        low, knee, high = float(np.percentile(real, 1)), float(np.percentile(real, 99)), float(real.max())
        knee = max(knee, low + 5.0)
        return cls(low, knee, max(high, knee + 5.0))

    def share(self, celsius: Floats) -> Floats:
        """Return 0 to 1 along the colours; what is not a number counts as coldest."""
        warm = np.clip((celsius - self.low_c) / (self.knee_c - self.low_c), 0.0, 1.0)
        hot = np.sqrt(np.clip((celsius - self.knee_c) / (self.high_c - self.knee_c), 0.0, 1.0))
        return np.asarray(np.nan_to_num(_GROUND_SHARE * warm + (1 - _GROUND_SHARE) * hot))

    def celsius_at(self, share: float) -> float:
        """Return the temperature of a colour."""
        if share <= _GROUND_SHARE:
            return self.low_c + (self.knee_c - self.low_c) * share / _GROUND_SHARE
        squeezed = (share - _GROUND_SHARE) / (1 - _GROUND_SHARE)
        return self.knee_c + (self.high_c - self.knee_c) * squeezed**2


def marked(path: str | Path, result: "FrameResult", *, quality: int = 88) -> bytes:
    """Return a JPEG of a frame with every detection marked, and for °C frames the colour scale.

    Raises:
        Unreadable: the file is no picture any more.
    """
    frame = load(Path(path))
    picture, scale = _drawn(frame)
    picture, factor = _fitted(picture)
    plain = picture.copy()
    for detection in result.detections:
        _mark(picture, detection, factor)
    if result.detections:
        _magnify(picture, plain, max(result.detections, key=lambda d: d.confidence), factor)
    if scale and picture.shape[0] > 2 * _SCALE_PX:
        picture = _with_scale(picture, scale)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise Unreadable("the marked picture could not be written as JPEG")
    return bytes(data)


def drawn(frame: Frame) -> Picture:
    """Return a frame as blue, green, red, temperatures in the colours of its own scale."""
    return _drawn(frame)[0]


def _drawn(frame: Frame) -> tuple[Picture, _Scale | None]:
    """Return the frame as blue, green, red, and the scale of its colours where it has temperatures."""
    if frame.celsius is None:
        pixels = frame.pixels if frame.pixels is not None else np.zeros((1, 1), np.uint8)
        grey = pixels.ndim == 2
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR if grey else cv2.COLOR_RGB2BGR)), None
    scale = _Scale.of(frame.celsius)
    shares = (scale.share(frame.celsius) * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(shares, cv2.COLORMAP_INFERNO)), scale


def _fitted(picture: Picture) -> tuple[Picture, float]:
    """Return the picture at a size for reading, and the factor."""
    height, width = picture.shape[:2]
    factor = _WIDEST_PX / width if width > _WIDEST_PX else float(max(1, round(_NARROWEST_PX / width)))
    factor = min(factor, _TALLEST_PX / height)
    if factor == 1.0:
        return picture.copy(), factor
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    return np.asarray(cv2.resize(picture, size, interpolation=how)), factor


def _mark(picture: Picture, detection: Detection, factor: float) -> None:
    """Draw one detection's box, or the outline of a large one, and words into the picture."""
    colour = _COLOURS_BGR.get(detection.hazard, _OTHER_BGR)
    box = detection.box
    left, top = int(box.left_px * factor) - 3, int(box.top_px * factor) - 3
    right, bottom = int(box.right_px * factor) + 2, int(box.bottom_px * factor) + 2
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if len(detection.outline_px) >= 3 and min(right - left, bottom - top) > _LENS_PX:
        corners = np.rint(np.array(detection.outline_px) * factor)
    for tone, width in ((_BLACK, 4), (colour, 2)):
        cv2.polylines(picture, [corners.astype(np.int32)], isClosed=True, color=tone, thickness=width)
    words = detection.hazard.value.replace("_", " ")
    if detection.temp_max_c is not None:
        words += f" {'>=' if detection.saturated else ''}{detection.temp_max_c:.0f} C"
    _write(picture, words, (left, top - 5), colour)


def _write(picture: Picture, words: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Write words near a point, moved inside the picture."""
    (width, height), _ = cv2.getTextSize(words, _FONT, _FONT_SIZE, 1)
    x = min(max(at[0], 2), max(picture.shape[1] - width - 2, 2))
    y = min(max(at[1], height + 2), picture.shape[0] - 3)
    cv2.putText(picture, words, (x, y), _FONT, _FONT_SIZE, _BLACK, 4, cv2.LINE_AA)
    cv2.putText(picture, words, (x, y), _FONT, _FONT_SIZE, colour, 1, cv2.LINE_AA)


def _magnify(picture: Picture, plain: Picture, detection: Detection, factor: float) -> None:
    """Show the surroundings of a small detection enlarged, in the corner farthest from it."""
    box, (height, width) = detection.box, picture.shape[:2]
    side = int(width * _LENS_SHARE)
    reach = round(
        max(_LENS_PX, 1.5 * (box.right_px - box.left_px), 1.5 * (box.bottom_px - box.top_px)) * factor
    )
    if reach * 1.5 > side or side + 16 > height:
        return  # large enough to be seen as it is, or no room
    x, y = (v * factor for v in box.middle_px)
    left = int(np.clip(x - reach / 2, 0, width - reach))
    top = int(np.clip(y - reach / 2, 0, height - reach))
    seen = plain[top : top + reach, left : left + reach]
    lens = cv2.resize(seen, (side, side), interpolation=cv2.INTER_NEAREST)
    to_left, to_top = (width - side - 8 if x < width / 2 else 8), (height - side - 8 if y < height / 2 else 8)
    picture[to_top : to_top + side, to_left : to_left + side] = lens
    corners = (to_left, to_top), (to_left + side, to_top + side)
    cv2.rectangle(picture, *corners, _BLACK, 5)
    cv2.rectangle(picture, *corners, _COLOURS_BGR.get(detection.hazard, _OTHER_BGR), 2)
    _write(picture, f"x{side / reach:.1f}", (to_left + 6, to_top + side - 8), _WHITE)


def _with_scale(picture: Picture, scale: _Scale) -> Picture:
    """Return the picture with a bar at its right that tells which colour is how hot."""
    height = picture.shape[0]
    bar: Any = np.zeros((height, _SCALE_PX, 3), np.uint8)
    ramp = np.linspace(255, 0, height - 60).astype(np.uint8)[:, None].repeat(16, axis=1)
    bar[30 : height - 30, 4:20] = cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)
    for share in (0.0, 0.3, _GROUND_SHARE, 0.8, 1.0):
        y = round(30 + (1 - share) * (height - 61))
        text = f"{scale.celsius_at(share):.0f}"
        cv2.putText(bar, text, (24, y + 5), _FONT, 0.5, _WHITE, 1, cv2.LINE_AA)
    cv2.putText(bar, "deg C", (6, 18), _FONT, 0.45, _WHITE, 1, cv2.LINE_AA)
    return np.asarray(np.hstack([picture, bar]))
