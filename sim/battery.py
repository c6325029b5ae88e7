"""A lithium battery by its energy, and the voltage an autopilot sees of it.

Twelve cells in series, the usual pack of a dock drone. The rest voltage of a
cell over its charge is the discharge curve that makers of LiPo packs print; under
load it sags by the current through the pack's resistance.
"""

from bisect import bisect_right

CELLS = 12
NOMINAL_V = 3.7 * CELLS
_RESISTANCE_OHM = 0.036
CHARGE = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
CELL_V = (3.27, 3.50, 3.60, 3.69, 3.77, 3.86, 4.00, 4.18)


class Battery:
    """The energy in one pack and what was taken from it since it was last full."""

    def __init__(self, capacity_wh: float) -> None:
        self.capacity_wh = capacity_wh
        self.energy_wh = capacity_wh
        self.current_a = 0.0
        self.drop_v = 0.0  # what a bad cell takes off

    @property
    def share(self) -> float:
        """The charge left, 0 to 1."""
        return self.energy_wh / self.capacity_wh

    @property
    def is_empty(self) -> bool:
        return self.energy_wh <= 0.0

    @property
    def voltage_v(self) -> float:
        """The voltage at the terminals under the present load."""
        return _rest_v(self.share) - self.current_a * _RESISTANCE_OHM - self.drop_v

    @property
    def used_mah(self) -> float:
        """The charge taken since full."""
        return (self.capacity_wh - self.energy_wh) / NOMINAL_V * 1000.0

    @property
    def capacity_mah(self) -> float:
        return self.capacity_wh / NOMINAL_V * 1000.0

    def drain(self, power_w: float, dt_s: float) -> None:
        """Take power for a while."""
        self.energy_wh = max(0.0, self.energy_wh - power_w * dt_s / 3600.0)
        self.current_a = power_w / _rest_v(self.share)

    def charge(self, energy_wh: float) -> None:
        """Put energy in, up to full."""
        self.energy_wh = min(self.capacity_wh, self.energy_wh + energy_wh)
        self.current_a = 0.0


def _rest_v(share: float) -> float:
    share = min(1.0, max(0.0, share))
    above = min(len(CHARGE) - 1, bisect_right(CHARGE, share))
    below = above - 1
    part = (share - CHARGE[below]) / (CHARGE[above] - CHARGE[below])
    return CELLS * (CELL_V[below] + part * (CELL_V[above] - CELL_V[below]))
