"""Accounts of people; keys with scopes; sessions that end when they are not used."""

import sqlalchemy as sa
from alembic import op

revision = "0003_accounts"
down_revision = "0002_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("login", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("subject", sa.String(200), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("login", name=op.f("uq_accounts_login")),
        sa.UniqueConstraint("subject", name=op.f("uq_accounts_subject")),
    )
    op.create_table(
        "provider_logins",
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("nonce", sa.String(200), nullable=False),
        sa.Column("verifier", sa.String(200), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_provider_logins")),
    )
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("account", sa.String(200), nullable=True))
        tokens.add_column(sa.Column("scopes", sa.JSON(), nullable=True))
        tokens.add_column(sa.Column("idle_s", sa.Float(53), nullable=True))
        tokens.add_column(sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
        tokens.create_foreign_key("fk_tokens_account_accounts", "accounts", ["account"], ["id"])
    op.create_index("ix_tokens_account", "tokens", ["account"])


def downgrade() -> None:
    op.drop_index("ix_tokens_account", "tokens")
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_constraint("fk_tokens_account_accounts", type_="foreignkey")
        for column in ("seen_at", "idle_s", "scopes", "account"):
            tokens.drop_column(column)
    op.drop_table("provider_logins")
    op.drop_table("accounts")
