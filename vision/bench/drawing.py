"""A footprint as a picture: the elevation model in grey relief, the camera, and the ground it shows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from missions.geo import LatLon, LocalFrame
from missions.terrain import Terrain

_MARGIN = 0.35
_LEAST_M = 60.0
_PIXELS = 240


def draw_footprint(
    terrain: Terrain, camera: LatLon, ring: Sequence[LatLon], path: Path, *, title: str
) -> None:
    """Write a PNG of the ground that a picture shows, in metres around its camera."""
    frame = LocalFrame(camera)
    east, north = frame.east_north([p.lat_deg for p in ring], [p.lon_deg for p in ring])
    low = np.array([min(east.min(), 0.0), min(north.min(), 0.0)])
    high = np.array([max(east.max(), 0.0), max(north.max(), 0.0)])
    half = max(float((high - low).max()) * (0.5 + _MARGIN), _LEAST_M)
    middle = (low + high) / 2
    xs = np.linspace(middle[0] - half, middle[0] + half, _PIXELS)
    ys = np.linspace(middle[1] - half, middle[1] + half, _PIXELS)
    heights = terrain.elevation_m(*frame.lat_lon(*np.meshgrid(xs, ys)))
    figure = Figure(figsize=(6, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(
        _relief(heights, xs[1] - xs[0]), extent=(xs[0], xs[-1], ys[0], ys[-1]), origin="lower", cmap="gray"
    )
    if np.isfinite(heights).any() and np.nanmax(heights) - np.nanmin(heights) > 1.0:
        axes.contour(xs, ys, heights, levels=10, linewidths=0.5, colors="tab:brown")
    axes.fill(east, north, facecolor="tab:blue", alpha=0.25, edgecolor="tab:blue")
    axes.plot(0.0, 0.0, "o", color="tab:red", label="camera")
    axes.set(title=title, xlabel="metres east", ylabel="metres north", aspect="equal")
    axes.legend(loc="upper right")
    figure.savefig(path, dpi=110)


def _relief(
    heights: np.ndarray[tuple[int, ...], np.dtype[np.float64]], step_m: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the light from the north-west on the ground, 0 to 1."""
    north, east = np.gradient(heights, step_m)
    return np.asarray(0.5 + 0.5 * (east - north) / np.sqrt(2 * (1 + east**2 + north**2)))
