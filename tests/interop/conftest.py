"""The world of the API's tests, for others' programs."""

from tests.api.conftest import (
    clock,
    copies,
    database,
    outside,
    prepared,
    services,
    signer,
    site,
    terrain,
)

__all__ = ["clock", "copies", "database", "outside", "prepared", "services", "signer", "site", "terrain"]
