"""A message as people read it: the same words in a mail, a chat, a text message and a call."""

import json
from dataclasses import dataclass
from typing import Any

from missions.words import area_text, text
from vision import told

SMS_LENGTH = 300
"""Signs of a text message; longer ones are cut, the link last."""


@dataclass(frozen=True, slots=True)
class Worded:
    """One alert in one language. `kind` is raised, updated or cancelled."""

    kind: str
    severity: str
    title: str
    lines: tuple[str, ...]
    link: str | None

    @property
    def subject(self) -> str:
        """The headline with what it is worth, for a mail or a chat."""
        return f"[{self.severity}] {self.title}"

    @property
    def body(self) -> str:
        """All that is known, a sentence a line."""
        return "\n".join((*self.lines, *([self.link] if self.link else [])))

    @property
    def short(self) -> str:
        """The whole in the length of a text message."""
        tail = f" {self.link}" if self.link and self.link.startswith("http") else ""
        return f"{self.subject} {self.lines[0]}"[: SMS_LENGTH - len(tail)] + tail


def worded(message_body: str, language: str) -> Worded:
    """Return a message's body (`message.alert_message`) in the words of one language."""
    message = json.loads(message_body)
    data: dict[str, Any] = message["data"]
    alert, incident = data["alert"], data["incident"]
    kind = str(message["type"]).rpartition(".")[2]
    title = _said(alert["title"], language)
    if kind == "cancelled":
        title = text("cap.cancelled", language, title=title)
    place = text(
        "alert.place",
        language,
        place=_said(alert["place_name"], language),
        lat=incident["lat_deg"],
        lon=incident["lon_deg"],
        within=max(incident["ellipse"]["major_m"], 1.0),
    )
    known = (
        [text("alert.area", language, area=area_text(m2, language))]
        if (m2 := incident.get("area_m2"))
        else []
    )
    known += [text("alert.temp", language, temp=incident["temp_max_c"])] if incident.get("temp_max_c") else []
    known += told.sentences(incident.get("facts", {}), language)
    return Worded(
        kind=kind,
        severity=text(f"alert.severity.{alert['severity']}", language),
        title=title,
        lines=(place, *known, text("alert.instruction", language)),
        link=data.get("picture"),
    )


def _said(names: dict[str, str], language: str) -> str:
    return names.get(language) or next(iter(names.values()))
