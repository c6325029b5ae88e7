"""Large colour JPEGs are decoded in pieces: the same pixels, no row twice, the same reasons for a bad one."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from missions.model import Hazard
from tests.vision.detecting import meadow, painted, tiny_model
from vision import encoded
from vision.detectors import registry, runtime
from vision.detectors.rgb_fire import look
from vision.encoded import opened
from vision.errors import Unreadable
from vision.frame import load
from vision.inspection import examine
from vision.tiling import Tile, tiles

WIDTH, HEIGHT = 3600, 2400


def landscape() -> np.ndarray:
    """Return a picture of 8.6 megapixels with a flame of 40 px in its lower half."""
    rng = np.random.default_rng(4)
    rough = rng.integers(-12, 12, (HEIGHT // 40, WIDTH // 40, 3))
    noise = cv2.resize(rough.astype(np.float32), (WIDTH, HEIGHT))
    return painted((meadow(WIDTH, HEIGHT) + noise).astype(np.uint8), 2016, 1600, 40)


def jpeg(picture: np.ndarray, **options: object) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=92, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def data() -> bytes:
    return jpeg(landscape())


@pytest.mark.parametrize("progressive", [False, True])
def test_pieces_are_the_pixels_of_the_whole_picture(progressive):
    data = jpeg(landscape(), progressive=progressive)
    whole = np.asarray(Image.open(BytesIO(data)))
    picture = opened(data)
    assert picture is not None
    cuts = tiles(WIDTH, HEIGHT)
    seen = list(picture.pieces(cuts))
    assert [cut for cut, _ in seen] == list(cuts)
    assert all(
        np.array_equal(pixels, whole[c.top_px : c.bottom_px, c.left_px : c.right_px]) for c, pixels in seen
    )


def test_no_row_is_decoded_twice_and_none_below_the_last_that_a_piece_shows(data, monkeypatch):
    picture = opened(data)
    assert picture is not None
    asked = []
    strips = encoded._Rows._strips

    def counted(rows, begin, end):
        asked.append((begin, end))
        return strips(rows, begin, end)

    monkeypatch.setattr(encoded._Rows, "_strips", counted)
    cuts = [Tile(0, 0, 640, 640), Tile(640, 0, 1280, 640), Tile(0, 560, 640, 1200), Tile(0, 1400, 640, 1900)]
    pieces = [pixels for _, pixels in picture.pieces(cuts)]
    assert asked == [(0, 640), (640, 1280), (1280, 1920)]
    assert [p.shape[0] for p in pieces] == [640, 640, 640, 500]
    whole = np.asarray(Image.open(BytesIO(data)))
    assert np.array_equal(pieces[-1], whole[1400:1900, :640])


def test_the_shrunk_picture_is_at_least_as_large_as_a_look_at_the_whole_needs(data):
    picture = opened(data)
    assert picture is not None
    assert (picture.width_px, picture.height_px) == (WIDTH, HEIGHT)
    assert picture.small.shape == (600, 900, 3)


def test_small_grey_and_four_colour_pictures_and_other_formats_are_decoded_whole():
    grey = jpeg(landscape()[..., 1])
    inks = BytesIO()
    Image.new("CMYK", (WIDTH, HEIGHT)).save(inks, "JPEG")
    others = BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT)).save(others, "PNG", compress_level=1)
    assert [opened(one) for one in (jpeg(meadow()), grey, inks.getvalue(), others.getvalue())] == [None] * 4


def test_a_large_jpeg_stays_encoded_only_for_those_who_do_not_need_it_whole(data, tmp_path):
    (tmp_path / "a.jpg").write_bytes(data)
    left, whole = load(tmp_path / "a.jpg", whole=False), load(tmp_path / "a.jpg")
    assert left.pixels is None
    assert left.encoded is not None
    assert whole.encoded is None
    assert whole.pixels is not None
    assert left.shot == whole.shot
    assert not registry.want_whole([Hazard.FIRE, Hazard.SMOKE], with_trials=True)
    assert registry.want_whole([Hazard.FIRE, Hazard.FLOOD], with_trials=True)


def test_the_same_is_found_in_pieces_as_in_the_whole(data, tmp_path):
    (tmp_path / "a.jpg").write_bytes(data)
    model = runtime.load(tiny_model(tmp_path))
    picture, pixels = opened(data), load(tmp_path / "a.jpg").pixels
    assert picture is not None
    assert pixels is not None
    straight, whole = look(model, picture), look(model, pixels)
    assert len(straight.boxes) == len(whole.boxes) > 0
    np.testing.assert_allclose(straight.boxes, whole.boxes)
    np.testing.assert_allclose(straight.scores, whole.scores)


def test_a_picture_that_ends_early_is_skipped_with_the_reason_it_has_when_decoded_whole(data, tmp_path):
    short = tmp_path / "short.jpg"
    short.write_bytes(data[: len(data) // 2])
    with pytest.raises(Unreadable) as whole:
        load(short)
    told = examine(short, hazards=[Hazard.FIRE], model=tiny_model(tmp_path), with_trials=True)
    assert told.skipped == str(whole.value)
    assert "damaged" in told.skipped


def test_a_camera_s_turn_of_the_picture_moves_no_pixel(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    plain, marked = opened(jpeg(landscape())), opened(jpeg(landscape(), exif=turned))
    assert plain is not None
    assert marked is not None
    assert (marked.width_px, marked.height_px) == (WIDTH, HEIGHT)
    cuts = tiles(WIDTH, HEIGHT)[-1:]
    ((_, one),) = plain.pieces(cuts)
    ((_, other),) = marked.pieces(cuts)
    assert np.array_equal(one, other)
