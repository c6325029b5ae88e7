"""The audit trail."""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import index, json, key, moment, text

revision = "0002_audit"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        moment("at"),
        text("actor"),
        text("role"),
        text("agency", null=True),
        text("action"),
        text("target"),
        json("details"),
        text("previous"),
        text("hash"),
        key("audit", "seq"),
    )
    index("audit", "action")


def downgrade() -> None:
    op.drop_index("ix_audit_action", "audit")
    op.drop_table("audit")
