"""The report of an inspection: one HTML file that needs nothing beside it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context

from missions.model import Hazard
from missions.words import LANGUAGES, area_text, text
from vision.inspection import FrameResult, Inspection
from vision.model import Detection, Ellipse

if TYPE_CHECKING:
    from vision.counting import Count

MOST_PICTURES = 300
_PLAIN_WIDTH_PX = 360


@dataclass(frozen=True, slots=True)
class Card:
    """One frame in the report: its result and its picture as a data address, or none."""

    result: FrameResult
    picture: str | None


def render(
    inspection: Inspection,
    marked: dict[str, bytes],
    *,
    language: str = "en-US",
    counts: Sequence["Count"] = (),
) -> str:
    """Return the report as HTML; `marked` holds a JPEG per file."""
    frames = [r for r in inspection.frames if r.skipped is None]
    return _template().render(
        language=language,
        t=lambda key, **values: text(f"report_{key}", language, **values),
        hazard=lambda name: hazard_name(name, language),
        inspection=inspection,
        counts=counts,
        cards=_cards(frames, marked),
        skipped=[r for r in inspection.frames if r.skipped is not None],
        detections=sum(len(r.detections) for r in frames),
        unplaced_fires=sum(_leaves_fire(r) for r in frames),
    )


def hazard_name(hazard: Hazard, language: str) -> str:
    """Return what people call a hazard; one without a word here has its alerts', in English its id."""
    try:
        return text(f"hazard_{hazard.value}", language)
    except KeyError:
        if language == LANGUAGES[0]:
            return hazard.value.replace("_", " ")
        return text(f"alert.event.{hazard.value}", language)


def _leaves_fire(result: FrameResult) -> bool:
    """Return whether a fire of the frame could not be put on the ground."""
    return any(d.hazard is Hazard.FIRE and i not in result.placed for i, d in enumerate(result.detections))


def _cards(frames: list[FrameResult], marked: dict[str, bytes]) -> list[Card]:
    """Return frames with detections first, then the others, pictures as far as a report can hold."""
    ordered = sorted(frames, key=lambda r: not r.detections)
    return [
        Card(
            r,
            _address(marked[r.file], small=not r.detections)
            if i < MOST_PICTURES and r.file in marked
            else None,
        )
        for i, r in enumerate(ordered)
    ]


def _address(jpeg: bytes, *, small: bool) -> str:
    """Return a JPEG as a data address, made small where there is nothing to see."""
    if small:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is not None and picture.shape[1] > _PLAIN_WIDTH_PX:
            height = max(1, round(picture.shape[0] * _PLAIN_WIDTH_PX / picture.shape[1]))
            picture = cv2.resize(picture, (_PLAIN_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
            jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def _ellipse(ellipse: Ellipse) -> str:
    return f"± {ellipse.major_m:.1f} × {ellipse.minor_m:.1f} m, {ellipse.bearing_deg:.0f}°"


@pass_context
def _area(context: Context, area_m2: float | None) -> str:
    return "–" if area_m2 is None else area_text(area_m2, context["language"])


def _heat(detection: Detection) -> str:
    return "–" if detection.temp_max_c is None else f"{detection.temp_max_c:.0f} °C"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("vision", "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {
        "ellipse": _ellipse,
        "area": _area,
        "heat": _heat,
        "name": lambda file: Path(file).name,
        "percent": lambda share: f"{share * 100:.0f} %",
    }
    return environment.get_template("report.html")
