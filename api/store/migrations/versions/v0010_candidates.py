"""Places that wait for a further look; how large a masked source was; what a find is said to be."""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import flag, index, json, moment, number, text, whole

revision = "0010_candidates"
down_revision = "0009_frame_grounds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "candidates",
        text("id"),
        text("drone"),
        text("sensor"),
        text("hazard"),
        text("verdict"),
        whole("looks"),
        whole("hits"),
        moment("seen_at"),
        moment("heard_at"),
        flag("waits"),
        whole("further"),
        flag("is_told"),
        text("incident", null=True),
        json("candidate"),
        json("held"),
        sa.PrimaryKeyConstraint("id", name="pk_candidates"),
    )
    op.create_index("ix_candidates_eye", "candidates", ["drone", "sensor", "seen_at"])
    index("candidates", "waits")
    index("candidates", "incident")
    op.add_column("known_sources", number("largest_m2", null=True))
    op.add_column("observations", text("kind", null=True))
    op.add_column("observations", json("sources", null=True))
    op.add_column("observations", number("power_w", null=True))


def downgrade() -> None:
    for name in ("power_w", "sources", "kind"):
        op.drop_column("observations", name)
    op.drop_column("known_sources", "largest_m2")
    op.drop_table("candidates")
