"""A frame: pixels or °C together with the shot they belong to, read from one file."""

import re
import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from missions.model import CameraPose, Sensor, Shot
from vision import chart as charts
from vision import encoded as encoded_jpeg
from vision import radiometry
from vision.chart import Chart
from vision.encoded import Encoded
from vision.errors import Unreadable
from vision.metadata import Metadata, of_jpeg, of_parts
from vision.metadata.reading import pose_of
from vision.radiometry import Celsius, celsius_tiff, linear16, makers
from vision.radiometry.conditions import Conditions

AS_FILED = Conditions()
ELEVATION_MODEL = "an elevation model, used as ground"
THERMAL_MAP = "a map of temperatures: neither searched nor used as ground"
_TIFF_MARKS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_PICTURE_MARKS = (b"\xff\xd8", b"\x89PNG\r\n\x1a\n")
_GEOREFERENCED = (33550, 34264, 34735)  # pixel scale, transformation, GeoKey directory
_XMP_TAG, _EXIF_TAGS = 700, (34665, 34853)
_DECODED_SUFFIXES = ("_celsius", "_temperature", "_temp", "_thermal")
_HEAT = re.compile(r"(?<![a-z])(thermal|celsius|kelvin|temperature)(?!.*d[est]m)|_temp$", re.IGNORECASE)
_THERMAL_SIZES = {(640, 512), (640, 480), (336, 256), (320, 256), (320, 240), (160, 120), (1280, 1024)}


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture. Of `pixels` (8 bit, grey or RGB) and `celsius` exactly one is there.

    A thermal frame without temperatures has `warmth`: how warm in arbitrary units, more is warmer, with
    `warmth_limit` the value at which it ends (255 for 8 bits, None where no limit is known).

    `saturated_c` is what the hottest pixels are *at least*, None when none is at
    the camera's limit; `pixel_m2` is the ground a pixel covers on average,
    None until that is known. `radiometry` names the reader that the temperatures are from. `unplaced` says
    why the shot has no pose, `note` what a person should know about the reading. `chart` is there where the
    file itself says where on the ground its pixels lie (a GeoTIFF): it needs no pose. `encoded` stands in
    place of `pixels` for a large colour JPEG that nobody needs whole.
    """

    shot: Shot
    metadata: Metadata
    pixels: npt.NDArray[np.uint8] | None = None
    celsius: Celsius | None = None
    warmth: npt.NDArray[np.float32] | None = None
    warmth_limit: float | None = None
    saturated_c: float | None = None
    radiometry: str | None = None
    pixel_m2: float | None = None
    unplaced: str | None = None
    note: str | None = None
    chart: Chart | None = None
    encoded: Encoded | None = None


def load(
    path: Path,
    *,
    shot_id: str | None = None,
    fallback_pose: CameraPose | None = None,
    thermal: bool = False,
    conditions: Conditions = AS_FILED,
    whole: bool = True,
) -> Frame:
    """Return the frame in a file; `fallback_pose` counts only where the file tells no usable pose.

    `thermal` says that it is a thermal camera's whatever it looks like; `conditions` are what to assume
    between object and camera, in place of what a radiometric file says itself. Not `whole`, a large colour
    JPEG is left encoded, to be searched in pieces.

    Raises:
        Unreadable: the file is no picture, is damaged, or holds nothing to look at.
    """
    data = _bytes(path)
    if data.startswith(_TIFF_MARKS):
        frame = _load_tiff(path, data)
    elif data.startswith(_PICTURE_MARKS):
        frame = _load_picture(path, data, thermal, conditions, whole=whole)
    else:
        raise Unreadable("not a picture: neither JPEG, PNG nor TIFF inside")
    shot = replace(frame.shot, id=shot_id) if shot_id else frame.shot
    if shot.pose is None and fallback_pose is not None:
        return replace(frame, shot=replace(shot, pose=fallback_pose), unplaced=None)
    return replace(frame, shot=shot)


def celsius(frame: Frame, *, conditions: Conditions = AS_FILED) -> Celsius:
    """Return a frame's temperatures in °C, whoever made the camera; NaN where none was measured.

    What equals `frame.saturated_c` is at least that hot and belongs in no mean. `conditions` count in place
    of what the file says of the air, the object and its surroundings: it is read again with them.

    Raises:
        Unreadable: temperatures cannot be had, with the reason.
    """
    if conditions != AS_FILED:
        frame = load(Path(frame.shot.file), shot_id=frame.shot.id, thermal=True, conditions=conditions)
    if frame.celsius is None:
        relative = frame.warmth is not None and frame.note
        raise Unreadable(relative or "temperatures cannot be had: it is no thermal camera's picture")
    return frame.celsius


def is_elevation_model(path: Path) -> bool:
    """Return whether a file is a georeferenced one-band TIFF not named a thermal map, and so ground."""
    try:
        with path.open("rb") as file:
            if file.read(4) not in _TIFF_MARKS or _HEAT.search(path.stem):
                return False
        with tifffile.TiffFile(path) as tiff:
            return _is_ground(tiff.pages.first)
    except Exception:  # as `_load_tiff`
        return False


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise Unreadable("a folder without pictures")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror or error}") from None
    if not data:
        raise Unreadable("the file is empty")
    return data


def _load_tiff(path: Path, data: bytes) -> Frame:
    try:
        with tifffile.TiffFile(BytesIO(data)) as tiff:
            page = tiff.pages.first
            if _is_ground(page):
                raise Unreadable(THERMAL_MAP if _HEAT.search(path.stem) else ELEVATION_MODEL)
            if _is_georeferenced(page):
                return _load_chart(path)
            values = page.asarray()
            packet = page.tags.valueof(_XMP_TAG)
            description = str(page.description or "")
            has_exif = any(code in page.tags for code in _EXIF_TAGS)
    except Unreadable:
        raise
    except Exception as error:  # tifffile raises what a damaged file makes it trip over
        raise Unreadable(f"the TIFF is damaged: {_told(error)}") from None
    if values.ndim == 3 and page.samplesperpixel > 1:
        raise Unreadable(charts.NOWHERE)
    if values.ndim != 2:
        raise Unreadable(f"expected a TIFF of one band of temperatures, found the shape {values.shape}")
    height, width = values.shape
    own = of_parts(packet, data if has_exif else b"", width_px=width, height_px=height, thermal=True)
    metadata, note = (own, None) if own.reading.place else _from_neighbour(path, own)
    whole = Frame(shot=_shot(path, metadata), metadata=metadata, unplaced=_unplaced(metadata), note=note)
    return _with_values(whole, values, metadata.xmp, description)


def _load_chart(path: Path) -> Frame:
    """Return a GeoTIFF of several bands as a frame: it tells its own place."""
    chart = charts.read(path)
    height, width = chart.grid.shape
    metadata = of_parts(None, b"", width_px=width, height_px=height, thermal=False)
    camera = replace(metadata.camera, name="GeoTIFF")
    shot = Shot(id=path.stem, camera=camera, taken_at=chart.taken_at, pose=None, file=str(path))
    metadata = replace(metadata, camera=camera, taken_at=chart.taken_at, zone_stated=True)
    return Frame(shot, metadata, pixels=chart.rgb, note=chart.note, chart=chart)


def _with_values(frame: Frame, values: npt.NDArray[Any], xmp: dict[str, str], description: str) -> Frame:
    """Return the frame with a TIFF's values, as temperatures where they are any."""
    temperatures = _temperatures(values, xmp, description)
    if temperatures is not None:
        return replace(
            frame,
            celsius=temperatures.celsius,
            saturated_c=temperatures.saturated_c,
            radiometry=temperatures.decoder,
            note=_join(frame.note, frame.metadata.note, temperatures.note),
        )
    counted = values.dtype == np.uint16
    why = "16-bit counts without a stated scale" if counted else "a thermal picture of 8 bits"
    return replace(
        frame,
        pixels=_greyed(values) if counted else values,
        warmth=values.astype(np.float32),
        warmth_limit=65535.0 if counted else 255.0,
        note=_join(frame.note, frame.metadata.note, _relative(why)),
    )


def _temperatures(
    values: npt.NDArray[Any], xmp: dict[str, str], description: str
) -> radiometry.Temperatures | None:
    """Return the temperatures of a TIFF's values, None where they only tell what is warmer."""
    if np.issubdtype(values.dtype, np.floating):
        temperatures = radiometry.checked(*celsius_tiff.to_celsius(values), decoder="float-tiff 1")
    elif values.dtype == np.uint16 and (gain := linear16.gain_k(xmp, description)):
        in_c = linear16.to_celsius(values, kelvin_per_count=gain)
        temperatures = radiometry.checked(in_c, decoder="linear-tiff 1")
    elif values.dtype == np.uint16 and linear16.looks_centikelvin(values):
        note = "no scale stated: read as 0.01 K a count, which is as warm as a landscape"
        in_c = linear16.to_celsius(values, kelvin_per_count=0.01)
        temperatures = radiometry.checked(in_c, note, decoder="linear-tiff 1")
    elif values.dtype in (np.uint8, np.uint16):
        return None
    else:
        raise Unreadable(
            f"a TIFF of {values.dtype}: expected °C as floats, 16-bit counts or an 8-bit thermal picture"
        )
    if not np.isfinite(temperatures.celsius).any():
        raise Unreadable("no pixel holds a temperature (all are NaN or out of range)")
    return temperatures


def _relative(why: str) -> str:
    return f"relative thermal, temperatures cannot be had: {why} shows only what is warmer than what"


def _greyed(counts: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return counts as a grey picture, darkest to brightest."""
    low, high = float(counts.min()), float(counts.max())
    return ((counts - low) * (255.0 / max(high - low, 1.0))).astype(np.uint8)


def _load_picture(path: Path, data: bytes, thermal: bool, conditions: Conditions, *, whole: bool) -> Frame:
    made = makers.read(data, conditions)
    if not whole and not thermal and made is None and (left := _left_encoded(path, data)):
        return left
    pixels = _decoded(data)
    height, width = pixels.shape[:2]
    if isinstance(made, radiometry.Temperatures):
        height, width = made.celsius.shape
    grey = pixels.ndim == 2 or _is_grey(pixels)
    is_thermal = thermal or made is not None or (grey and (width, height) in _THERMAL_SIZES)
    metadata = of_jpeg(data, width_px=width, height_px=height, thermal=is_thermal)
    frame = Frame(shot=_shot(path, metadata), metadata=metadata, unplaced=_unplaced(metadata))
    if isinstance(made, radiometry.Temperatures):
        note = _join(metadata.note, made.note)
        return replace(
            frame, celsius=made.celsius, saturated_c=made.saturated_c, radiometry=made.decoder, note=note
        )
    if made is None and metadata.camera.sensor is not Sensor.THERMAL:
        return replace(frame, pixels=pixels, note=metadata.note)
    why = "a thermal picture of 8 bits"
    warmth, limit = (_luma(pixels) if not grey else _first_band(pixels)), 255.0
    if made is not None:
        why = f"{made.maker} radiometric data inside, {made.reason}; what is left"
        if made.counts is not None and made.counts.shape == pixels.shape[:2]:
            warmth, limit = made.counts.astype(np.float32), 65535.0
    note = _join(_relative(why), metadata.note)
    return replace(frame, pixels=pixels, warmth=warmth, warmth_limit=limit, note=note)


def _left_encoded(path: Path, data: bytes) -> Frame | None:
    """Return a large colour JPEG's frame, its pixels still encoded; None for any other picture."""
    try:
        encoded = encoded_jpeg.opened(data)
    except Exception as error:  # as `_decoded`
        raise Unreadable(f"the picture is damaged: {_told(error)}") from None
    if encoded is None:
        return None
    metadata = of_jpeg(data, width_px=encoded.width_px, height_px=encoded.height_px, thermal=False)
    if metadata.camera.sensor is Sensor.THERMAL:
        return None
    shot = _shot(path, metadata)
    return Frame(shot, metadata, unplaced=_unplaced(metadata), note=metadata.note, encoded=encoded)


def _first_band(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return (pixels if pixels.ndim == 2 else pixels[..., 0]).astype(np.float32)


def _luma(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the brightness of a picture in false colours: every usual scale is brightest where warmest."""
    return (pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32)


def _decoded(data: bytes) -> npt.NDArray[np.uint8]:
    """Return the pixels; a picture that ends early is refused, not filled with grey."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data)) as image:
                image.load()
                if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip to 8
                    return _greyed(np.asarray(image))
                return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, its own
        raise Unreadable(f"the picture is damaged: {_told(error)}") from None


def _told(error: Exception) -> str:
    """Return what a library says of a file, where a person can make something of it."""
    words = str(error)
    return (
        "nothing in it can be read" if isinstance(error, LookupError) or " object at 0x" in words else words
    )


def _is_grey(pixels: npt.NDArray[np.uint8]) -> bool:
    sample = pixels[::4, ::4].astype(np.int16)
    return bool((np.abs(sample - sample[..., :1]) <= 2).all())


def _is_ground(page: tifffile.TiffPage) -> bool:
    return page.samplesperpixel == 1 and _is_georeferenced(page)


def _is_georeferenced(page: tifffile.TiffPage) -> bool:
    return any(code in page.tags for code in _GEOREFERENCED)


def _shot(path: Path, metadata: Metadata) -> Shot:
    pose = pose_of(metadata.reading)
    return Shot(
        id=path.stem,
        camera=metadata.camera,
        taken_at=metadata.taken_at,
        pose=pose if isinstance(pose, CameraPose) else None,
        file=str(path),
        drone=metadata.drone,
        index=metadata.index,
    )


def _unplaced(metadata: Metadata) -> str | None:
    pose = pose_of(metadata.reading)
    return pose if isinstance(pose, str) else None


def _from_neighbour(path: Path, own: Metadata) -> tuple[Metadata, str | None]:
    """Return the metadata of the JPEG that a bare temperature file was decoded from, if it lies beside it."""
    stem = path.stem
    stems = [stem, *(stem.removesuffix(s) for s in _DECODED_SUFFIXES if stem.lower().endswith(s))]
    for name in (f"{s}{ending}" for s in stems for ending in (".jpg", ".JPG", ".jpeg", ".JPEG")):
        beside = path.with_name(name)
        if beside.is_file():
            camera = own.camera
            found = of_jpeg(
                beside.read_bytes(), width_px=camera.width_px, height_px=camera.height_px, thermal=True
            )
            if found.reading.place:
                return found, f"place and direction are those of {name} beside it"
    return own, None


def _join(*notes: str | None) -> str | None:
    return "; ".join(n for n in notes if n) or None
