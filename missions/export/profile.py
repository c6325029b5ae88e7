"""S1-profile.png …: the height of a sortie along its way, the ground below it, and where it looks."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from missions.export.colours import sortie_colour
from missions.geo import Floats, distance_m
from missions.model import Plan, Sortie
from missions.terrain import Terrain

STEP_M = 10.0
WIDTH_IN, HEIGHT_IN, DPI = 10.0, 3.2, 120


@dataclass(frozen=True, slots=True)
class Profile:
    """Metres along the way, and at each the flown height and the ground's, above mean sea level."""

    along_m: Floats
    flown_m: Floats
    ground_m: Floats
    shots_m: Floats


def write(plan: Plan, terrain: Terrain, folder: Path) -> tuple[Path, ...]:
    """Write one picture for each sortie and return their paths."""
    paths = []
    for number, sortie in enumerate(plan.sorties):
        path = folder / f"{sortie.id}-profile.png"
        _draw(sortie, profile(sortie, terrain), sortie_colour(number), path)
        paths.append(path)
    return tuple(paths)


def profile(sortie: Sortie, terrain: Terrain) -> Profile:
    """Return the heights along a sortie, a point every ten metres or less."""
    lat_deg, lon_deg, flown_m, along_m, shots_m = [], [], [], [], []
    travelled_m = 0.0
    for here, there in pairwise(sortie.waypoints):
        length_m = distance_m(here.place, there.place)
        parts = np.linspace(0.0, 1.0, max(2, int(np.ceil(length_m / STEP_M)) + 1))
        lat_deg.append(here.place.lat_deg + parts * (there.place.lat_deg - here.place.lat_deg))
        lon_deg.append(here.place.lon_deg + parts * (there.place.lon_deg - here.place.lon_deg))
        flown_m.append(here.altitude.metres + parts * (there.altitude.metres - here.altitude.metres))
        along_m.append(travelled_m + parts * length_m)
        travelled_m += length_m
        if there.shoots:
            shots_m.append(travelled_m)
    ground_m = terrain.elevation_m(np.concatenate(lat_deg), np.concatenate(lon_deg))
    return Profile(np.concatenate(along_m), np.concatenate(flown_m), ground_m, np.array(shots_m))


def _draw(sortie: Sortie, heights: Profile, colour: str, path: Path) -> None:
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.07, 0.15, 0.915, 0.74))
    along_km = heights.along_m / 1000
    low_m = float(np.nanmin(heights.ground_m)) - 15
    axes.fill_between(along_km, low_m, heights.ground_m, color="#c9b79c", linewidth=0)
    axes.plot(along_km, heights.flown_m, color=colour, linewidth=1.4)
    at_shots = np.interp(heights.shots_m, heights.along_m, heights.flown_m)
    axes.plot(heights.shots_m / 1000, at_shots, ".", color=colour, markersize=3.5)
    axes.set(
        xlim=(0, along_km[-1]), ylim=(low_m, None), xlabel="km along the way", ylabel="m above mean sea level"
    )
    above_m = heights.flown_m - heights.ground_m
    axes.set_title(
        f"{sortie.id} from {sortie.dock}: {sortie.flight_s / 60:.1f} min, {along_km[-1]:.1f} km, "
        f"{len(sortie.shots)} looks, up to {np.nanmax(above_m):.0f} m above the ground",
        fontsize=10,
    )
    axes.grid(alpha=0.25)
    figure.savefig(path)
