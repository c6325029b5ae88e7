"""What was answered under an Idempotency-Key is sealed from now on; what lies there in clear goes."""

from alembic import op

revision = "0013_sealed"
down_revision = "0012_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM answered_keys")


downgrade = upgrade
