"""plan.png: the site in relief with its docks, line, river, village, demands, and the sorties on it."""

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from shapely.geometry import Polygon

from missions.export.colours import sortie_colour
from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.model import Plan, Site, Sortie
from missions.terrain import Terrain
from missions.words import named

WIDTH_IN, MARGIN_IN, TITLE_IN, LEGEND_ROW_IN = 11.0, 0.1, 0.45, 0.2
DPI = 150
AROUND_M = 150.0
CHINESE = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "Microsoft YaHei", "PingFang SC")
WHITE_EDGE = [withStroke(linewidth=2.5, foreground="white")]

RIVER, LINE, FOREST, VILLAGE, NO_FLY, DEMAND, NO_PHOTO, OBSTACLE = (
    "#3182bd", "#444444", "#3f8f4f", "#b08968", "#c1121f", "#1d3557", "#6a4c93", "#111111"
)  # fmt: skip


def write(plan: Plan, site: Site, terrain: Terrain, path: Path, *, language: str = "en-US") -> None:
    """Write the picture of a plan, north up, names in the language wanted."""
    frame = LocalFrame(site.origin)
    left, bottom, right, top = _extent(plan, site, frame)
    map_in = (WIDTH_IN - 2 * MARGIN_IN) * (top - bottom) / (right - left)
    legend_in = LEGEND_ROW_IN * max(5, len(plan.sorties)) + 0.3
    height_in = TITLE_IN + map_in + legend_in
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI)
    FigureCanvasAgg(figure)
    with mpl.rc_context({"font.family": _fonts(), "font.size": 8}):
        axes = figure.add_axes(
            (
                MARGIN_IN / WIDTH_IN,
                legend_in / height_in,
                1 - 2 * MARGIN_IN / WIDTH_IN,
                map_in / height_in,
            )
        )
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
        _draw_relief(axes, terrain, frame)
        _draw_site(axes, site, frame, language)
        for number, sortie in enumerate(plan.sorties):
            _draw_sortie(axes, sortie, frame, sortie_colour(number))
        _draw_docks(axes, site, frame, language)
        _draw_scale(axes)
        _draw_legend(figure, plan)
        figure.suptitle(
            f"{named(site.name, language)}: {len(plan.sorties)} shared sorties, "
            f"{plan.flight_s / 60:.0f} min, {sum(len(s.shots) for s in plan.sorties)} looks",
            y=1 - 0.12 / height_in,
            fontsize=12,
            fontweight="bold",
        )
        figure.savefig(path)


def _fonts() -> list[str]:
    """Return the fonts to write with: one that has Chinese where the machine has one."""
    have = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CHINESE if name in have] + ["DejaVu Sans"]


def _extent(plan: Plan, site: Site, frame: LocalFrame) -> tuple[float, float, float, float]:
    places = [d.place for d in site.docks] + [w.place for s in plan.sorties for w in s.waypoints]
    for demand in site.demands:
        places += _places(demand.where)
    x, y = frame.east_north([p.lat_deg for p in places], [p.lon_deg for p in places])
    return (
        float(x.min()) - AROUND_M,
        float(y.min()) - AROUND_M,
        float(x.max()) + AROUND_M,
        float(y.max()) + AROUND_M,
    )


def _places(where: LatLon | Corridor | Area) -> tuple[LatLon, ...]:
    if isinstance(where, Corridor):
        return where.line
    return where.outer if isinstance(where, Area) else (where,)


def _draw_relief(axes: Axes, terrain: Terrain, frame: LocalFrame) -> None:
    """Draw shaded heights, light from the north-west as on printed maps, with contour lines."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    step = max(terrain.resolution_m / 2, (right - left) / 1000)
    x, y = np.meshgrid(np.arange(left, right + step, step), np.arange(bottom, top + step, step))
    heights = terrain.elevation_m(*frame.lat_lon(x, y))
    filled = np.where(np.isnan(heights), np.nanmin(heights), heights)
    light = LightSource(azdeg=315, altdeg=40).hillshade(filled, vert_exag=2.5, dx=step, dy=step)
    tint = mpl.colormaps["gist_earth"](0.42 + 0.4 * _share(filled))[..., :3]
    shaded = 0.45 + 0.55 * tint * (0.3 + 0.7 * light[..., None])
    shaded[np.isnan(heights)] = 0.93
    axes.imshow(shaded, extent=(left, x[0, -1], bottom, y[-1, 0]), origin="lower", interpolation="bilinear")
    axes.contour(x, y, heights, levels=_levels(heights), colors="#6b5b45", linewidths=0.3, alpha=0.5)


def _share(heights: Floats) -> Floats:
    return np.asarray((heights - heights.min()) / max(float(np.ptp(heights)), 1.0))


def _levels(heights: Floats) -> Floats:
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    step = _round_number((high - low) / 10)
    return np.arange(math.ceil(low / step) * step, high + step, step)


def _round_number(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is no more than the value."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-3)))
    return next(k * power for k in (5, 2, 1) if k * power <= value * 1.0001)


def _draw_site(axes: Axes, site: Site, frame: LocalFrame, language: str) -> None:
    for area in site.layers.compartments:
        _draw_area(axes, frame.polygon(area.area), facecolor=FOREST, alpha=0.22, zorder=2)
    for area in site.layers.villages:
        _draw_area(axes, frame.polygon(area.area), facecolor=VILLAGE, alpha=0.55, zorder=2)
    for demand in site.demands:
        if isinstance(demand.where, LatLon):
            axes.plot(*frame.to_local(demand.where), "x", color=DEMAND, ms=4, zorder=3)
            continue
        where = demand.where
        shape = (
            frame.polygon(where)
            if isinstance(where, Area)
            else frame.line(where.line).buffer(where.half_width_m, cap_style="flat")
        )
        _draw_area(
            axes, shape, facecolor="none", edgecolor=DEMAND, linestyle=(0, (4, 3)), linewidth=0.8, zorder=3
        )
    for river in site.layers.rivers:
        axes.plot(*frame.line(river.line).xy, color=RIVER, lw=5, solid_capstyle="round", zorder=3)
    for line in site.layers.lines:
        x, y = frame.line(tuple(place for _, place in line.towers)).xy
        axes.plot(x, y, color=LINE, lw=1.1, marker="s", ms=3, mfc="white", mew=0.9, zorder=4)
    for zone in site.no_fly:
        _draw_area(
            axes, frame.polygon(zone.area), facecolor="none", edgecolor=NO_FLY, hatch="////", linewidth=1.2,
            zorder=4,
        )  # fmt: skip
    for hidden in site.no_photo:
        _draw_area(
            axes, frame.polygon(hidden.area), facecolor="none", edgecolor=NO_PHOTO, hatch="....",
            linewidth=1.0, zorder=4,
        )  # fmt: skip
    for obstacle in site.obstacles:
        x, y = zip(*(frame.to_local(place) for place in obstacle.line), strict=True)
        axes.plot(x, y, color=OBSTACLE, lw=1.0, ls="--", marker="^", ms=5, mec="white", mew=0.5, zorder=5)
    for named_area in (*site.layers.compartments, *site.layers.villages):
        middle = frame.polygon(named_area.area).representative_point()
        # Below the middle, where a dock or a track is less likely to run through it.
        _label(
            axes, middle.x, middle.y - 40, named(named_area.name, language), color="#26402b", style="italic"
        )
    for river in site.layers.rivers:
        middle = frame.line(river.line).interpolate(0.8, normalized=True)
        _label(axes, middle.x, middle.y - 45, named(river.name, language), color=RIVER, style="italic")
    for line in site.layers.lines:
        x_m, y_m = frame.to_local(line.towers[len(line.towers) * 3 // 4][1])
        _label(axes, x_m, y_m + 35, named(line.name, language), color=LINE, style="italic")


def _draw_area(axes: Axes, shape: Polygon, **style: Any) -> None:
    rings = [np.asarray(ring.coords) for ring in (shape.exterior, *shape.interiors)]
    outline = Outline.make_compound_path(*(Outline(ring[:, :2], closed=True) for ring in rings))
    axes.add_patch(PathPatch(outline, **({"edgecolor": "none"} | style)))


def _draw_sortie(axes: Axes, sortie: Sortie, frame: LocalFrame, colour: str) -> None:
    """Draw the track, an arrow now and then for its direction, a dot a look, and the number."""
    east, north = frame.east_north(
        [w.place.lat_deg for w in sortie.waypoints], [w.place.lon_deg for w in sortie.waypoints]
    )
    axes.plot(east, north, color="white", lw=2.2, alpha=0.5, zorder=5, solid_joinstyle="round")
    axes.plot(east, north, color=colour, lw=1.25, zorder=6, solid_joinstyle="round")
    shoots = np.array([w.shoots for w in sortie.waypoints])
    axes.plot(east[shoots], north[shoots], ".", color=colour, ms=3.6, mec="white", mew=0.3, zorder=7)
    for k in range(10, len(east) - 1, 25):
        if math.hypot(east[k + 1] - east[k], north[k + 1] - north[k]) > 15:
            axes.annotate(
                "",
                ((east[k] + east[k + 1]) / 2, (north[k] + north[k + 1]) / 2),
                (east[k], north[k]),
                arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.0, "mutation_scale": 9},
                zorder=7,
            )
    first = int(np.argmax(shoots))
    axes.annotate(
        sortie.id,
        (east[first], north[first]),
        color="white",
        fontsize=9,
        fontweight="bold",
        ha="center",
        va="center",
        bbox={"boxstyle": "circle,pad=0.25", "fc": colour, "ec": "white", "lw": 1.0},
        zorder=9,
    )


def _draw_docks(axes: Axes, site: Site, frame: LocalFrame, language: str) -> None:
    for dock in site.docks:
        x, y = frame.to_local(dock.place)
        axes.plot(x, y, marker="p", ms=13, color="#ffd60a", mec="black", mew=1.2, zorder=10)
        _label(axes, x, y + 55, named(dock.name, language), color="black", weight="bold", zorder=10)


def _label(axes: Axes, x: float, y: float, text: str, *, zorder: float = 8, **style: Any) -> None:
    axes.text(
        x, y, text, ha="center", va="center", path_effects=WHITE_EDGE, zorder=zorder, clip_on=True, **style
    )


def _draw_scale(axes: Axes) -> None:
    """Draw a scale bar lower right and an arrow to the north upper right."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    length, pad = _round_number((right - left) / 5), (right - left) * 0.02
    start, y = right - pad - length, bottom + pad
    for k in range(4):
        axes.plot(
            [start + length * k / 4, start + length * (k + 1) / 4], [y, y],
            color="black" if k % 2 == 0 else "white", lw=5, solid_capstyle="butt", zorder=11,
            path_effects=[withStroke(linewidth=6.5, foreground="black")],
        )  # fmt: skip
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    _label(axes, start + length / 2, y + pad * 0.9, text, color="black", weight="bold", zorder=11)
    axes.annotate(
        "N", (right - pad * 1.5, top - pad), (right - pad * 1.5, top - pad * 4),
        ha="center", va="center", fontweight="bold", fontsize=10, zorder=11, path_effects=WHITE_EDGE,
        arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.5},
    )  # fmt: skip


def _draw_legend(figure: Figure, plan: Plan) -> None:
    sorties = [
        Line2D(
            [], [], color=sortie_colour(k), lw=2, marker=".", mec="white",
            label=f"{s.id}  {s.flight_s / 60:.1f} min, {len(s.shots)} looks: {', '.join(s.agencies)}",
        )
        for k, s in enumerate(plan.sorties)
    ]  # fmt: skip
    ground = [
        Line2D([], [], marker="p", color="#ffd60a", mec="black", ls="", ms=9, label="dock"),
        Line2D([], [], color=DEMAND, ls=(0, (4, 3)), lw=1, label="demand"),
        Line2D([], [], color=LINE, marker="s", mfc="white", ms=4, label="power line and towers"),
        Line2D([], [], color=RIVER, lw=3, label="river"),
        Patch(facecolor=FOREST, alpha=0.4, label="forest compartment"),
        Patch(facecolor=VILLAGE, alpha=0.7, label="village"),
        Patch(facecolor="none", edgecolor=NO_FLY, hatch="////", label="no-fly zone"),
        Patch(facecolor="none", edgecolor=NO_PHOTO, hatch="....", label="no-photo ground"),
        Line2D([], [], color=OBSTACLE, ls="--", lw=1, marker="^", mec="white", ms=6, label="mast or wire"),
    ]
    figure.legend(handles=sorties, loc="lower left", bbox_to_anchor=(0.01, 0.005), frameon=False)
    figure.legend(handles=ground, loc="lower right", bbox_to_anchor=(0.99, 0.005), ncol=2, frameon=False)
