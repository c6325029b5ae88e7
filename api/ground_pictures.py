"""Pictures that people take on the ground: checked, and kept without what they say of the taker."""

import hashlib
import io

from PIL import Image, UnidentifiedImageError

from api.errors import BadRequest

MOST_BYTES = 10 * 2**20
MOST_PIXELS = 60_000_000
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png"}


def checked(data: bytes) -> tuple[bytes, str]:
    """Return a picture without its hidden data (place, maker, serial number), and its media type.

    Raises:
        BadRequest: it is no JPEG or PNG, or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=list(KINDS)) as picture:
            kind = str(picture.format)
            if picture.width * picture.height > MOST_PIXELS:
                raise BadRequest(f"a picture has {MOST_PIXELS // 1_000_000} million pixels at most")
            bare = io.BytesIO()
            picture.load()
            turned = _upright(picture)
            turned.save(bare, kind, **({"quality": 92} if kind == "JPEG" else {}))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise BadRequest(
            f"this is no picture that can be read (JPEG or PNG): {type(error).__name__}"
        ) from None
    return bare.getvalue(), KINDS[kind]


def sha256(data: bytes) -> str:
    """Return the hash a picture is kept under."""
    return hashlib.sha256(data).hexdigest()


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture as it is meant to be seen, and nothing else of the file."""
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(picture) or picture
    bare = Image.new(turned.mode, turned.size)
    bare.paste(turned)
    return bare
