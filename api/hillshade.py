"""The site's ground as a shaded picture: the map's background, made here, so no map server is needed."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image

from missions.geo import WGS84, Floats
from missions.terrain import Terrain

LONGEST_PX = 900
SUN_FROM_DEG, SUN_ABOVE_DEG = 315.0, 45.0  # what map readers expect: lit from the upper left


@lru_cache(maxsize=1)
def hillshade_png(terrain: Terrain) -> bytes:
    """Return a grey PNG over the terrain's bounds, rows of equal latitude, clear where there is no height."""
    west, south, east, north = terrain.bounds
    middle = (south + north) / 2
    width_m = WGS84.inv(west, middle, east, middle)[2]
    height_m = WGS84.inv(west, south, west, north)[2]
    pixel_m = max(width_m, height_m) / LONGEST_PX
    columns, rows = max(2, round(width_m / pixel_m)), max(2, round(height_m / pixel_m))
    lon = west + (np.arange(columns) + 0.5) * (east - west) / columns
    lat = north - (np.arange(rows) + 0.5) * (north - south) / rows
    heights_m = terrain.elevation_m(lat[:, None], lon[None, :])
    grey = np.nan_to_num(40.0 + 215.0 * shade(heights_m, pixel_m=pixel_m)).astype(np.uint8)
    clear = np.where(np.isnan(heights_m), 0, 255).astype(np.uint8)
    picture = io.BytesIO()
    Image.fromarray(np.dstack([grey, clear]), "LA").save(picture, "PNG", optimize=True)
    return picture.getvalue()


def shade(heights_m: Floats, *, pixel_m: float) -> Floats:
    """Return how brightly the sun lights each cell, 0 to 1; rows run south, columns east."""
    southward, eastward = np.gradient(heights_m, pixel_m)
    azimuth, above = np.radians(SUN_FROM_DEG), np.radians(SUN_ABOVE_DEG)
    # The ground's normal is (-dz/de, -dz/dn, 1); north is against the rows.
    lit = np.cos(above) * (-np.sin(azimuth) * eastward + np.cos(azimuth) * southward) + np.sin(above)
    return np.asarray(np.clip(lit / np.sqrt(1.0 + eastward**2 + southward**2), 0.0, 1.0))
