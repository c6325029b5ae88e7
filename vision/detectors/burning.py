"""Straw on fire: a fire in a field.

What burns is found as every fire is, by its heat; what makes it burning straw is where it burns. A fire in
the wood or in a yard is somebody else's, and where no fields are known nobody can tell the two apart.
"""

from dataclasses import replace

import numpy as np
from shapely import contains_xy
from shapely.geometry import Polygon

from missions.geo import LatLon, LocalFrame
from missions.layers import NamedArea
from missions.model import Hazard
from vision.detectors import Abstained, Found
from vision.detectors.thermal import ThermalFire
from vision.frame import Frame
from vision.georeference import Located, locate_many
from vision.scene import Scene

RIM_M = 3.0
"""A fire so far outside a field's drawn edge is still the field's: fixes and maps are metres off."""


class Burning:
    """Finds burning straw in frames of °C that have a pose, where the site names its fields."""

    name = "burning 1"
    hazards = frozenset({Hazard.BURNING})

    def __init__(self) -> None:
        self._fire = ThermalFire()

    def reads(self, frame: Frame) -> bool:
        """Return whether fires can be found in it by heat."""
        return frame.celsius is not None

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the fires that lie in a field, or why that cannot be told."""
        if not scene.references.fields:
            return Abstained("the site names no fields: burning straw cannot be told from another fire")
        if frame.shot.pose is None or scene.ground is None:
            return Abstained("without a place on the ground no fire can be told to burn in a field")
        found = self._fire.detect(frame, scene)
        if isinstance(found, Abstained):
            return found
        fires = [d for d in found if d.hazard is Hazard.FIRE]
        if not fires:
            return ()
        middles = np.array([d.box.middle_px for d in fires])
        places = locate_many(frame.shot.camera, frame.shot.pose, middles, ground=scene.ground)
        return tuple(
            replace(
                fire,
                hazard=Hazard.BURNING,
                detector=self.name,
                kind="straw",
                facts=dict(fire.facts) | {"field": field.id},
            )
            for fire, at in zip(fires, places, strict=True)
            if isinstance(at, Located) and (field := field_at(at.place, scene.references.fields))
        )


def field_at(place: LatLon, fields: tuple[NamedArea, ...]) -> NamedArea | None:
    """Return the field a place lies in, None where it lies in none."""
    frame = LocalFrame(place)
    for field in fields:
        shape: Polygon = frame.polygon(field.area)
        if contains_xy(shape.buffer(RIM_M), 0.0, 0.0):
            return field
    return None
