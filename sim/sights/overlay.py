"""Things laid over a rendered picture of the valley: warmth and colour as functions of ground metres.

The world's own cameras render ground, wood, water and buildings with their noise; a sight adds what it is
about, sharp to a pixel and then blurred as the lens blurs everything.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from sim.projection import View
from sim.radiance import radiance, temperature_c
from sim.relief import Relief
from sim.textures import Pixels

NODE_PX = 8
LENS_PX = 0.8

Bgr = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where each pixel of a picture meets the ground, metres east and north; coarse nodes are exact.

    `nodes_px` are the x and y of the nodes, one block beyond the picture on each side.
    """

    east_m: Floats
    north_m: Floats
    size: tuple[int, int]

    @classmethod
    def under(cls, view: View, relief: Relief) -> "Ground":
        """Return the ground under a picture that shows no sky."""
        width, height = view.camera.width_px, view.camera.height_px
        x, y = np.meshgrid(_nodes(width), _nodes(height))
        met = view.ground(relief, x, y)
        return cls(met[..., 0], met[..., 1], (width, height))

    def fine(self, at_nodes: Floats) -> Pixels:
        """Return values known at the nodes for every pixel."""
        width, height = self.size
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        step = np.float32(NODE_PX)
        return np.asarray(
            cv2.remap(
                at_nodes.astype(np.float32), (x + 0.5) / step + 1, (y + 0.5) / step + 1, cv2.INTER_LINEAR
            )
        )

    def metres(self) -> tuple[Pixels, Pixels]:
        """Return the metres east and north of every pixel, from the picture's middle, and lose no digits."""
        middle = self.middle_m
        return self.fine(self.east_m - middle[0]), self.fine(self.north_m - middle[1])

    @property
    def middle_m(self) -> tuple[float, float]:
        """The ground that the middle node sees."""
        row, column = self.east_m.shape[0] // 2, self.east_m.shape[1] // 2
        return float(self.east_m[row, column]), float(self.north_m[row, column])


def warmed(celsius: Pixels, more_k: Pixels) -> Pixels:
    """Return a thermal picture with so many kelvins more."""
    return np.asarray(celsius + cv2.GaussianBlur(more_k, (0, 0), LENS_PX), np.float32)


def heated(celsius: Pixels, temp_c: Pixels, share: Pixels) -> Pixels:
    """Return a thermal picture with hot things in it, mixed by radiance; `share` is how much of a pixel."""
    if not share.any():
        return celsius
    behind = radiance(np.asarray(celsius, float))
    more = (radiance(np.asarray(temp_c, float)) - behind) * share
    return np.asarray(temperature_c(behind + cv2.GaussianBlur(more, (0, 0), LENS_PX)), np.float32)


def tinted(picture: Bgr, colour: npt.ArrayLike, share: Pixels) -> Bgr:
    """Return a colour picture with a colour (blue, green, red; one or one a pixel) laid over by a share."""
    if not share.any():
        return picture
    cover = cv2.GaussianBlur(share, (0, 0), LENS_PX)[..., None]
    mixed = picture * (1 - cover) + np.asarray(colour, np.float32) * cover
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def along_across(east: Pixels, north: Pixels, heading_deg: float) -> tuple[Pixels, Pixels]:
    """Return metres along a heading and to the right of it."""
    sin, cos = (
        np.float32(math.sin(math.radians(heading_deg))),
        np.float32(math.cos(math.radians(heading_deg))),
    )
    along, across = east * sin + north * cos, east * cos - north * sin
    return np.asarray(along, np.float32), np.asarray(across, np.float32)


def _nodes(size: int) -> Floats:
    return np.asarray((np.arange(math.ceil(size / NODE_PX) + 3) - 1.0) * NODE_PX, float)
