"""DJI's WPML: one .kmz a sortie, for DJI Pilot 2 and FlightHub 2.

The format is DJI's "WPML" of the Cloud API documentation, namespace 1.0.2: a
zip with `wpmz/template.kml` (what a person may edit) and `wpmz/waylines.wpml`
(what is flown). Both say the same waypoints here. Heights are above the
take-off point, like the mission items they are made from, so what DJI flies is
what ArduPilot would. DJI's apps ask which drone and payload a file is for; ours
is a model of its own, so the file names the Matrice 3TD of DJI Dock 2 and the
person who imports it may choose another.
"""

import zipfile
from pathlib import Path
from xml.etree import ElementTree as Xml

from missions.export.planfile import PlanFile
from missions.items import (
    CONDITION_YAW,
    DO_CHANGE_SPEED,
    DO_MOUNT_CONTROL,
    IMAGE_START_CAPTURE,
    NAV_DELAY,
    NAV_LAND,
    NAV_TAKEOFF,
    NAV_WAYPOINT,
    MissionItem,
    mission_items,
)
from missions.model import Dock, Sortie

KML = "http://www.opengis.net/kml/2.2"
WPML = "http://www.dji.com/wpmz/1.0.2"
MATRICE_3TD = ("91", "1")  # type and sub-type in DJI's list of aircraft
MATRICE_3TD_CAMERA = ("81", "0")  # type and gimbal in DJI's list of cameras
LEAST_TAKEOFF_M, MOST_TAKEOFF_M = 1.2, 1500.0
BOTH_LENSES = "wide,ir"
# A zip with fixed dates: the same plan gives the same file.
_MADE = (1980, 1, 1, 0, 0, 0)


class _Leg:
    """One waypoint with what is set before it and done at it."""

    def __init__(self, item: MissionItem, speed_m_s: float, pitch_deg: float | None) -> None:
        self.item, self.speed_m_s, self.pitch_deg = item, speed_m_s, pitch_deg
        self.shots: list[int] = []
        self.heading_deg: float | None = None
        self.dwell_s = 0.0


def write(file: PlanFile, folder: Path) -> tuple[Path, ...]:
    """Write one .kmz for each sortie and return their paths."""
    paths = []
    for sortie in file.plan.sorties:
        path = folder / f"{sortie.id}.kmz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, is_template in (("template.kml", True), ("waylines.wpml", False)):
                document = to_bytes(sortie, file.dock(sortie.dock), is_template=is_template)
                packed.writestr(zipfile.ZipInfo(f"wpmz/{name}", _MADE), document)
        paths.append(path)
    return tuple(paths)


def to_bytes(sortie: Sortie, dock: Dock, *, is_template: bool) -> bytes:
    """Return template.kml or waylines.wpml of a sortie."""
    items = mission_items(sortie, dock)
    legs = _legs(items)
    root = Xml.Element("kml", {"xmlns": KML, "xmlns:wpml": WPML})
    document = Xml.SubElement(root, "Document")
    if is_template:
        _say(document, "author", "Gridpatrol")
    _add_config(document, dock, items, legs[0].speed_m_s, is_template=is_template)
    folder = Xml.SubElement(document, "Folder")
    _say(folder, "templateId", "0")
    speed = f"{max(leg.speed_m_s for leg in legs):g}"
    if is_template:
        _add_template_head(folder, speed)
    else:
        _say(folder, "executeHeightMode", "relativeToStartPoint")
        _say(folder, "waylineId", "0")
        _say(folder, "autoFlightSpeed", speed)
    for number, leg in enumerate(legs):
        _add_waypoint(folder, number, leg, is_template=is_template)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _legs(items: tuple[MissionItem, ...]) -> list[_Leg]:
    """Return the waypoints in order, each with its speed, its camera angle and its pictures."""
    legs: list[_Leg] = []
    speed_m_s, pitch_deg = 1.0, None
    for item in items:
        match item.command:
            case n if n == DO_CHANGE_SPEED:
                speed_m_s = item.params[1]
            case n if n == DO_MOUNT_CONTROL:
                pitch_deg = item.params[0]
            case n if n == NAV_WAYPOINT:
                legs.append(_Leg(item, speed_m_s, pitch_deg))
            case n if n == IMAGE_START_CAPTURE and item.shot is not None:
                legs[-1].shots.append(item.shot)
            case n if n == CONDITION_YAW:
                legs[-1].heading_deg = item.params[0]
            case n if n == NAV_DELAY:
                legs[-1].dwell_s = item.params[0]
            case n if n == NAV_TAKEOFF:
                continue
    return legs


def _add_config(
    document: Xml.Element,
    dock: Dock,
    items: tuple[MissionItem, ...],
    speed_m_s: float,
    *,
    is_template: bool,
) -> None:
    config = _under(document, "missionConfig")
    _say(config, "flyToWaylineMode", "safely")
    _say(config, "finishAction", "autoLand" if items[-1].command == NAV_LAND else "goHome")
    _say(config, "exitOnRCLost", "goContinue")
    _say(config, "executeRCLostAction", "goBack")
    height_m = min(max(items[0].altitude_m, LEAST_TAKEOFF_M), MOST_TAKEOFF_M)
    _say(config, "takeOffSecurityHeight", f"{height_m:g}")
    if is_template:
        place = dock.place
        _say(config, "takeOffRefPoint", f"{place.lat_deg:.7f},{place.lon_deg:.7f},{dock.elevation_m:.2f}")
        _say(config, "takeOffRefPointAGLHeight", "0")
    _say(config, "globalTransitionalSpeed", f"{speed_m_s:g}")
    drone = _under(config, "droneInfo")
    _say(drone, "droneEnumValue", MATRICE_3TD[0])
    _say(drone, "droneSubEnumValue", MATRICE_3TD[1])
    payload = _under(config, "payloadInfo")
    _say(payload, "payloadEnumValue", MATRICE_3TD_CAMERA[0])
    _say(payload, "payloadPositionIndex", MATRICE_3TD_CAMERA[1])


def _add_template_head(folder: Xml.Element, speed: str) -> None:
    _say(folder, "templateType", "waypoint")
    system = _under(folder, "waylineCoordinateSysParam")
    _say(system, "coordinateMode", "WGS84")
    _say(system, "heightMode", "relativeToStartPoint")
    _say(folder, "autoFlightSpeed", speed)
    _say(folder, "gimbalPitchMode", "manual")
    heading = _under(folder, "globalWaypointHeadingParam")
    _say(heading, "waypointHeadingMode", "followWayline")
    _say(folder, "globalWaypointTurnMode", "toPointAndPassWithContinuityCurvature")
    _say(folder, "globalUseStraightLine", "1")


def _add_waypoint(folder: Xml.Element, number: int, leg: _Leg, *, is_template: bool) -> None:
    mark = Xml.SubElement(folder, "Placemark")
    point = Xml.SubElement(mark, "Point")
    Xml.SubElement(point, "coordinates").text = f"{leg.item.lon_deg:.7f},{leg.item.lat_deg:.7f}"
    _say(mark, "index", str(number))
    height = f"{leg.item.altitude_m:.2f}"
    if is_template:
        _say(mark, "ellipsoidHeight", height)  # both are read above the start, as the height mode says
        _say(mark, "height", height)
        _say(mark, "useGlobalSpeed", "0")
        _say(mark, "useGlobalHeadingParam", "1")
        _say(mark, "useGlobalTurnParam", "0" if leg.dwell_s else "1")
    else:
        _say(mark, "executeHeight", height)
    _say(mark, "waypointSpeed", f"{leg.speed_m_s:g}")
    if not is_template:
        heading = _under(mark, "waypointHeadingParam")
        _say(heading, "waypointHeadingMode", "followWayline")
    if leg.dwell_s or not is_template:
        turn = _under(mark, "waypointTurnParam")
        passes = "toPointAndPassWithContinuityCurvature"
        _say(turn, "waypointTurnMode", "toPointAndStopWithContinuityCurvature" if leg.dwell_s else passes)
        _say(turn, "waypointTurnDampingDist", "0")
    if not is_template:
        _say(mark, "useStraightLine", "1")
    if leg.shots:
        _add_actions(mark, number, leg)


def _add_actions(mark: Xml.Element, number: int, leg: _Leg) -> None:
    group = _under(mark, "actionGroup")
    _say(group, "actionGroupId", str(number))
    _say(group, "actionGroupStartIndex", str(number))
    _say(group, "actionGroupEndIndex", str(number))
    _say(group, "actionGroupMode", "sequence")
    _say(_under(group, "actionTrigger"), "actionTriggerType", "reachPoint")
    if leg.pitch_deg is not None:
        pitch = _action(group, 0, "gimbalRotate")
        _say(pitch, "gimbalHeadingYawBase", "aircraft")
        _say(pitch, "gimbalRotateMode", "absoluteAngle")
        for axis, value in (("Pitch", f"{leg.pitch_deg:g}"), ("Roll", None), ("Yaw", None)):
            _say(pitch, f"gimbal{axis}RotateEnable", "0" if value is None else "1")
            _say(pitch, f"gimbal{axis}RotateAngle", value or "0")
        _say(pitch, "gimbalRotateTimeEnable", "0")
        _say(pitch, "gimbalRotateTime", "0")
        _say(pitch, "payloadPositionIndex", MATRICE_3TD_CAMERA[1])
    if leg.heading_deg is not None:
        yaw = _action(group, 1, "rotateYaw")
        _say(yaw, "aircraftHeading", f"{(leg.heading_deg + 180) % 360 - 180:g}")
        _say(yaw, "aircraftPathMode", "clockwise")
    for place, shot in enumerate(leg.shots, start=2):
        photo = _action(group, place, "takePhoto")
        _say(photo, "payloadPositionIndex", MATRICE_3TD_CAMERA[1])
        _say(photo, "fileSuffix", f"GP{shot + 1:04}")
        _say(photo, "payloadLensIndex", BOTH_LENSES)
        _say(photo, "useGlobalPayloadLensIndex", "0")
    if leg.dwell_s:
        _say(_action(group, 2 + len(leg.shots), "hover"), "hoverTime", f"{leg.dwell_s:g}")


def _action(group: Xml.Element, number: int, function: str) -> Xml.Element:
    action = _under(group, "action")
    _say(action, "actionId", str(number))
    _say(action, "actionActuatorFunc", function)
    return _under(action, "actionActuatorFuncParam")


def _under(parent: Xml.Element, tag: str) -> Xml.Element:
    return Xml.SubElement(parent, f"wpml:{tag}")


def _say(parent: Xml.Element, tag: str, text: str) -> None:
    Xml.SubElement(parent, f"wpml:{tag}").text = text
