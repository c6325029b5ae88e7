"""The service makes baselines: the first flight's stands, later ones wait until a person confirms them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from api import audit
from api.app import create_app
from api.keeping import MOST_FRAMES, of_places, place_of
from api.roles.keeping import Keeping
from api.services import Services
from api.store import tokens
from api.store.models import FrameRow, SortieRow
from api.store.plans import save_plan
from api.store.tokens import Role
from missions.geo import Area, LatLon, moved
from missions.model import Demand, Hazard, Sensor, Site
from tests.api.test_sorties import plan
from tests.api.world import FOREST, NOW
from tests.vision.test_baseline_command import HERE, dem, flight  # noqa: F401 (fixtures)
from tests.vision.test_baselines import flight as drawn
from vision.baselines import Before
from vision.baselines.opening import LateBaseline
from vision.baselines.store import Store
from vision.chart import grid_around


def square(middle: LatLon, half_m: float) -> Area:
    return Area(tuple(moved(middle, bearing, half_m * 1.414) for bearing in (45.0, 135.0, 225.0, 315.0)))


def demand(name: str, where: LatLon, *hazards: Hazard, half_m: float = 60.0) -> Demand:
    return Demand(
        id=name,
        agency="forestry",
        hazards=frozenset(hazards),
        where=square(where, half_m),
        sensors=frozenset({Sensor.RGB}),
        height_m=100.0,
        revisit_s=86400.0,
    )


@dataclass(frozen=True)
class Shown:
    sensor: str
    footprint: list[Any] | None


def ring(middle: LatLon, half_m: float = 40.0) -> list[list[float]]:
    return [[p.lon_deg, p.lat_deg] for p in square(middle, half_m).outer]


def test_only_places_that_ask_what_changed_and_that_colour_shows_get_a_baseline(site: Site) -> None:
    """By each picture's own footprint; many pictures are thinned out evenly."""
    away = moved(FOREST, 90.0, 3000.0)
    asked = replace(
        site,
        demands=(
            demand("river bend", FOREST, Hazard.FLOOD),
            demand("heat", FOREST, Hazard.FIRE),
            demand("far-wood", away, Hazard.LOGGING),
            demand("night", moved(FOREST, 0.0, 3000.0), Hazard.FLOOD),
        ),
    )
    here, nowhere = Shown("rgb", ring(FOREST)), Shown("rgb", None)
    warm, dark = Shown("thermal", ring(FOREST)), Shown("thermal", ring(moved(FOREST, 0.0, 3000.0)))
    found = of_places(asked, ["river bend", "heat", "night"], [here, nowhere, warm, dark])
    assert found == {"river-bend": [here, warm]}
    many = [Shown("rgb", ring(FOREST)) for _ in range(3 * MOST_FRAMES)]
    assert len(of_places(asked, ["river bend"], many)["river-bend"]) == MOST_FRAMES
    assert place_of("--下游 1") == "1"


def test_of_a_place_the_newest_candidate_and_what_stood_last_are_kept(tmp_path: Path) -> None:
    """A camera a day would fill any disk; a number is not given twice."""
    store = Store(tmp_path)
    for _ in range(5):
        store.add("wood", drawn(90), now=NOW)
    assert [v.version for v in store.tidy("wood", keep=1)] == ["v0002", "v0003", "v0004"]
    store.confirm("wood", "v0005", by="Li Na", now=NOW)
    assert [v.standing for v in store.versions("wood")] == ["superseded", "stands"]
    assert store.add("wood", drawn(90), now=NOW).version == "v0006"
    assert store.tidy("wood", keep=1) == ()


async def test_the_first_flight_of_a_place_stands_and_the_next_one_when_a_person_says_so(
    services: Services,
    tmp_path: Path,
    flight: Path,  # noqa: F811
    dem: Path,  # noqa: F811
) -> None:
    """Made of the frames in the object store, only when all of them were searched."""
    root = tmp_path / "baselines"
    site = replace(services.site, demands=(demand("wood", HERE, Hazard.LOGGING),))
    built = replace(services, site=site, options=replace(services.options, baselines=root))
    keeping = Keeping(built, root, dem)
    async with built.database.write() as session:
        await save_plan(session, plan(sorties=2), site, now=NOW)
    await flew(built, "P1-S1", flight, searched=False)
    await keeping.once()
    assert list(Store(root).versions()) == []
    await flew(built, "P1-S1", flight)
    await keeping.once()
    await flew(built, "P1-S2", flight)
    await keeping.once()
    await Keeping(built, root, dem).once()  # after a restart nothing is made again
    assert [(v.version, v.standing, v.flight, v.frames) for v in Store(root).versions()] == [
        ("v0001", "stands", "P1-S1", 2),
        ("v0002", "candidate", "P1-S2", 2),
    ]
    before, ground = LateBaseline(root), grid_around((HERE,), pixel_m=0.5, rim_m=20.0)
    assert named(before.before(ground)) == "wood v0001"

    async with built.database.write() as session:
        token = await tokens.issue(session, role=Role.OPERATOR, name="desk", now=NOW, agency=None)
    transport, head = httpx.ASGITransport(create_app(built)), {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=head) as operator:
        path = "/v1/baselines/wood/v0002/confirm"
        reply = await operator.post(path, json={"person": "Li Na"})
        assert reply.json() == {"place": "wood", "version": "v0002", "standing": "stands"}
        assert (await operator.post(path, json={"person": ""})).status_code == 422
        gone = await operator.post("/v1/baselines/wood/v0009/confirm", json={"person": "Li Na"})
        assert gone.status_code == 404
    assert named(before.before(ground)) == "wood v0002"
    async with built.database.read() as session:
        entry = (await audit.page(session))[0]
    assert (entry.action, entry.target) == ("baseline.confirm", "wood")
    assert entry.details == {"version": "v0002", "person": "Li Na"}


def named(found: object) -> str:
    assert isinstance(found, Before), found
    return found.version


def contents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.iterdir())]


async def flew(services: Services, sortie: str, flight: Path, *, searched: bool = True) -> None:  # noqa: F811
    """Let a sortie be over with its pictures in the object store, searched or not yet."""
    files = contents(flight)
    for i, data in enumerate(files):
        await services.pictures.put(f"frames/{sortie}-{i}.jpg", data)
    async with services.database.write() as session:
        row = await session.get_one(SortieRow, sortie)
        row.state, row.demands, row.shots_files = "done", ["wood"], len(files)
        row.landed_at = NOW - timedelta(minutes=1)
        for i in range(len(files)):
            frame = FrameRow(
                id=f"{sortie}-{i}", gateway="g1", drone="D1", sortie=sortie, shot=i, sensor="rgb",
                taken_at=NOW, sha256="0" * 64, name=f"{i}.jpg", bytes=1, pose=None,
                key=f"frames/{sortie}-{i}.jpg", received_at=NOW, published_at=NOW,
                analysed_at=NOW if searched else None, footprint=ring(HERE),
            )  # fmt: skip
            await session.merge(frame)
