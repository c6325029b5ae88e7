"""What lies between an object and the camera: asked of the caller, then of the file, then assumed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """How to turn radiation into temperature; None takes what the file says, and failing that the default.

    Defaults, where a file is silent: `emissivity` 0.95 (plants, soil, painted metal), `distance_m` 5,
    `humidity` 0.5 (a share, not per cent), `reflected_c` 23 (the temperature that the object mirrors) and
    `air_c` as warm as what is mirrored.
    """

    emissivity: float | None = None
    distance_m: float | None = None
    humidity: float | None = None
    reflected_c: float | None = None
    air_c: float | None = None

    def __post_init__(self) -> None:
        if self.emissivity is not None and not 0.05 <= self.emissivity <= 1.0:
            raise ValueError(f"emissivity: found {self.emissivity:g}, expected 0.05 to 1")
        if self.humidity is not None and not 0.0 <= self.humidity <= 1.0:
            raise ValueError(f"humidity: found {self.humidity:g}, expected a share from 0 to 1")
        if self.distance_m is not None and not 0.0 <= self.distance_m <= 10_000.0:
            raise ValueError(f"distance_m: found {self.distance_m:g}, expected 0 to 10 000")

    def over(self, file: "Conditions") -> "Full":
        """Return all conditions: these first, then the file's, then the defaults."""
        reflected_c = _first(self.reflected_c, file.reflected_c, 23.0)
        return Full(
            emissivity=_first(self.emissivity, file.emissivity, 0.95),
            distance_m=_first(self.distance_m, file.distance_m, 5.0),
            humidity=_first(self.humidity, file.humidity, 0.5),
            reflected_c=reflected_c,
            air_c=_first(self.air_c, file.air_c, reflected_c),
        )


@dataclass(frozen=True, slots=True)
class Full:
    """Conditions with nothing left open."""

    emissivity: float
    distance_m: float
    humidity: float
    reflected_c: float
    air_c: float


def _first(*values: float | None) -> float:
    return next(v for v in values if v is not None)
