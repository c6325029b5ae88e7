"""One world everybody knows, and its variations."""

import pytest
from hypothesis import settings

from missions.model import Site
from tests import builders

# A busy machine is slow at random; what a property says does not depend on it.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


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
