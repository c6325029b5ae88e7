"""A doubt put on the shipped graph: all else stays, it is bounded, and it is learnt from drawn weather."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from missions.errors import InputWrong  # noqa: E402
from tests.vision.detecting import meadow  # noqa: E402
from tests.vision.train.tables import write_labels, write_scored  # noqa: E402
from vision import labelled  # noqa: E402
from vision.detectors import runtime  # noqa: E402
from vision.train import box_graph, cards, weather, weather_shipping  # noqa: E402
from vision.train.weather_graph import DOUBT, MOST, WeatherHead, looking, with_weather  # noqa: E402

CANVAS = (256, 192)


@pytest.fixture(scope="module")
def shipped():
    return box_graph.read(runtime.SHIPPED)


@pytest.fixture
def picture():
    rng = np.random.default_rng(2)
    return rng.integers(0, 255, (CANVAS[1], CANVAS[0], 3)).astype(np.uint8)


def head_that_says(value: float) -> WeatherHead:
    """Return a head whose doubt is the same share of the most, whatever it is shown."""
    head = WeatherHead().eval()
    torch.nn.init.constant_(head.second.bias, value)
    return head


def run_of(model, tmp_path, name="doubting"):
    """Return the model loaded as any is, with the shipped one's card."""
    path = tmp_path / f"{name}.onnx.xz"
    box_graph.packed(model, path)
    cards.write(path, cards.read(runtime.SHIPPED))
    return runtime.load(path)


def log_odds(likely: np.ndarray) -> np.ndarray:
    return np.log(likely / (1 - likely))


def test_boxes_and_the_answer_for_a_piece_stay_and_a_whole_picture_is_doubted(shipped, picture, tmp_path):
    sure, none = (run_of(with_weather(shipped, head_that_says(v)), tmp_path, str(v)) for v in (30.0, -30.0))
    before, after = none.see(picture), sure.see(picture)
    for part in ("boxes", "scores", "picture"):
        assert np.array_equal(getattr(before, part), getattr(after, part))
    np.testing.assert_allclose(after.doubt, MOST, atol=0.01)
    np.testing.assert_allclose(before.doubt, 0, atol=0.01)
    whole, doubted = (log_odds(model.see_whole(picture)[0].picture) for model in (none, sure))
    np.testing.assert_allclose(whole - doubted, MOST, atol=0.05)


def test_the_graph_doubts_as_the_head_it_was_made_from(shipped, picture, tmp_path):
    torch.manual_seed(4)
    head = WeatherHead().eval()
    torch.nn.init.normal_(head.second.weight, std=0.5)
    looks, _ = looking(shipped)(picture)
    head.mean.copy_(torch.from_numpy(looks) * 0.9)
    with torch.no_grad():
        wanted = head(torch.from_numpy(looks)[None])[0].numpy()
    seen = run_of(with_weather(shipped, head), tmp_path).see(picture)
    np.testing.assert_allclose(seen.doubt, wanted, atol=0.05)


def test_a_new_doubt_takes_the_place_of_the_one_before(shipped, picture, tmp_path):
    once = with_weather(shipped, head_that_says(30.0))
    twice = with_weather(once, head_that_says(-30.0))
    assert [output.name for output in twice.graph.output].count(DOUBT) == 1
    assert len(twice.SerializeToString()) <= len(once.SerializeToString())
    assert run_of(twice, tmp_path).see(picture).doubt.max() < 0.01


@pytest.fixture
def course(tmp_path):
    """Eight quiet pictures of ground, one of them listed as scored, and four of a pale plume."""
    folder, rows = tmp_path / "pictures", []
    (folder / "made/images").mkdir(parents=True)
    for i in range(12):
        pixels = np.array(meadow(256, 192))
        pixels[::7, i::9] = 20 * i
        if is_plume := i >= 8:
            cv2.circle(pixels, (60 + 9 * i, 80), 45, (225, 225, 225), -1)
        name = f"made/images/p{i}.png"
        cv2.imwrite(str(folder / name), pixels[..., ::-1])
        rows.append({"file": name, "fire": 0, "smoke": int(is_plume), "source": "made"})
    write_labels(folder, rows)
    listed = write_scored(tmp_path / "TRAINING.csv", folder / "made/images/p7.png", fire=0)
    return weather.Course((folder,), tmp_path / "run", runtime.SHIPPED, listed, steps=4, batch=6)


def test_it_learns_is_stopped_goes_on_and_ships(course, tmp_path):
    said: list[str] = []
    weather.train(course, resume=False, told=said.append)
    assert said[0] == "11 pictures to learn from"
    seen = weather.Looks(**np.load(course.out / weather.LOOKS_FILE))
    kinds = {str(group).split(" ")[0] for group in seen.groups}
    assert {"quiet", "fogged", "dusty", "autumnal", ""} <= kinds
    weather.train(weather.course_of(course.out), resume=True, told=said.append)
    assert not any("looked" in line for line in said[said.index("11 pictures to learn from", 1) :])
    out = tmp_path / "out"
    out.mkdir()
    path = weather_shipping.ship(course.out, out, name="fire", version="9", told=said.append)
    model = runtime.load(path)
    assert model.title == "fire 9"
    assert (model.card.piece, model.card.box) == (runtime.load().card.piece, runtime.load().card.box)
    uses = {row["use"] for row in labelled.listed(out / "TRAINING.csv")}
    assert uses == {"learnt", "scored"}


def test_without_a_quiet_picture_there_is_nothing_to_draw_weather_over(course):
    _, aside = weather.pictures_of(course)
    assert [p.name for p in aside] == ["made/images/p7.png"]
    table = course.folders[0] / labelled.TABLE
    table.write_text(table.read_text("utf-8").replace(",0,0,", ",1,0,"), "utf-8")
    with pytest.raises(InputWrong, match="without fire and smoke"):
        weather.pictures_of(course)


@pytest.mark.parametrize(
    ("after", "limit"),
    [((0.9, 0.7, 0.3, 0.1), 0.3), ((0.9, 0.8, 0.7, 0.6), 0.5), ((0.6, 0.2, 0.0, 0.0), 0.0)],
)
def test_thresholds_fall_as_far_as_keeps_what_was_found_and_never_rise(after, limit):
    before = np.array((0.9, 0.8, 0.6, 0.2), np.float32)
    assert weather_shipping.as_found(before, np.array(after, np.float32), 0.5) == pytest.approx(
        limit, abs=1e-3
    )
    assert weather_shipping.as_found(before * 0, before, 0.5) == 0.5
