"""What a thermal camera shows for one frame only, or wherever it looks: the sun in glass, a bad cell.

The sun's disc is 9 mrad across, a pixel of these cameras 1.3 mrad: where a pane, a car's roof or a puddle
mirrors it, the pixels that see it are at the camera's limit, and as the mirror's facets are small and uneven
only some are. A drone that flies on by 12 m at 120 m turns the angle by 6°, so the flash is gone in the next
frame. A bad cell (after a flash, or at a shutter's fault) reads hot at one place in the picture whatever it
looks at.
"""

import cv2
import numpy as np

from sim.textures import Pixels

FLASH_SHARE, BAD_SHARE = 0.25, 0.12
FLASH_C, BAD_C = (330.0, 500.0), (300.0, 480.0)
_BLUR_PX = 0.8


def flashes(scene: Pixels, rng: np.random.Generator, *, sun_deg: float) -> int:
    """Add to a frame the sun's flashes that it happens to show; return how many."""
    if sun_deg < 10.0 or rng.uniform() > FLASH_SHARE:
        return 0
    height, width = scene.shape
    many = int(rng.integers(1, 3))
    for _ in range(many):
        x, y = int(rng.integers(12, width - 12)), int(rng.integers(12, height - 12))
        patch = np.zeros((13, 13), np.float32)
        count = int(rng.integers(4, 12))
        patch[rng.integers(5, 8, count), rng.integers(5, 8, count)] = rng.uniform(*FLASH_C)
        _lighten(scene, patch, x, y)
    return many


def bad_cells(rng: np.random.Generator) -> Pixels | None:
    """Return a picture of the cells that read hot during one pass, None for most passes."""
    if rng.uniform() > BAD_SHARE:
        return None
    cells = np.zeros((512, 640), np.float32)
    x, y = int(rng.integers(40, 600)), int(rng.integers(40, 470))
    cells[y : y + 2, x : x + 2] = rng.uniform(*BAD_C)
    return cells


def _lighten(scene: Pixels, patch: Pixels, x: int, y: int) -> None:
    here = np.s_[y - 6 : y + 7, x - 6 : x + 7]
    blurred = np.asarray(cv2.GaussianBlur(patch, (0, 0), _BLUR_PX))
    scene[here] = np.maximum(scene[here], np.minimum(blurred * 1.6, 500.0))
