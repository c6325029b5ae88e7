"""The model in the repository: it is its card's, it sees, and both engines say the same."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from tests.vision.detecting import meadow
from vision import labelled
from vision.detectors import runtime
from vision.train import veils

MODELS = runtime.SHIPPED.parent
FIRE = Path(__file__).parents[3] / "shared" / "data" / "fire"
SAME = 0.1
"""How far two engines' likelihoods may be apart: they round 8-bit sums differently."""


@pytest.fixture(scope="module")
def model():
    return runtime.load()


def shown(pictures):
    """Return the pictures as the model is shown them, each on every canvas."""
    card = runtime.load().card
    return [canvas for p in pictures for canvas, _ in runtime.shown(labelled.load_rgb(p.path), card)]


@pytest.fixture(scope="module")
def flames():
    """Twelve flames and twelve quiet landscapes, one in so many of those kept aside."""
    if not FIRE.is_dir():
        pytest.skip("../shared/data/fire is not here")
    rows = labelled.listed(MODELS / "TRAINING.csv")
    scored = {row[labelled.HASH] for row in rows if (row["model"], row["use"]) == ("fire", "scored")}
    aside = [p for p in labelled.read(FIRE) if labelled.sha256_8(p.path) in scored]
    fire = [p for p in aside if p.fire == 1]
    quiet = [p for p in aside if p.labels == (0, 0)]
    return fire[:: len(fire) // 12][:12], quiet[:: len(quiet) // 12][:12]


def test_it_is_its_cards_and_both_are_small(model):
    assert (model.card.name, model.card.classes) == ("fire", ("fire", "smoke"))
    assert runtime.SHIPPED.stat().st_size < 1_000_000
    assert runtime.card_beside(runtime.SHIPPED).name == "fire.json"


def test_a_byte_more_and_it_is_not_loaded(tmp_path):
    path = tmp_path / runtime.SHIPPED.name
    path.write_bytes(runtime.SHIPPED.read_bytes() + b"\0")
    card = runtime.card_beside(runtime.SHIPPED)
    (tmp_path / card.name).write_bytes(card.read_bytes())
    with pytest.raises(runtime.InputWrong, match="not loaded: its SHA-256"):
        runtime.load(path)


def test_a_meadow_is_quiet(model):
    card = model.card
    seen, _ = model.see_whole(meadow(512, 384))
    assert all(seen.picture[i] < card.picture[name] for i, name in enumerate(card.classes))


@pytest.mark.shared_data
def test_it_tells_flames_from_landscapes(model, flames):
    burning, quiet = (
        [model.see_whole(labelled.load_rgb(p.path))[0].picture for p in some] for some in flames
    )
    limits = np.array([model.card.picture[name] for name in model.card.classes])
    assert sum(said[0] >= limits[0] for said in burning) >= 11
    assert sum((said >= limits).any() for said in quiet) <= 1


@pytest.mark.shared_data
def test_weather_drawn_over_landscapes_hardly_adds_an_alarm(model, flames):
    """Thirty-six views in fog, dust or autumn: of pictures that were never learnt from."""
    limits = np.array([model.card.picture[name] for name in model.card.classes])
    told = doubted = 0
    for i, picture in enumerate(flames[1]):
        pixels, rng = labelled.load_rgb(picture.path), np.random.default_rng(i)
        for draw in (veils.fogged, veils.dusty, veils.autumnal):
            drawn = draw(pixels, rng)
            if drawn is not None:
                seen, _ = model.see_whole(drawn)
                told += (seen.picture >= limits).any()
                doubted += model.see(runtime.shown(drawn, model.card)[0][0]).doubt[1] > 0.5
    assert told <= 2
    assert doubted >= 12


@pytest.mark.shared_data
@pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="needs the extra openvino")
def test_both_engines_say_the_same(flames):
    data = runtime.unpacked(runtime.SHIPPED, runtime.SHIPPED.read_bytes())
    one, other = runtime._openvino(data), runtime._onnxruntime(data)
    planes = [runtime.channels_first(pixels) for some in flames for pixels in shown(some)]
    apart = [np.abs(one(p)[1] - other(p)[1]).max() for p in planes]
    assert max(apart) < SAME


def test_its_training_is_listed_with_hashes_and_sources():
    rows = labelled.listed(MODELS / "TRAINING.csv")
    assert {row["model"] for row in rows} >= {"fire", "water"}
    assert all(len(row[labelled.HASH]) == 8 and row["source"] for row in rows)
    learnt = {row[labelled.HASH] for row in rows if (row["model"], row["use"]) == ("fire", "learnt")}
    aside = {row[labelled.HASH] for row in rows if (row["model"], row["use"]) == ("fire", "scored")}
    assert len(learnt) > 2500
    assert len(learnt & aside) <= 1  # one picture has two names in its source


def test_its_card_for_people_speaks_of_the_same_file():
    card = json.loads((MODELS / "fire.json").read_text("utf-8"))
    text = (MODELS / "fire.md").read_text("utf-8")
    assert f"{runtime.SHIPPED.stat().st_size:,} bytes" in text
    assert all(f"{limit:g}".lstrip("0") in text for limit in card["picture"].values())
