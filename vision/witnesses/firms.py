"""NASA FIRMS files, as the archive, the near-real-time pages and the area API hand them out.

MODIS gives its confidence in percent, VIIRS in words. Both products have under 1.3 % commission (Giglio
et al. 2016, Remote Sens. Environ. 178, 31: 1.2 % by day; Schroeder et al. 2014, ibid. 143, 85: under
1.2 % for nominal VIIRS pixels): what they call hot is hot. Whether it is a fire that matters here a
satellite cannot tell (stubble, flares, roofs), hence the ceiling of `hotspots.MOST_CERTAIN`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from missions.errors import InputWrong
from vision.witnesses.hotspots import Columns, read_hotspots
from vision.witnesses.sighting import Read

_WORDS = {"low": 0.3, "l": 0.3, "nominal": 0.7, "n": 0.7, "high": 0.8, "h": 0.8}
_FACTS = ("frp", "daynight", "confidence", "version")
# 0 vegetation, 1 volcano, 2 other static land source, 3 offshore: only in archive files.
_STATIC = frozenset({"1", "2", "3"})


def read_firms(lines: Iterable[str], *, now: datetime) -> Read:
    """Return the sightings of a FIRMS file, MODIS or VIIRS by its header.

    Raises:
        InputWrong: it is no FIRMS file; what the API says instead of one is repeated.
    """
    rest = iter(lines)
    first = next(rest, "").lstrip("\ufeff")
    names = [name.strip().lower() for name in first.split(",")]
    if "latitude" not in names:
        raise InputWrong(
            f"found {first.strip()[:120]!r}, expected the header of a FIRMS file: latitude,longitude,…"
        )
    return read_hotspots(chain([",".join(names) + "\n"], _lines(rest)), _columns(names), now=now)


def _columns(names: list[str]) -> Columns:
    is_viirs = "bright_ti4" in names
    return Columns(
        source="VIIRS" if is_viirs else "MODIS",
        lat="latitude",
        lon="longitude",
        date="acq_date",
        time="acq_time",
        time_format="%Y-%m-%d %H%M",
        scan_km="scan",
        track_km="track",
        pixel_km=(0.375, 0.375) if is_viirs else (1.0, 1.0),
        confidence_column="confidence",
        confidence=_WORDS if is_viirs else "percent",
        satellite="satellite" if "satellite" in names else None,
        frp_mw="frp",
        kind="type",
        static_kinds=_STATIC,
        keep=_FACTS,
    )


def _lines(rest: Iterator[str]) -> Iterator[str]:
    """Yield the rows; Windows line ends and empty lines are the csv module's, a second header is ours."""
    return (line for line in rest if not line.lower().startswith("latitude,"))
