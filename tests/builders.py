"""The small site everybody knows, and the variations that tests are written in."""

from dataclasses import replace
from pathlib import Path

from missions.model import Site, Wind
from missions.site import load_site

VALLEY = Path(__file__).parent.parent / "examples" / "valley"


def valley() -> Site:
    """Return the example valley as its file says it."""
    return load_site(VALLEY / "site.yaml")


def windy(site: Site, *, speed_m_s: float = 9.0) -> Site:
    """Return the site in a wind against which drones still make way, slowly."""
    return replace(site, wind=Wind(speed_m_s, site.wind.from_deg))


def with_one_dock(site: Site) -> Site:
    """Return the site with its first dock and that dock's drones alone."""
    dock = site.docks[0]
    drones = tuple(drone for drone in site.drones if drone.dock == dock.id)
    return replace(site, docks=(dock,), drones=drones)
