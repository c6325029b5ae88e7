"""What a flying sortie's camera follows, as its gateway told last."""

import sqlalchemy as sa
from alembic import op

revision = "0011_follows"
down_revision = "0010_candidates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sorties", sa.Column("follows", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("sorties", "follows")
