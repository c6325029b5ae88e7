"""The water segmenter at work: a colour picture in, how likely each pixel is water out.

The net sees the picture at `LONGEST_PX` along its longer side; water is large, and at that size one core
answers within a tenth of a second.
"""

from functools import lru_cache
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision import water
from vision.chart import Chart, Mask
from vision.detectors.runtime import onnx_session, unpacked

LONGEST_PX = 512
LIKELY = 0.5
"""From this likelihood on a pixel is water."""

MODEL = "water.onnx.xz"
_STEP_PX = 32

Shares = npt.NDArray[np.float32]


class WaterModel:
    """A session of the segmenter, one thread; made once a process by `shipped` or from a file."""

    def __init__(self, path: Path) -> None:
        self._session = onnx_session(unpacked(path, path.read_bytes()))
        self._input = self._session.get_inputs()[0].name

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> Shares:
        """Return the likelihood of water for every pixel of a picture of red, green and blue."""
        height, width = pixels.shape[:2]
        (logits,) = self._session.run(["logits"], {self._input: as_shown(pixels)})
        shares = 1.0 / (1.0 + np.exp(-np.clip(logits[0, 0], -30, 30)))
        return np.asarray(
            cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32
        )

    def cells(self, picture: npt.NDArray[np.uint8]) -> Shares:
        """Return what the encoder saw in each cell of 32 pixels, for other judgements to rest on.

        The picture's sides are whole cells: rows, columns, numbers come back.
        """
        given = picture.astype(np.float32).transpose(2, 0, 1)[None]
        (seen,) = self._session.run(["cells"], {self._input: given})
        return np.asarray(seen[0].transpose(1, 2, 0), np.float32)


def as_shown(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return a picture as the segmenter is shown it: 1 × 3 × height × width, 0 to 255."""
    height, width = pixels.shape[:2]
    scale = LONGEST_PX / max(height, width)
    size = tuple(max(round(n * scale / _STEP_PX), 1) * _STEP_PX for n in (width, height))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(pixels, size, interpolation=how).astype(np.float32).transpose(2, 0, 1)[None]


@lru_cache(maxsize=4)
def loaded(path: Path) -> WaterModel:
    """Return the segmenter of a file, read once a process."""
    return WaterModel(path)


def extent(chart: Chart, model: WaterModel | None = None) -> tuple[Mask, Shares | None]:
    """Return where a chart shows water, and how likely each pixel is: None where the index told it.

    Near infrared tells it where the chart has it, the segmenter where there is colour alone.
    """
    if chart.has("green", "nir"):
        return water.by_index(chart), None
    likely = (model or shipped())(chart.rgb)
    return (likely > LIKELY) & chart.known, likely


def shipped() -> WaterModel:
    """Return the segmenter that comes with the program."""
    return loaded(Path(str(resources.files("vision") / "models" / MODEL)))
