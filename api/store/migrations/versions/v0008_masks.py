"""A known hot place may be an agency's own mask."""

import sqlalchemy as sa
from alembic import op

revision = "0008_masks"
down_revision = "0007_custody"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("known_sources", sa.Column("agency", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("known_sources", "agency")
