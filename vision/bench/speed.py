"""Row `absorb`: observations a second that find their incident among 100,000 open ones, on one core.

Half of the observations are further looks at incidents that are open, spread over all of them and in bursts
as a flight brings them; the other half are new. Their sights are those of real looks, so every joining
fuses up to eight correlated looks. Making the observations is not counted.
"""

import math
import time
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from missions.measure import Job, Row, at_least, measured
from missions.model import Hazard
from vision.bench import truth
from vision.georeference import Located, locate
from vision.model import Observation
from vision.openincidents import OpenIncidents

_OPEN, _NEW = 100_000, 20_000
_SPACING_M = 200.0
_BURST = 6


def rows(job: Job) -> Iterator[Row]:
    """Yield how many observations are absorbed in a second of this core's time."""
    rng = np.random.default_rng(83)
    count, many = (5_000, 1_000) if job.quick else (_OPEN, _NEW)
    look = _some_look(rng)
    live = OpenIncidents()
    for i in range(count):
        live.absorb(_seen(rng, look, i, count, f"a{i}", 0.0), now=truth.BEGAN_AT)
    bursts = rng.integers(0, 2 * count, many // _BURST).repeat(_BURST)
    coming = [_seen(rng, look, int(i), count, f"b{n}", 600.0 + 3.0 * n) for n, i in enumerate(bursts)]
    now = coming[-1].seen_at
    began, cpu = time.perf_counter(), time.process_time()
    kinds = [live.absorb(o, now=now).kind for o in coming]
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    job.raw.write("absorb", *({"n": n, "decision": kind.value} for n, kind in enumerate(kinds)))
    yield at_least("absorb.per_s", len(coming) / cpu_s, 2000.0, unit="/s", clock="cpu")
    yield measured("absorb.per_s_wall", len(coming) / wall_s, unit="/s")
    yield measured("absorb.open", float(len(live)), unit="", clock="none")


def _some_look(rng: np.random.Generator) -> Located:
    """Return one real look, whose sight stands for all."""
    while True:
        hills = truth.hills(rng)
        target = truth.on_ground(np.zeros(2), hills)
        drifts = truth.Drifts(rng)
        taken = truth.take(
            rng, drifts, target, hills, azimuth_deg=30.0, off_nadir_deg=25.0, above_m=100.0, at_s=0.0
        )
        if taken:
            at = locate(
                truth.CAMERA, taken.pose, taken.pixel[0], taken.pixel[1], ground=truth.model(rng, hills)
            )
            if isinstance(at, Located):
                return at


def _seen(rng: np.random.Generator, look: Located, i: int, count: int, name: str, at_s: float) -> Observation:
    """Return an observation of the i-th place of a grid; beyond `count` lie places in between."""
    side = math.isqrt(count) + 1
    between = _SPACING_M / 2 if i >= count else 0.0
    row, column = divmod(i % count, side)
    east, north = column * _SPACING_M + between, row * _SPACING_M + between
    off = rng.normal(size=2) * 2.0
    place = truth.FRAME.origin
    lat = place.lat_deg + (north + off[1]) / 110_850.0
    lon = place.lon_deg + (east + off[0]) / (111_320.0 * math.cos(math.radians(lat)))
    return Observation(
        id=name,
        hazard=Hazard.FIRE,
        confidence=0.8,
        place=type(place)(lat, lon),
        ellipse=look.ellipse,
        seen_at=truth.BEGAN_AT + timedelta(seconds=at_s),
        shot=name,
        detector="bench",
        area_m2=2.0,
        temp_max_c=300.0,
        drone="D1",
        sight=look.sight,
    )
