"""Which agency's ground a picture shows."""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import text

revision = "0009_frame_grounds"
down_revision = "0008_masks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "frame_grounds",
        sa.Column("frame", sa.String(200), sa.ForeignKey("frames.id"), nullable=False),
        text("agency"),
        sa.PrimaryKeyConstraint("frame", "agency", name="pk_frame_grounds"),
    )
    op.create_index("ix_frame_grounds_agency", "frame_grounds", ["agency", "frame"])


def downgrade() -> None:
    op.drop_table("frame_grounds")
