"""Which elevation model lies under a picture, when models lie among the pictures."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from missions.errors import InputWrong
from missions.geo import LatLon
from missions.terrain import Terrain
from vision.frame import is_elevation_model

_ENDINGS = frozenset({".tif", ".tiff"})


class Grounds:
    """The elevation models beside the pictures; each is opened when first needed."""

    def __init__(self, files: Sequence[Path], given: Terrain | None) -> None:
        self._given = given
        self._files = frozenset(files)
        self._models = lru_cache(maxsize=256)(_models)
        self._open = lru_cache(maxsize=16)(_opened)

    def under(self, picture: Path, place: LatLon | None) -> Terrain | None:
        """Return the model to lay a picture on, None when none covers its place.

        The one given comes first; then, in the picture's folder, the one of the
        same name (with or without "-dem"), then the finest that covers the place.
        """
        if self._given or place is None:
            return self._given
        models = self._models(picture.parent)
        named = [m for m in models if m.stem in (picture.stem, f"{picture.stem}-dem")]
        for path in named:
            if (terrain := self._open(path)) and _covers(terrain, place):
                return terrain
        covering = [t for m in models if (t := self._open(m)) and _covers(t, place)]
        return min(covering, key=lambda t: t.resolution_m, default=None)


def _models(folder: Path) -> tuple[Path, ...]:
    candidates = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in _ENDINGS)
    return tuple(p for p in candidates if is_elevation_model(p))


def _opened(path: Path) -> Terrain | None:
    try:
        return Terrain.open(path)
    except InputWrong:
        return None


def _covers(terrain: Terrain, place: LatLon) -> bool:
    return bool(terrain.elevation_m(place.lat_deg, place.lon_deg) > -1e4)
