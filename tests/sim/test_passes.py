"""How the simulated passes are rendered, and what only one frame shows."""

import numpy as np

from sim.flashes import bad_cells, flashes
from sim.passes import clipped, stretched


def scene() -> np.ndarray:
    celsius = np.full((512, 640), 20.0, np.float32)
    celsius += np.linspace(0, 8, 640, dtype=np.float32)
    celsius[100:110, 200:210] = 480.0
    return celsius


def test_one_camera_stretches_from_least_to_most_and_another_has_a_fixed_scale():
    least_to_most, fixed = stretched(scene(), 0), stretched(scene(), 1)
    assert (least_to_most.min(), least_to_most.max()) == (0, 255)
    assert np.median(least_to_most) < 5
    assert np.median(fixed) == int((24.0 + 20) * 255 / 170)


def test_a_clipped_rendering_hides_how_much_hotter_the_hottest_is():
    grey = clipped(scene())
    assert np.count_nonzero(grey == 255) > 300


def test_the_sun_flashes_by_day_and_in_some_frames_only():
    rng = np.random.default_rng(1)
    day = [flashes(scene(), rng, sun_deg=50.0) > 0 for _ in range(200)]
    assert 20 < sum(day) < 80
    assert not any(flashes(scene(), rng, sun_deg=-10.0) for _ in range(50))


def test_a_flash_is_as_hot_as_flame_and_small():
    rng, before, shown = np.random.default_rng(3), scene(), scene()
    while not flashes(shown, rng, sun_deg=50.0):
        pass
    changed = shown > before + 1
    assert 1 <= np.count_nonzero(shown[changed] > 120) < 60
    assert shown.max() <= 500.0


def test_bad_cells_sit_at_one_place_of_some_passes():
    found = [bad_cells(np.random.default_rng(i)) for i in range(100)]
    cells = [c for c in found if c is not None]
    assert 2 < len(cells) < 35
    assert all(np.count_nonzero(c) == 4 for c in cells)
