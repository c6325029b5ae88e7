"""One world everybody knows, and its variations."""

import pytest

from missions.model import Site
from tests import builders


@pytest.fixture(scope="session")
def valley() -> Site:
    """Two docks, one ridge, four agencies."""
    return builders.valley()


@pytest.fixture(scope="session")
def valley_windy(valley: Site) -> Site:
    return builders.windy(valley)


@pytest.fixture(scope="session")
def valley_one_dock(valley: Site) -> Site:
    return builders.with_one_dock(valley)
