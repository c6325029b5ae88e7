"""Radiometric JPEGs recognised by their maker's segments, so that a reader can be told what is inside."""

from vision.metadata.xmp import segments


def radiometric_jpeg(data: bytes) -> str | None:
    """Return whose radiometric data a JPEG carries ("FLIR", "DJI"), None for an ordinary picture.

    FLIR puts its records in APP1 segments marked FLIR; DJI puts the raw counts,
    two bytes a pixel, in APP3 segments.
    """
    dji_bytes = 0
    for marker, body in segments(data):
        if marker == 0xE1 and body.startswith(b"FLIR\x00"):
            return "FLIR"
        if marker == 0xE3:
            dji_bytes += len(body)
    return "DJI" if dji_bytes >= 2 * 160 * 120 else None
