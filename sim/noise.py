"""Errors of a consumer GPS, compass and gimbal: white noise on top of slow drift.

The drift of each part is a first-order Gauss-Markov process, the usual model of
GPS and gyro bias (Brown & Hwang, Introduction to Random Signals and Applied
Kalman Filtering, ch. 3): x' = a·x + s·sqrt(1 - a²)·w with a = exp(-dt / tau).
Its spread is `s` at any time and it forgets over `tau`.
"""

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Spread:
    """One standard deviation of the white and of the drifting part, and how long the drift lasts."""

    white: float
    drift: float
    tau_s: float = 60.0


@dataclass(frozen=True, slots=True)
class PoseSpread:
    """The spreads of every part of a pose; the defaults are a consumer drone without RTK."""

    horizontal_m: Spread = Spread(1.5, 1.5)
    vertical_m: Spread = Spread(2.0, 2.0)
    tilt_deg: Spread = Spread(0.5, 0.5)
    yaw_deg: Spread = Spread(1.5, 1.5)
    clock_s: float = 0.05


@dataclass(frozen=True, slots=True)
class PoseError:
    """What a reported pose differs from the true one by."""

    east_m: float
    north_m: float
    up_m: float
    pitch_deg: float
    roll_deg: float
    yaw_deg: float


class GaussMarkov:
    """One slowly drifting error."""

    def __init__(self, sigma: float, tau_s: float, random: Random) -> None:
        self._sigma = sigma
        self._tau_s = tau_s
        self._random = random
        self.value = random.gauss(0.0, sigma) if sigma else 0.0

    def advance(self, dt_s: float) -> float:
        """Return the error `dt_s` seconds later."""
        keep = math.exp(-dt_s / self._tau_s)
        fresh = self._sigma * math.sqrt(1.0 - keep * keep)
        self.value = keep * self.value + self._random.gauss(0.0, fresh)
        return self.value


class PoseNoise:
    """The errors of one drone's pose as time goes on; the same seed, the same errors."""

    def __init__(self, seed: int, spread: PoseSpread | None = None) -> None:
        self._random = Random(seed)
        self._spread = spread or PoseSpread()
        s = self._spread
        self._spreads = (s.horizontal_m, s.horizontal_m, s.vertical_m, s.tilt_deg, s.tilt_deg, s.yaw_deg)
        self._drifts = [GaussMarkov(part.drift, part.tau_s, self._random) for part in self._spreads]

    def advance(self, dt_s: float) -> None:
        """Let the drift go on for `dt_s` seconds."""
        for drift in self._drifts:
            drift.advance(dt_s)

    def drift(self) -> PoseError:
        """Return the drifting part alone: what a position filter cannot remove."""
        return PoseError(*(drift.value for drift in self._drifts))

    def sample(self) -> PoseError:
        """Return drift and a fresh white part together: what one single fix is wrong by."""
        return PoseError(
            *(
                drift.value + self._random.gauss(0.0, part.white)
                for drift, part in zip(self._drifts, self._spreads, strict=True)
            )
        )

    def clock_s(self) -> float:
        """Return a fresh error of a picture's time stamp, in seconds."""
        return self._random.gauss(0.0, self._spread.clock_s)


class Gusts:
    """Wind that swells around its mean, as a mean vector and two drifting parts."""

    SHARE = 0.15  # turbulence intensity over open hill country at 100 m (IEC 61400-1 gives 0.12-0.18)
    TAU_S = 8.0

    def __init__(self, east_m_s: float, north_m_s: float, seed: int) -> None:
        random = Random(seed)
        sigma = self.SHARE * math.hypot(east_m_s, north_m_s)
        self._mean = (east_m_s, north_m_s)
        self._parts = (GaussMarkov(sigma, self.TAU_S, random), GaussMarkov(sigma, self.TAU_S, random))

    def advance(self, dt_s: float) -> tuple[float, float]:
        """Return the air's velocity (east, north) `dt_s` seconds later, in m/s."""
        east, north = (part.advance(dt_s) for part in self._parts)
        return self._mean[0] + east, self._mean[1] + north
