"""The one place where a model is run: an ONNX file with its card, by ONNX Runtime or OpenVINO.

A card is a small JSON file beside the model (`NAME.onnx` or, packed, `NAME.onnx.xz`; `NAME.json`) that says
what the model is and what its file's SHA-256 is. A model without a card, or whose file is not the card's,
is not loaded: nobody would know whose word its answers are.

Any detector fits whose first output is the table common to single-stage detectors, (1, 4 + classes,
candidates): centre x, y, width, height in pixels of the input, then a score per class. A second output
(1, classes) may answer for the picture as a whole; without one the surest box does. A third (1, classes) may
say how much is to be doubted of that answer: for whole pictures it is taken off its log odds.
"""

import hashlib
import importlib.util
import json
import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from missions.errors import InputWrong

SHIPPED = Path(__file__).parent.parent / "models" / "fire.onnx.xz"
"""Where the model lies that is used unless another is named; it may be absent."""

PACKED = ".xz"
LARGEST = 256 << 20
"""Bytes that a packed model may have unpacked."""

STEP_PX = 64
"""Sides of an input are multiples of this."""

NOT_INSTALLED = "no colour model is installed: give one with --model FILE"

LONGEST_PX, DARK = 640, 12.0
"""What a card that does not say takes: the size of whole pictures, the least mean brightness."""

Rgb = npt.NDArray[np.uint8]
_Run = Callable[[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Card:
    """What a model's card says for machines; the rest of the card is for people.

    `picture`, `piece` and `box` are per class the score from which a whole picture, a piece cut from one and
    a box count; `longest_px` is how large whole pictures are shown to it, `canvases_px` the widths and
    heights they are shown in if it learnt from one shape alone, the largest last; `dark` the mean brightness
    (0 to 255) under which its word is worth nothing.
    """

    name: str
    version: str
    sha256: str
    classes: tuple[str, ...]
    picture: dict[str, float]
    piece: dict[str, float]
    box: dict[str, float]
    longest_px: int = LONGEST_PX
    canvases_px: tuple[tuple[int, int], ...] = ()
    dark: float = DARK
    licence: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a model says of one input: candidate boxes (left, top, right, bottom; pixels of the input),
    their score per class, how likely each class is somewhere in it, and what a whole picture's log odds of
    that are to be less."""

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    picture: npt.NDArray[np.float32]
    doubt: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model: its card and what runs it ("onnxruntime", "openvino")."""

    card: Card
    engine: str
    run: _Run = field(repr=False)

    @property
    def title(self) -> str:
        """Name and version, as every score carries them."""
        return f"{self.card.name} {self.card.version}"

    def see(self, pixels: Rgb) -> Seen:
        """Return what the model says of pixels (height, width, 3), sides multiples of `STEP_PX`.

        One picture at a time: several at once do not fit a core's cache and take longer each.
        """
        table, *more = self.run(channels_first(pixels))
        middle, half, scores = table[0, :2], table[0, 2:4] / 2, table[0, 4:]
        boxes = np.concatenate([middle - half, middle + half]).T
        whole = more[0][0] if more else scores.max(1, initial=0.0)
        is_doubted = len(more) > 1 and more[1].shape == more[0].shape
        doubt = more[1][0] if is_doubted else np.zeros_like(whole)
        return Seen(boxes.astype(np.float32), scores.T, whole.astype(np.float32), doubt)

    def see_whole(self, pixels: Rgb) -> tuple[Seen, float]:
        """Return what the model says of a whole picture, and the scale of the boxes.

        It is shown the picture on each of its card's canvases: a thin plume shows when it is large, a wide
        one when it is small. The picture's answer is the mean of their log odds less its doubt; the boxes are
        those of all.
        """
        looks = shown(pixels, self.card)
        every, scale = [self.see(canvas) for canvas, _ in looks], looks[-1][1]
        likely = np.clip([seen.picture for seen in every], _LEAST, 1 - _LEAST)
        odds = np.exp((np.log(likely / (1 - likely)) - [seen.doubt for seen in every]).mean(0))
        boxes = [seen.boxes * np.float32(scale / its) for seen, (_, its) in zip(every, looks, strict=True)]
        return (
            Seen(
                np.concatenate(boxes),
                np.concatenate([seen.scores for seen in every]),
                (odds / (1 + odds)).astype(np.float32),
                np.zeros_like(every[0].doubt),
            ),
            scale,
        )


def is_installed() -> bool:
    """Return whether there is a model where none is named."""
    return SHIPPED.is_file()


def load(path: Path | None = None) -> Model:
    """Return a model, the installed one unless another is named; read once per process.

    Raises:
        InputWrong: there is no model, no card, the file is not the card's, or it is no such model.
    """
    if path is None and not is_installed():
        raise InputWrong(NOT_INSTALLED)
    return _loaded((path or SHIPPED).resolve())


def shown(pixels: Rgb, card: Card) -> list[tuple[Rgb, float]]:
    """Return a whole picture as a model is shown it, the rest of each canvas grey, with its scale."""
    if not card.canvases_px:
        return [fitted(pixels, card.longest_px)]
    height, width = pixels.shape[:2]
    scaled = [(wide, high, min(wide / width, high / height)) for wide, high in card.canvases_px]
    return [(_placed(pixels, scale, wide, high), scale) for wide, high, scale in scaled]


def fitted(pixels: Rgb, longest_px: int) -> tuple[Rgb, float]:
    """Return a picture with its longer side `longest_px`, padded grey to whole steps, and its scale."""
    height, width = pixels.shape[:2]
    scale = longest_px / max(height, width)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    return _placed(pixels, scale, _whole(wide), _whole(high)), scale


def is_dark(pixels: Rgb, limit: float) -> bool:
    """Return whether a picture is too dark for a colour model to be asked: night without a flame in it.

    A flame at night is bright, however dark the rest: its pixels are what is looked for first.
    """
    sample = pixels[::8, ::8]
    return bool(sample.mean() < limit and np.percentile(sample.max(axis=-1), 99.9) < _BRIGHT)


_BRIGHT = 170.0
_LEAST = 1e-6
_SIZES_KEPT = 24


def _placed(pixels: Rgb, scale: float, width: int, height: int) -> Rgb:
    """Return pixels scaled into the upper left corner of a grey canvas."""
    wide, high = (max(1, round(side * scale)) for side in pixels.shape[1::-1])
    wide, high = min(wide, width), min(high, height)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.full((height, width, 3), 114, np.uint8)
    canvas[:high, :wide] = cv2.resize(pixels, (wide, high), interpolation=how)
    return canvas


def _whole(side: int) -> int:
    return -(-side // STEP_PX) * STEP_PX


def channels_first(pixels: Rgb) -> npt.NDArray[np.float32]:
    """Return pixels as a graph wants them: (1, 3, height, width), 0 to 1."""
    planes = np.empty((1, 3, *pixels.shape[:2]), np.float32)
    np.multiply(pixels.transpose(2, 0, 1), np.float32(1 / 255), out=planes[0], casting="unsafe")
    return planes


@lru_cache(maxsize=8)
def _loaded(path: Path) -> Model:
    card = _card(path)
    stored = path.read_bytes()
    found = hashlib.sha256(stored).hexdigest()
    if found != card.sha256:
        raise InputWrong(
            f"{path}: not loaded: its SHA-256 is {found[:12]}…, its card speaks of {card.sha256[:12]}…"
        )
    data = unpacked(path, stored)
    try:
        if importlib.util.find_spec("openvino"):
            return Model(card, "openvino", _openvino(data))
        return Model(card, "onnxruntime", _onnxruntime(data))
    except InputWrong:
        raise
    except Exception as error:  # both engines raise their own kinds for a file that is no model
        raise InputWrong(f"{path}: no model that can be run: {error}") from None


def unpacked(path: Path, data: bytes) -> bytes:
    """Return a model's ONNX from the bytes of its file, unpacked where the file is packed.

    Raises:
        InputWrong: it cannot be unpacked, or would be larger than any model taken here.
    """
    if path.suffix != PACKED:
        return data
    packed = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        result = packed.decompress(data, max_length=LARGEST)
    except lzma.LZMAError as error:
        raise InputWrong(f"{path}: not unpacked: {error}") from None
    if not packed.eof:
        raise InputWrong(f"{path}: not unpacked: cut short, or larger than {LARGEST >> 20} MiB")
    return result


def card_beside(path: Path) -> Path:
    """Return where a model's card lies: NAME.json beside NAME.onnx or NAME.onnx.xz."""
    return (path.with_suffix("") if path.suffix == PACKED else path).with_suffix(".json")


def _card(path: Path) -> Card:
    beside = card_beside(path)
    if not path.is_file():
        raise InputWrong(f"{path}: no model there")
    if not beside.is_file():
        raise InputWrong(f"{path}: expected its card {beside.name} beside it: not loaded")
    try:
        value: dict[str, Any] = json.loads(beside.read_text("utf-8"))
        names = tuple(str(name) for name in value["classes"])
        piece = value.get("piece", value["picture"])
        return Card(
            name=str(value["name"]),
            version=str(value["version"]),
            sha256=str(value["sha256"]),
            classes=names,
            picture={name: float(value["picture"][name]) for name in names},
            piece={name: float(piece[name]) for name in names},
            box={name: float(value["box"][name]) for name in names},
            longest_px=int(value.get("longest_px", LONGEST_PX)),
            canvases_px=tuple(_canvas(sides) for sides in value.get("canvases_px", ())),
            dark=float(value.get("dark", DARK)),
            licence=str(value.get("licence", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputWrong(f"{beside}: no model card: {error!r}") from None


def _canvas(value: Any) -> tuple[int, int]:
    """Return a canvas of a card.

    Raises:
        ValueError: a side is no multiple of `STEP_PX`.
    """
    wide, high = (int(side) for side in value)
    if min(wide, high) < STEP_PX or wide % STEP_PX or high % STEP_PX:
        raise ValueError(f"canvases_px: expected multiples of {STEP_PX}, found {wide} × {high}")
    return wide, high


def onnx_session(data: bytes) -> onnxruntime.InferenceSession:
    """Return a session on one thread that does not spin while it waits: workers are processes here."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _onnxruntime(data: bytes) -> _Run:
    session = onnx_session(data)
    (entry,) = session.get_inputs()

    def run(planes: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        return cast(list[npt.NDArray[np.float32]], session.run(None, {entry.name: planes}))

    return run


def _openvino(data: bytes) -> _Run:
    """Return how OpenVINO runs a model: compiled once per size of input, which lets it fuse 8-bit layers."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # its own choice, bf16, is slower and less sure
    }

    @lru_cache(maxsize=_SIZES_KEPT)
    def compiled(height: int, width: int) -> Any:
        model = core.read_model(data)
        model.reshape([1, 3, height, width])
        return core.compile_model(model, "CPU", settings)

    def run(planes: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        result = compiled(*planes.shape[2:])([planes])
        return [np.array(result[i]) for i in range(len(result))]

    return run
