"""plan.kml: docks and sorties for Google Earth and DJI's map imports (OGC KML 2.2)."""

from pathlib import Path
from xml.etree import ElementTree as Xml

from missions.export.colours import sortie_colour
from missions.export.planfile import PlanFile
from missions.model import Dock, Sortie
from missions.words import named

NAMESPACE = "http://www.opengis.net/kml/2.2"


def write(file: PlanFile, path: Path, *, language: str = "en-US") -> None:
    """Write the plan as one KML document."""
    path.write_bytes(to_bytes(file, language=language))


def to_bytes(file: PlanFile, *, language: str = "en-US") -> bytes:
    """Return the KML of a plan, names in the language wanted."""
    root = Xml.Element("kml", xmlns=NAMESPACE)
    document = Xml.SubElement(root, "Document")
    _text(document, "name", f"Gridpatrol {file.site_id}")
    for number, sortie in enumerate(file.plan.sorties):
        style = Xml.SubElement(Xml.SubElement(document, "Style", id=sortie.id), "LineStyle")
        _text(style, "color", _abgr(sortie_colour(number)))
        _text(style, "width", "3")
    for dock in file.docks:
        _add_dock(document, dock, language)
    for sortie in file.plan.sorties:
        _add_sortie(document, sortie)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _add_dock(document: Xml.Element, dock: Dock, language: str) -> None:
    mark = Xml.SubElement(document, "Placemark")
    _text(mark, "name", named(dock.name, language))
    point = Xml.SubElement(mark, "Point")
    _text(point, "altitudeMode", "absolute")
    _text(point, "coordinates", f"{dock.place.lon_deg:.7f},{dock.place.lat_deg:.7f},{dock.elevation_m:.1f}")


def _add_sortie(document: Xml.Element, sortie: Sortie) -> None:
    mark = Xml.SubElement(document, "Placemark")
    _text(mark, "name", sortie.id)
    _text(
        mark,
        "description",
        f"{sortie.flight_s / 60:.1f} min, {len(sortie.shots)} pictures, {', '.join(sortie.agencies)}",
    )
    _text(mark, "styleUrl", f"#{sortie.id}")
    line = Xml.SubElement(mark, "LineString")
    _text(line, "altitudeMode", "absolute")
    _text(
        line,
        "coordinates",
        " ".join(
            f"{w.place.lon_deg:.7f},{w.place.lat_deg:.7f},{w.altitude.metres:.1f}" for w in sortie.waypoints
        ),
    )


def _text(parent: Xml.Element, tag: str, text: str) -> None:
    Xml.SubElement(parent, tag).text = text


def _abgr(colour: str) -> str:
    """Return KML's aabbggrr of a #rrggbb colour, opaque."""
    return f"ff{colour[5:7]}{colour[3:5]}{colour[1:3]}"
