"""Receivers of every channel and their lines, the delivery log, CAP chains, releases, holds."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import index, key, moment, number, serial, text, whole, words

revision = "0004_delivery"
down_revision = "0003_accounts"
branch_labels = None
depends_on = None

GIVE_UP = timedelta(hours=75)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_receivers()
    _take_over_webhooks()
    _let_deliveries_stand_in_lines()
    _make_log_and_publications()


def downgrade() -> None:
    op.drop_index("ix_custody_frame", "custody")
    op.drop_table("custody")
    op.drop_table("holds")
    op.drop_table("releases")
    op.drop_index("ix_cap_documents_alert", "cap_documents")
    op.drop_table("cap_documents")
    op.drop_index("ix_delivery_tries_at", "delivery_tries")
    op.drop_index("ix_delivery_tries_delivery", "delivery_tries")
    op.drop_table("delivery_tries")
    _let_deliveries_stand_alone()
    _give_back_webhooks()
    op.drop_index("ix_receivers_agency", "receivers")
    op.drop_table("receivers")


def _make_receivers() -> None:
    op.create_table(
        "receivers",
        text("id"),
        text("agency"),
        text("channel"),
        words("address"),
        text("language"),
        whole("step"),
        text("secret"),
        text("old_secret", null=True),
        moment("old_secret_until", null=True),
        moment("created_at"),
        moment("disabled_at", null=True),
        words("disabled_reason", null=True),
        moment("next_try_at"),
        whole("failures"),
        moment("open_until", null=True),
        moment("leased_until", null=True),
        text("lease", null=True),
        key("receivers", "id"),
    )
    index("receivers", "agency")


def _take_over_webhooks() -> None:
    """Every webhook becomes a receiver under the id that later writers give it."""
    hooks = _table("webhooks", "agency", "url", "secret", created_at=TIME, disabled_at=TIME)
    rows = [
        {
            "id": f"{row.agency}-webhook",
            "agency": row.agency,
            "channel": "webhook",
            "address": row.url,
            "language": "zh-CN",
            "step": 0,
            "secret": row.secret,
            "created_at": row.created_at,
            "disabled_at": row.disabled_at,
            "next_try_at": row.created_at,
            "failures": 0,
        }
        for row in op.get_bind().execute(sa.select(hooks))
    ]
    columns = ("id", "agency", "channel", "address", "language", "secret")
    receivers = _table(
        "receivers",
        *columns,
        step=sa.Integer,
        failures=sa.Integer,
        created_at=TIME,
        disabled_at=TIME,
        next_try_at=TIME,
    )
    _insert(receivers, rows)
    op.drop_table("webhooks")


def _let_deliveries_stand_in_lines() -> None:
    op.drop_index("ix_deliveries_line", "deliveries")
    with _altered("deliveries") as table:
        table.add_column(sa.Column("receiver", sa.String(200), nullable=False, server_default=""))
        table.add_column(moment("give_up_at", null=True))
        table.alter_column("alert", existing_type=sa.String(200), nullable=True)
        for column in ("next_try_at", "leased_until", "lease"):
            table.drop_column(column)
    deliveries = _table("deliveries", "receiver", "agency", seq=sa.Integer, created_at=TIME, give_up_at=TIME)
    for seq, agency, created_at in op.get_bind().execute(
        sa.select(deliveries.c.seq, deliveries.c.agency, deliveries.c.created_at)
    ):
        mine = sa.update(deliveries).where(deliveries.c.seq == seq)
        op.execute(mine.values(receiver=f"{agency}-webhook", give_up_at=created_at + GIVE_UP))
    with _altered("deliveries") as table:
        table.alter_column(
            "receiver", existing_type=sa.String(200), existing_nullable=False, server_default=None
        )
        table.alter_column("give_up_at", existing_type=TIME, nullable=False)
    op.create_index("ix_deliveries_line", "deliveries", ["receiver", "state", "seq"])


def _let_deliveries_stand_alone() -> None:
    op.drop_index("ix_deliveries_line", "deliveries")
    deliveries = _table("deliveries", "alert", "channel", created_at=TIME, next_try_at=TIME)
    # What the tables before this step cannot hold: other channels, messages of no alert.
    op.execute(
        sa.delete(deliveries).where(sa.or_(deliveries.c.alert.is_(None), deliveries.c.channel != "webhook"))
    )
    with _altered("deliveries") as table:
        table.add_column(moment("next_try_at", null=True))
        table.add_column(moment("leased_until", null=True))
        table.add_column(text("lease", null=True))
        table.alter_column("alert", existing_type=sa.String(200), nullable=False)
        table.drop_column("receiver")
        table.drop_column("give_up_at")
    op.execute(sa.update(deliveries).values(next_try_at=deliveries.c.created_at))
    with _altered("deliveries") as table:
        table.alter_column("next_try_at", existing_type=TIME, nullable=False)
    op.create_index("ix_deliveries_line", "deliveries", ["state", "agency", "channel", "seq"])


def _give_back_webhooks() -> None:
    op.create_table(
        "webhooks",
        text("agency"),
        words("url"),
        text("secret"),
        moment("created_at"),
        moment("disabled_at", null=True),
        words("disabled_reason", null=True),
        key("webhooks", "agency"),
    )
    receivers = _table("receivers", "id", "agency", "address", "secret", created_at=TIME, disabled_at=TIME)
    named = sa.select(receivers).where(receivers.c.id == receivers.c.agency + "-webhook")
    rows = [
        {
            "agency": row.agency,
            "url": row.address,
            "secret": row.secret,
            "created_at": row.created_at,
            "disabled_at": row.disabled_at,
        }
        for row in op.get_bind().execute(named)
    ]
    _insert(_table("webhooks", "agency", "url", "secret", created_at=TIME, disabled_at=TIME), rows)


def _make_log_and_publications() -> None:
    op.create_table(
        "delivery_tries",
        serial("seq"),
        text("delivery"),
        whole("attempt"),
        moment("at"),
        number("took_ms"),
        whole("status", null=True),
        words("error", null=True),
        words("note", null=True),
        key("delivery_tries", "seq"),
        sqlite_autoincrement=True,
    )
    index("delivery_tries", "delivery")
    index("delivery_tries", "at")
    op.create_table(
        "cap_documents",
        text("identifier"),
        text("alert"),
        moment("sent_at"),
        words("document"),
        key("cap_documents", "identifier"),
    )
    index("cap_documents", "alert")
    op.create_table(
        "releases",
        text("incident"),
        text("agency"),
        text("released_by"),
        moment("released_at"),
        text("withdrawn_by", null=True),
        moment("withdrawn_at", null=True),
        key("releases", "incident", "agency"),
    )
    op.create_table(
        "holds",
        text("incident"),
        words("reason"),
        text("placed_by"),
        moment("placed_at"),
        text("lifted_by", null=True),
        moment("lifted_at", null=True),
        key("holds", "incident"),
    )
    op.create_table(
        "custody",
        serial("seq"),
        text("frame"),
        moment("at"),
        text("act"),
        text("actor"),
        key("custody", "seq"),
        sqlite_autoincrement=True,
    )
    index("custody", "frame")


def _altered(table: str) -> Any:
    """Return an alteration that keeps SQLite's promise never to give a number twice."""
    return op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True})


def _table(name: str, *texts: str, **others: Any) -> sa.TableClause:
    columns = [sa.column(text, sa.String) for text in texts]
    return sa.table(name, *columns, *(sa.column(column, kind) for column, kind in others.items()))


def _insert(table: sa.TableClause, rows: Iterable[dict[str, Any]]) -> None:
    if values := list(rows):
        op.bulk_insert(table, values)
