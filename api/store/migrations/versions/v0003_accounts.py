"""Accounts of people; keys with scopes; sessions that end when they are not used."""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import index, json, key, moment, number, text, whole, words

revision = "0003_accounts"
down_revision = "0002_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        text("id"),
        text("login"),
        text("name"),
        text("role"),
        text("agency", null=True),
        words("password_hash", null=True),
        text("subject", null=True),
        words("totp_secret", null=True),
        moment("totp_confirmed_at", null=True),
        whole("totp_step"),
        json("recovery"),
        whole("failures"),
        moment("locked_until", null=True),
        moment("disabled_at", null=True),
        moment("created_at"),
        key("accounts", "id"),
        sa.UniqueConstraint("login", name=op.f("uq_accounts_login")),
        sa.UniqueConstraint("subject", name=op.f("uq_accounts_subject")),
    )
    op.create_table(
        "provider_logins",
        text("state"),
        text("nonce"),
        text("verifier"),
        moment("begun_at"),
        key("provider_logins", "state"),
    )
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(text("account", null=True))
        tokens.add_column(json("scopes", null=True))
        tokens.add_column(number("idle_s", null=True))
        tokens.add_column(moment("seen_at", null=True))
        tokens.create_foreign_key("fk_tokens_account_accounts", "accounts", ["account"], ["id"])
    index("tokens", "account")


def downgrade() -> None:
    op.drop_index("ix_tokens_account", "tokens")
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_constraint("fk_tokens_account_accounts", type_="foreignkey")
        for column in ("seen_at", "idle_s", "scopes", "account"):
            tokens.drop_column(column)
    op.drop_table("provider_logins")
    op.drop_table("accounts")
