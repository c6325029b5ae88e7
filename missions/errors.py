"""What breaks a promise in this package, each error wording itself.

`InputWrong` is what the user can mend (exit code 2), `WorkFailed` what he
cannot (exit code 1); the program maps them, nobody else does.
"""

from dataclasses import dataclass


class GridpatrolError(Exception):
    """Base of all errors that Gridpatrol words for a person."""

    exit_code = 1


class WorkFailed(GridpatrolError):
    """The input was right and the work could not be done."""


class InputWrong(GridpatrolError):
    """The input cannot be used as it is; the text names the place and the remedy."""

    exit_code = 2


@dataclass
class SiteWrong(InputWrong):
    """A site file does not say what a site file must say.

    `place` is "site.yaml:12" where the line is known, else a key path.
    """

    place: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.place}: found {self.found}, expected {self.expected}"


@dataclass
class MixedDatums(GridpatrolError):
    """Two heights over different surfaces met without a conversion."""

    left: str
    right: str

    def __str__(self) -> str:
        return f"cannot compare a height over {self.left} with one over {self.right}: convert one first"


@dataclass
class OutsideTerrain(GridpatrolError):
    """A height was asked for where the elevation model has none."""

    lat_deg: float
    lon_deg: float
    source: str

    def __str__(self) -> str:
        return (
            f"{self.source} has no height at {self.lat_deg:.6f}, {self.lon_deg:.6f}: "
            "use an elevation model that covers the whole site"
        )
