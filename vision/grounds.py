"""Which elevation model lies under a picture, when models lie among the pictures."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from rasterio.fill import fillnodata
from scipy import ndimage

from missions.errors import InputWrong
from missions.geo import LatLon
from missions.terrain import Terrain
from vision.frame import is_elevation_model

MENDED_PX = 25
"""The largest hole, in pixels, that is filled."""

_ENDINGS = frozenset({".tif", ".tiff"})


class Grounds:
    """The elevation models at hand: the one given, and those beside the pictures, opened when needed."""

    def __init__(self, files: Sequence[Path], given: Terrain | None) -> None:
        self._given = mended(given) if given else None
        self._files = frozenset(files)
        self._models = lru_cache(maxsize=256)(_models)
        self._open = lru_cache(maxsize=16)(_opened)

    def under(self, picture: Path, place: LatLon | None) -> Terrain | None:
        """Return the model to lay a picture on, None when none covers its place.

        The one given comes first, where it covers the place; then, in the picture's folder, the one of the
        same name (with or without "-dem"), then the finest that covers the place.
        """
        if place is None or (self._given and _covers(self._given, place)):
            return self._given
        models = self._models(picture.parent)
        named = [m for m in models if m.stem in (picture.stem, f"{picture.stem}-dem")]
        for path in named:
            if (terrain := self._open(path)) and _covers(terrain, place):
                return terrain
        covering = [t for m in models if (t := self._open(m)) and _covers(t, place)]
        return min(covering, key=lambda t: t.resolution_m, default=None)

    def covers(self, picture: Path, place: LatLon) -> bool:
        """Return whether any model at hand has a height at a place."""
        found = self.under(picture, place)
        return found is not None and _covers(found, place)


def mended(terrain: Terrain) -> Terrain:
    """Return the model with its small holes filled; the name then says how many pixels that were.

    A hole of up to `MENDED_PX` pixels that the model surrounds gets heights between those on its rim,
    which on hills is right to a few metres. Larger ones and those at the edge stay holes: what lies in
    them is not known.
    """
    missing = np.isnan(terrain.heights_m)
    labels, count = ndimage.label(missing)
    if not count:
        return terrain
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    small = sizes <= MENDED_PX
    small[0] = False
    small[edge] = False
    holes = small[labels]
    if not holes.any():
        return terrain
    heights = np.nan_to_num(terrain.heights_m)
    filled = fillnodata(heights, mask=~missing, max_search_distance=MENDED_PX)
    source = f"{terrain.source} ({int(holes.sum())} pixels of holes filled from their rims)"
    return replace(terrain, source=source, heights_m=np.where(holes, filled, terrain.heights_m))


def _models(folder: Path) -> tuple[Path, ...]:
    candidates = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in _ENDINGS)
    return tuple(p for p in candidates if is_elevation_model(p))


def _opened(path: Path) -> Terrain | None:
    try:
        return mended(Terrain.open(path))
    except InputWrong:
        return None


def _covers(terrain: Terrain, place: LatLon) -> bool:
    return bool(terrain.elevation_m(place.lat_deg, place.lon_deg) > -1e4)
