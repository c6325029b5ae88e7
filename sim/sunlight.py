"""Where the sun falls: on slopes and crowns, and the shadows of trees and houses on level ground."""

import math

import cv2
import numpy as np

from missions.geo import Floats
from sim.landscape import House
from sim.sky import Sky
from sim.textures import NO_TREE, Crowns, Pixels, slopes

LONGEST_SHADOW_M = 60.0


def slope_sun(heights_m: Floats, step_m: float, sky: Sky) -> Pixels:
    """Return the cosine between the beam and each slope, row 0 in the north, 0 in its own shade."""
    north_up = np.flipud(heights_m).astype(np.float32)
    down, right = np.gradient(cv2.GaussianBlur(north_up, (0, 0), 0.7), step_m)
    return _facing(np.asarray(right), np.asarray(down), sky)


def crown_sun(wood: Crowns, step_m: float, sky: Sky) -> Pixels:
    return _facing(*slopes(wood.height_m, step_m), sky)


def shadow_lots(wood: Crowns, step_m: float, sky: Sky) -> Pixels:
    """Return for each pixel the smallest lot among the crowns whose shadow falls on it."""
    lots = np.full(wood.lot.shape, NO_TREE, np.float32)
    if sky.sun_elevation_deg < 3:
        return lots
    reach_m = min(10.0 / math.tan(math.radians(sky.sun_elevation_deg)), 25.0)
    azimuth = math.radians(sky.sun_azimuth_deg)
    for share in np.linspace(0.25, 1.0, max(int(reach_m / 1.5), 3)):
        right = round(-math.sin(azimuth) * reach_m * share / step_m)
        down = round(math.cos(azimuth) * reach_m * share / step_m)
        np.minimum(lots, np.roll(wood.lot, (down, right), (0, 1)), out=lots)
    return lots


def house_shadow(house: House, sky: Sky) -> Floats:
    """Return the points whose hull is a house's footprint and its shadow on level ground."""
    walls = house.corners()
    azimuth = math.radians(sky.sun_azimuth_deg)
    height = (house.eaves_m + house.ridge_m) / 2
    reach = min(height / math.tan(math.radians(sky.sun_elevation_deg)), LONGEST_SHADOW_M)
    return np.vstack([walls, walls - np.array([math.sin(azimuth), math.cos(azimuth)]) * reach])


def _facing(right: Pixels, down: Pixels, sky: Sky) -> Pixels:
    """Return the cosine between the beam and a surface that rises so to the right and downwards."""
    east, north, up = sky.to_sun
    facing = (-right * east + down * north + up) / np.sqrt(1 + right**2 + down**2)
    return np.asarray(np.clip(facing, 0, 1), np.float32)
