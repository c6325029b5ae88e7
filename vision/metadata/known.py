"""Common drone cameras, by their makers' data sheets.

A pinhole needs the sensor's width and the focal length; where `focal_mm` is None the lens zooms
or was made in several lengths, and the file's EXIF has to tell. Widths follow from the sensor the
data sheet names ("1-inch" is 13.2 mm, "4/3" 17.3 mm, full frame 35.9 mm, "1/2.3-inch" 6.17 to 6.32 mm)
or from the pixel pitch of a thermal core (12 or 17 µm). `width_px` is the whole sensor's width in the
pictures the camera stores, and tells a drone's thermal camera from its colour one.
"""

from dataclasses import dataclass

from missions.model import Sensor

_T, _C = Sensor.THERMAL, Sensor.RGB


@dataclass(frozen=True, slots=True)
class Known:
    """A camera as its EXIF model names it, and where its facts come from."""

    model: str
    sensor: Sensor
    width_px: int
    sensor_width_mm: float
    focal_mm: float | None
    source: str


KNOWN = (
    # thermal
    Known("MAVIC2-ENTERPRISE-ADVANCED", _T, 640, 7.68, 9.0, "DJI Mavic 2 Enterprise Advanced: 12 µm, 9 mm"),
    Known("M30T", _T, 640, 7.68, None, "DJI Matrice 30T: 12 µm, 9.1 mm"),
    Known("M3T", _T, 640, 7.68, None, "DJI Mavic 3T: 12 µm, 9.1 mm"),
    Known("M3TD", _T, 640, 7.68, None, "DJI Matrice 3TD: 12 µm, 9.1 mm"),
    Known("ZH20T", _T, 640, 7.68, None, "DJI Zenmuse H20T: 12 µm, 13.5 mm"),
    Known("ZH20N", _T, 640, 7.68, None, "DJI Zenmuse H20N: 12 µm, two lenses"),
    Known("XT S", _T, 640, 10.88, None, "DJI Zenmuse XT S: 17 µm, 19 mm"),
    Known("FLIR", _T, 640, 10.88, None, "FLIR Tau 2 core of Zenmuse XT and XT2: 17 µm, several lenses"),
    Known("X2 NARROW", _T, 640, 3.84, 9.1, "Skydio X2E, FLIR Boson 320 shown doubled: 12 µm, 9.1 mm"),
    Known("BOSON 640", _T, 640, 7.68, None, "FLIR Boson 640 core: 12 µm, many lenses"),
    # colour
    Known("FC300S", _C, 4000, 6.3175, 3.61, "DJI Phantom 3 Professional: 1/2.3-inch Sony EXMOR"),
    Known("FC300X", _C, 4000, 6.3175, 3.61, "DJI Phantom 3 Professional: 1/2.3-inch Sony EXMOR"),
    Known("FC330", _C, 4000, 6.3175, 3.61, "DJI Phantom 4: 1/2.3-inch CMOS"),
    Known("FC350", _C, 4000, 6.3175, 3.61, "DJI Zenmuse X3: 1/2.3-inch CMOS"),
    Known("FC550", _C, 4608, 17.3, None, "DJI Zenmuse X5: 4/3, lenses change"),
    Known("FC6310", _C, 5472, 13.2, 8.8, "DJI Phantom 4 Pro: 1-inch, 8.8 mm"),
    Known("FC6310S", _C, 5472, 13.2, 8.8, "DJI Phantom 4 Pro V2: 1-inch, 8.8 mm"),
    Known("FC6310R", _C, 5472, 13.2, 8.8, "DJI Phantom 4 RTK: 1-inch, 8.8 mm"),
    Known("FC6510", _C, 5472, 13.2, 8.8, "DJI Zenmuse X4S: 1-inch, 8.8 mm"),
    Known("FC6520", _C, 5280, 17.3, None, "DJI Zenmuse X5S: 4/3, lenses change"),
    Known("L1D-20C", _C, 5472, 13.2, 10.26, "DJI Mavic 2 Pro: 1-inch, 10.26 mm"),
    Known("FC3411", _C, 5472, 13.2, 8.38, "DJI Air 2S: 1-inch, 8.38 mm"),
    Known("L2D-20C", _C, 5280, 17.3, 12.29, "DJI Mavic 3: 4/3, 12.29 mm"),
    Known("M3E", _C, 5280, 17.3, 12.29, "DJI Mavic 3 Enterprise, wide camera: 4/3, 12.29 mm"),
    Known("M3M", _C, 5280, 17.3, 12.29, "DJI Mavic 3 Multispectral, colour camera: 4/3, 12.29 mm"),
    Known("ZENMUSEP1", _C, 8192, 35.9, None, "DJI Zenmuse P1: full frame, 24, 35 or 50 mm"),
    Known("S.O.D.A.", _C, 5472, 13.2, 10.6, "senseFly S.O.D.A.: 1-inch, 10.6 mm"),
    Known("ILCE-7RM4A", _C, 9504, 35.7, None, "Sony Alpha 7R IV: full frame, lenses change"),
    Known("DSC-RX1RM2", _C, 7952, 35.9, 35.0, "Sony RX1R II: full frame, 35 mm"),
)
