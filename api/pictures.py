"""Pictures as objects under a key: a folder by default, S3 or any store of `obstore` by URL.

A picture is written whole or not at all, and a local one is on the disk (not
only in its cache) before `put` returns, because the gateway deletes its own
copy when it hears that ours is kept.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from obstore import delete_async, get_async, put_async
from obstore.store import LocalStore, ObjectStore, from_url


@dataclass(frozen=True, slots=True)
class Pictures:
    """An object store of pictures; `folder` is set when it is a local folder."""

    store: ObjectStore
    folder: Path | None = None

    async def put(self, key: str, data: bytes) -> None:
        """Keep a picture; the same key again replaces it."""
        await put_async(self.store, key, data)
        if self.folder is not None:
            await asyncio.to_thread(_to_disk, self.folder / key)

    async def get(self, key: str) -> bytes | None:
        """Return a picture, or None where there is none."""
        try:
            found = await get_async(self.store, key)
        except FileNotFoundError:
            return None
        return bytes(await found.bytes_async())

    async def delete(self, key: str) -> None:
        """Forget a picture; one that is not there is no error."""
        try:
            await delete_async(self.store, key)
        except FileNotFoundError:
            return


def open_pictures(where: str | Path) -> Pictures:
    """Return the store of a folder, or of a URL such as s3://bucket/prefix (keys from AWS_* variables)."""
    if "://" in str(where):
        return Pictures(from_url(str(where)))
    folder = Path(where).absolute()
    return Pictures(LocalStore(folder, mkdir=True), folder)


def _to_disk(path: Path) -> None:
    for place, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(place, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
