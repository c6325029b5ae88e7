"""All tables, a file a topic; importing this package makes the schema whole.

The first tables stand in `api.store.models`; each later topic has its file here
and its own step in `api/store/migrations/versions/`.
"""

from api.store import models
from api.store.base import Base
from api.store.tables import accounts, audit, confirming, delivery, orders, witnesses

__all__ = ["Base", "accounts", "audit", "confirming", "delivery", "models", "orders", "witnesses"]
