"""One chart as a baseline: an agency's orthophoto, an aerial survey, a satellite scene."""

from dataclasses import dataclass
from pathlib import Path

from vision.baselines import Before, Missing
from vision.chart import Chart, Grid, read, warped

LEAST_SHARE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class ChartBaseline:
    """A chart that answers for the ground it shows."""

    chart: Chart

    @classmethod
    def open(cls, path: Path) -> "ChartBaseline":
        """Return the baseline of a GeoTIFF.

        Raises:
            Unreadable: it is no chart.
        """
        return cls(read(path))

    def before(self, grid: Grid) -> Before | Missing:
        """Return the chart on another grid, or that it shows another place."""
        name = Path(self.chart.source).name
        if not self.chart.grid.meets(grid):
            mine, asked = self.chart.grid.middle, grid.middle
            return Missing(
                f"the baseline {name} shows another place: it lies around {mine.lat_deg:.4f}, "
                f"{mine.lon_deg:.4f}, this around {asked.lat_deg:.4f}, {asked.lon_deg:.4f}; "
                "give the one of this place"
            )
        there = warped(self.chart, grid)
        if there.known.mean() < LEAST_SHARE:
            return Missing(f"the baseline {name} shows hardly any of this ground")
        return Before(there, f"{name}", self.chart.taken_at)
