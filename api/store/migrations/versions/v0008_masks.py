"""A known hot place may be an agency's own mask."""

from alembic import op

from api.store.migrations.columns import text

revision = "0008_masks"
down_revision = "0007_custody"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("known_sources", text("agency", null=True))


def downgrade() -> None:
    op.drop_column("known_sources", "agency")
