"""What detectors say besides place and size, of looks and of incidents."""

from alembic import op

from api.store.migrations.columns import json

revision = "0012_facts"
down_revision = "0011_follows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("incidents", "observations"):
        op.add_column(table, json("facts", null=True))


def downgrade() -> None:
    for table in ("observations", "incidents"):
        op.drop_column(table, "facts")
