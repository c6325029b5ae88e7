"""What a flying sortie's camera follows, as its gateway told last."""

from alembic import op

from api.store.migrations.columns import json

revision = "0011_follows"
down_revision = "0010_candidates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sorties", json("follows", null=True))


def downgrade() -> None:
    op.drop_column("sorties", "follows")
