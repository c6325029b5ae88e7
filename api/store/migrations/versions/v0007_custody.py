"""Custody logs become chains of hashes, and a hold belongs to whoever placed it."""

import sqlalchemy as sa
from alembic import op

from api.custody import Line, link, new_nonce
from api.store.migrations.columns import text

revision = "0007_custody"
down_revision = "0006_orders"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ADDED = ("agency", "nonce", "chain")


def upgrade() -> None:
    op.add_column("holds", text("agency", null=True))
    op.add_column("custody", text("agency", null=True))
    op.add_column("custody", sa.Column("nonce", sa.String(200), nullable=False, server_default=""))
    op.add_column("custody", sa.Column("chain", sa.String(200), nullable=False, server_default=""))
    _chain_what_there_is()


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("custody", name)
    op.drop_column("holds", "agency")


def _chain_what_there_is() -> None:
    """Give the lines of old logs their links, as if they had been chained from the first on."""
    connection = op.get_bind()
    lines = sa.table(
        "custody",
        sa.column("seq", sa.Integer),
        sa.column("frame", sa.String),
        sa.column("at", TIME),
        sa.column("act", sa.String),
        sa.column("actor", sa.String),
        sa.column("nonce", sa.String),
        sa.column("chain", sa.String),
    )
    hashes = sa.table("frames", sa.column("id", sa.String), sa.column("sha256", sa.String))
    last = {row.id: row.sha256 for row in connection.execute(sa.select(hashes))}
    for row in connection.execute(sa.select(lines).order_by(lines.c.seq)).all():
        line = Line(row.at, row.act, row.actor, new_nonce())
        last[row.frame] = link(last.get(row.frame, ""), line.digest)
        values = {"nonce": line.nonce, "chain": last[row.frame]}
        connection.execute(sa.update(lines).where(lines.c.seq == row.seq).values(**values))
