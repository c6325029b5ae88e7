"""Labelled folders: what belongs together is learnt from or scored on, never both."""

import numpy as np
import pytest

from missions.errors import InputWrong
from tests.vision.detecting import meadow, painted, write
from vision import labelled


@pytest.fixture
def folder(tmp_path):
    names = [f"c{camera}_x{i}" for camera in (3121, 3206) for i in range(15)]
    names += [f"web_{word}" for word in "abcdefghijklmnopqrstuvwxyz"]
    rows = ["file,fire,smoke,boxes,source"]
    for name in names:
        write(tmp_path / "s" / "images" / f"{name}.png", meadow(32, 32))
        rows.append(f"s/images/{name}.png,0,0,0,s")
    (tmp_path / "image_labels.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return tmp_path


def test_a_camera_is_a_group(folder):
    sizes = labelled.groups(labelled.read(folder))
    assert sizes["s/c3121"] == sizes["s/c3206"] == 15


def test_no_group_is_on_both_sides(folder):
    learnt, aside = labelled.split(labelled.read(folder), ["s/c3206"])
    assert not {p.group for p in learnt} & {p.group for p in aside}
    assert {p.group for p in aside} >= {"s/c3206"}
    assert "s/c3121" in {p.group for p in learnt}
    assert len(learnt) + len(aside) == 56


def test_a_source_can_be_held_out_whole(folder):
    learnt, aside = labelled.split(labelled.read(folder), ["s"])
    assert learnt == []
    assert len(aside) == 56


def test_near_duplicates_have_near_hashes_and_others_have_not():
    one = painted(meadow(), 96, 64, 128)
    brighter = np.clip(one.astype(int) + 12, 0, 255).astype(np.uint8)
    assert (labelled.dhash(one) ^ labelled.dhash(brighter)).bit_count() <= 2
    assert (labelled.dhash(one) ^ labelled.dhash(one[::-1, ::-1])).bit_count() > 6


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.png,perhaps,0", "line 2: fire: found 'perhaps', expected 1, 0 or -1"),
        (",1,0", "line 2: file: found ''"),
        ("x" * 300 + ",1,0", "line 2: file: found 'xxx"),
        ("x" * 140_000, "no table that can be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(folder, row, words):
    (folder / "image_labels.csv").write_text(f"file,fire,smoke\n{row}", "utf-8")
    with pytest.raises(InputWrong, match=words):
        labelled.read(folder)


def test_a_table_of_files_and_labels_alone_is_enough_however_it_was_saved(folder):
    """With a byte order mark, numbers as 1.0, an unknown as nothing, no boxes and no source."""
    table = folder / "image_labels.csv"
    table.write_text("file,fire,smoke\ns/images/web_a.png,1.0,\n", "utf-8-sig")
    (one,) = labelled.read(folder)
    assert (one.labels, one.source, one.boxes) == ((1, -1), "s", None)
    table.write_text("picture,fire\ns/images/web_a.png,1\n", "utf-8")
    with pytest.raises(InputWrong, match="expected the columns file, fire, smoke"):
        labelled.read(folder)


@pytest.mark.parametrize(
    "rows", ["0 .5 fish", "0 .1 .1 .2 .2 .3 .1", "0 .1 .1 .2 .2 1 .1 .1 .2 .2", "0 nan 0 0 0"]
)
def test_boxes_that_are_none_are_told_by_their_file_and_such_as_are_missing_are_not_complete(folder, rows):
    (folder / "image_labels.csv").write_text("file,fire,smoke,boxes\ns/images/web_a.png,1,0,1\n", "utf-8")
    assert labelled.read(folder)[0].boxes is None
    (folder / "s" / "labels").mkdir()
    (folder / "s" / "labels" / "web_a.txt").write_text(rows, "utf-8")
    with pytest.raises(InputWrong, match=r"web_a\.txt: expected class"):
        labelled.read(folder)


def test_a_table_completes_what_is_not_known_and_changes_nothing_else(folder, tmp_path):
    table = folder / "image_labels.csv"
    table.write_text(table.read_text("utf-8").replace("a.png,0,0", "a.png,1,-1"), "utf-8")
    before = labelled.read(folder)
    hashes = " ".join(labelled.sha256_8(p.path) for p in before)
    (tmp_path / "said.csv").write_text(f"sha256_8,fire,smoke\n{hashes},0,1\nf00,,\n", "utf-8")
    after = labelled.told(before, tmp_path / "said.csv")
    assert [p.labels for p in after if p.name.endswith("web_a.png")] == [(1, 1)]
    assert {p.labels for p in after if not p.name.endswith("web_a.png")} == {(0, 0)}


@pytest.mark.parametrize("text", ["sha256_8,fire\nabc,1\n", "sha256_8,fire,smoke\nabc,yes,no\n"])
def test_a_table_that_cannot_be_read_is_told(folder, tmp_path, text):
    (tmp_path / "said.csv").write_text(text, "utf-8")
    with pytest.raises(InputWrong, match="expected the columns"):
        labelled.told(labelled.read(folder), tmp_path / "said.csv")


def test_a_table_that_is_not_there_is_told(folder, tmp_path):
    with pytest.raises(InputWrong, match="expected the columns"):
        labelled.told(labelled.read(folder), tmp_path / "none.csv")
