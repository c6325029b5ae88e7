"""A large colour JPEG, decoded where somebody looks: rows as pieces are asked for, and once, shrunk.

Decoded whole, 48 megapixels are 144 MB, and half a gigabyte while Pillow decodes them. Who cuts a picture
into pieces needs one row of pieces at a time: libvips decodes a JPEG from above to below and stops after the
last row asked for. The shrunk picture comes out of the file itself (a JPEG decodes to a half, a quarter or an
eighth at a fraction of the price), and reading it tells at once whether the file ends early.

No picture is turned as its EXIF says: pixels lie as the camera's geometry has them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from vision.errors import Unreadable
from vision.tiling import Tile

if TYPE_CHECKING:
    import pyvips

Rgb = npt.NDArray[np.uint8]

LEAST_PX = 8_000_000
"""From this size on memory matters; below, a picture is decoded whole."""

SMALL_PX = 800
"""A shrunk picture's longer side is at least this, so that a look at the whole shrinks it further."""

_STRIP_PX = 128
"""Rows are decoded so many at a time: a whole number of JPEG blocks, and no more is held twice."""

_JPEG = b"\xff\xd8"


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A JPEG's bytes, its size in pixels, and the picture at a half to an eighth of that."""

    data: bytes = field(repr=False)
    width_px: int
    height_px: int
    small: Rgb = field(repr=False)

    def pieces(self, cuts: Sequence[Tile]) -> Iterator[tuple[Tile, Rgb]]:
        """Yield pieces with their pixels, from above to below; no row is decoded twice, none below the last.

        Raises:
            Unreadable: libvips does not get through what Pillow did.
        """
        rows = _Rows(self.data, self.width_px, self.height_px)
        for cut in sorted(cuts, key=lambda one: (one.top_px, one.left_px)):
            yield cut, rows.between(cut.top_px, cut.bottom_px)[:, cut.left_px : cut.right_px]


def opened(data: bytes) -> Encoded | None:
    """Return a large colour JPEG with its shrunk picture, None for every other picture.

    Raises what Pillow raises for a damaged file.
    """
    if not data.startswith(_JPEG):
        return None
    with Image.open(BytesIO(data)) as image:
        width, height = image.size
        if image.mode != "RGB" or width * height < LEAST_PX:
            return None
        image.draft("RGB", _at_least(width, height))
        image.load()
        return Encoded(data, width, height, np.asarray(image))


def _at_least(width: int, height: int) -> tuple[int, int]:
    """Return the size that a shrunk picture must not fall below."""
    share = min(1.0, SMALL_PX / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


class _Rows:
    """A JPEG's rows from above to below, those kept that the next may want again."""

    def __init__(self, data: bytes, width_px: int, height_px: int) -> None:
        self._image = _image(data)
        self._height_px = height_px
        self._top, self._band = 0, np.empty((0, width_px, 3), np.uint8)

    def between(self, top: int, bottom: int) -> Rgb:
        """Return the rows from one to before another; neither may lie above what was asked for before."""
        read = self._top + len(self._band)
        if bottom > read:
            begin = max(read, top // _STRIP_PX * _STRIP_PX)
            end = min(-(-bottom // _STRIP_PX) * _STRIP_PX, self._height_px)
            first = min(begin, max(top, self._top))
            kept = self._band[first - self._top :]
            self._band = np.concatenate([kept, *self._strips(begin, end)])
            self._top = first
        return self._band[top - self._top : bottom - self._top]

    def _strips(self, begin: int, end: int) -> Iterator[Rgb]:
        import pyvips

        try:
            for top in range(begin, end, _STRIP_PX):
                high = min(_STRIP_PX, end - top)
                yield self._image.crop(0, top, self._image.width, high).numpy()
        except pyvips.Error as error:
            raise Unreadable(f"the picture is damaged: {error}") from None


def _image(data: bytes) -> "pyvips.Image":
    """Return a JPEG as libvips reads it: from above to below, on the thread that asks.

    libvips is loaded with the first large picture: starting the program takes no longer for it.

    Raises:
        Unreadable: it cannot.
    """
    import pyvips

    try:
        image = pyvips.Image.new_from_buffer(data, "", access="sequential").copy()
    except pyvips.Error as error:
        raise Unreadable(f"the picture cannot be decoded in rows: {error}") from None
    image.set_type(pyvips.GValue.gint_type, "concurrency", 1)
    return image
