"""Places that wait for a further look; how large a masked source was; what a find is said to be."""

import sqlalchemy as sa
from alembic import op

revision = "0010_candidates"
down_revision = "0009_frame_grounds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("drone", sa.String(200), nullable=False),
        sa.Column("sensor", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("verdict", sa.String(200), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("further", sa.Integer(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("incident", sa.String(200), nullable=True),
        sa.Column("candidate", sa.JSON(), nullable=False),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_candidates"),
    )
    op.create_index("ix_candidates_eye", "candidates", ["drone", "sensor", "seen_at"])
    op.create_index("ix_candidates_waits", "candidates", ["waits"])
    op.create_index("ix_candidates_incident", "candidates", ["incident"])
    op.add_column("known_sources", sa.Column("largest_m2", sa.Float(53), nullable=True))
    op.add_column("observations", sa.Column("kind", sa.String(200), nullable=True))
    op.add_column("observations", sa.Column("sources", sa.JSON(), nullable=True))
    op.add_column("observations", sa.Column("power_w", sa.Float(53), nullable=True))


def downgrade() -> None:
    for name in ("power_w", "sources", "kind"):
        op.drop_column("observations", name)
    op.drop_column("known_sources", "largest_m2")
    op.drop_table("candidates")
