"""Pictures in a folder: whole or not at all, and gone when told."""

from pathlib import Path

from api.pictures import open_pictures


async def test_a_picture_comes_back_as_it_was_put(tmp_path: Path) -> None:
    pictures = open_pictures(tmp_path / "pictures")
    await pictures.put("frames/ab/one.tif", b"first")
    await pictures.put("frames/ab/one.tif", b"second")
    assert await pictures.get("frames/ab/one.tif") == b"second"
    assert (tmp_path / "pictures" / "frames" / "ab" / "one.tif").read_bytes() == b"second"


async def test_what_is_not_there_is_none_and_deleting_it_is_no_error(tmp_path: Path) -> None:
    pictures = open_pictures(tmp_path)
    assert await pictures.get("nothing") is None
    await pictures.delete("nothing")
    await pictures.put("a", b"x")
    await pictures.delete("a")
    assert await pictures.get("a") is None


async def test_a_store_named_by_url_works_alike() -> None:
    pictures = open_pictures("memory:///")
    await pictures.put("a/b", b"x")
    assert pictures.folder is None
    assert await pictures.get("a/b") == b"x"
    assert await pictures.get("a/c") is None
