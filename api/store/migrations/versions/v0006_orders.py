"""Who incidents concern and why, work orders, timers, mutes, reports with their ledger, answered keys.

The histories are append-only, and the database sees to it: a trigger on each refuses changes.
"""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import index, json, key, moment, number, refers, serial, text, whole, words

revision = "0006_orders"
down_revision = "0005_witnesses"
branch_labels = None
depends_on = None

ADDED = (
    ("incidents", "changed_seq"),
    ("incidents", "details"),
    ("alerts", "shelved_until"),
    ("alerts", "version"),
)
APPEND_ONLY = ("alert_steps", "order_steps", "report_steps", "point_steps")


def upgrade() -> None:
    op.add_column("alerts", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alerts", moment("shelved_until", null=True))
    op.add_column("incidents", sa.Column("details", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("incidents", sa.Column("changed_seq", sa.Integer(), nullable=False, server_default="0"))
    index("incidents", "changed_seq")
    _make_routes()
    _make_orders()
    _make_reports()
    _make_timers()
    _guard_histories()
    _number_changes()


def downgrade() -> None:
    op.drop_table("answered_keys")
    op.drop_table("beats")
    op.drop_table("timers")
    op.drop_table("point_steps")
    op.drop_table("report_steps")
    op.drop_table("reports")
    op.drop_table("order_pictures")
    op.drop_table("order_steps")
    op.drop_table("orders")
    op.drop_table("incident_leads")
    op.drop_table("mutes")
    op.drop_table("alert_steps")
    op.drop_table("storm_parts")
    op.drop_table("routes")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
        op.execute("DROP TRIGGER incidents_changed ON incidents")
        op.execute("DROP FUNCTION number_change()")
    else:
        op.execute("DROP TRIGGER incidents_changed_insert")
        op.execute("DROP TRIGGER incidents_changed_update")
    op.drop_index("ix_incidents_changed_seq", "incidents")
    for table, column in ADDED:
        op.drop_column(table, column)


def _make_routes() -> None:
    op.create_table(
        "routes",
        text("incident"),
        text("agency"),
        text("hazard"),
        text("severity"),
        text("concern"),
        words("reason"),
        text("notify"),
        moment("decided_at"),
        text("review", null=True),
        text("reviewed_by", null=True),
        moment("reviewed_at", null=True),
        refers("routes", "incident", "incidents"),
        key("routes", "incident", "agency"),
    )
    op.create_index("ix_routes_agency", "routes", ["agency", "review"])
    op.create_table(
        "storm_parts",
        text("incident"),
        text("storm"),
        moment("joined_at"),
        refers("storm_parts", "incident", "incidents"),
        refers("storm_parts", "storm", "incidents"),
        key("storm_parts", "incident"),
    )
    index("storm_parts", "storm")
    op.create_table(
        "alert_steps",
        serial("seq"),
        text("alert"),
        text("act"),
        text("state"),
        text("by"),
        moment("at"),
        words("note", null=True),
        refers("alert_steps", "alert", "alerts"),
        key("alert_steps", "seq"),
        sqlite_autoincrement=True,
    )
    index("alert_steps", "alert")
    op.create_table(
        "mutes",
        text("id"),
        text("agency"),
        json("hazards"),
        number("lat_deg", null=True),
        number("lon_deg", null=True),
        number("radius_m", null=True),
        words("reason"),
        text("owner"),
        moment("begins_at"),
        moment("ends_at"),
        text("ended_by", null=True),
        key("mutes", "id"),
    )
    index("mutes", "agency")
    index("mutes", "ends_at")


def _make_orders() -> None:
    op.create_table(
        "incident_leads",
        text("incident"),
        text("agency"),
        text("named_by"),
        moment("named_at"),
        refers("incident_leads", "incident", "incidents"),
        key("incident_leads", "incident"),
    )
    op.create_table(
        "orders",
        text("id"),
        text("incident"),
        text("agency"),
        text("hazard"),
        text("severity"),
        json("place_name"),
        text("state"),
        whole("version"),
        text("assignee", null=True),
        moment("respond_by"),
        moment("resolve_by"),
        text("verdict", null=True),
        text("look"),
        text("look_request", null=True),
        whole("rating", null=True),
        json("checklist"),
        text("created_by"),
        moment("created_at"),
        moment("changed_at"),
        refers("orders", "incident", "incidents"),
        refers("orders", "look_request", "look_requests"),
        key("orders", "id"),
    )
    index("orders", "agency")
    index("orders", "incident")
    op.create_index("ix_orders_open", "orders", ["state", "agency"])
    op.create_table(
        "order_steps",
        serial("seq"),
        text("work_order"),
        text("act"),
        text("state"),
        text("by"),
        text("agency", null=True),
        moment("at"),
        words("note", null=True),
        json("facts"),
        refers("order_steps", "work_order", "orders"),
        key("order_steps", "seq"),
        sqlite_autoincrement=True,
    )
    index("order_steps", "work_order")
    op.create_table(
        "order_pictures",
        text("id"),
        text("work_order"),
        text("key"),
        text("kind"),
        text("sha256"),
        whole("bytes"),
        text("by"),
        moment("at"),
        refers("order_pictures", "work_order", "orders"),
        key("order_pictures", "id"),
    )
    index("order_pictures", "work_order")


def _make_reports() -> None:
    op.create_table(
        "reports",
        text("id"),
        text("code_sha256"),
        text("service"),
        text("hazard"),
        text("state"),
        whole("version"),
        number("lat_deg"),
        number("lon_deg"),
        number("within_m"),
        json("place_name"),
        words("text"),
        text("language"),
        text("reporter", null=True),
        text("picture", null=True),
        text("agency", null=True),
        text("incident", null=True),
        text("work_order", null=True),
        whole("rating", null=True),
        moment("received_at"),
        moment("changed_at"),
        refers("reports", "incident", "incidents"),
        refers("reports", "work_order", "orders"),
        key("reports", "id"),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_reports_code_sha256")),
    )
    index("reports", "agency")
    index("reports", "received_at")
    index("reports", "state")
    index("reports", "work_order")
    op.create_table(
        "report_steps",
        serial("seq"),
        text("report"),
        text("state"),
        moment("at"),
        text("by"),
        words("note", null=True),
        refers("report_steps", "report", "reports"),
        key("report_steps", "seq"),
        sqlite_autoincrement=True,
    )
    index("report_steps", "report")
    op.create_table(
        "point_steps",
        serial("seq"),
        text("reporter"),
        text("report"),
        whole("points"),
        text("reason"),
        moment("at"),
        refers("point_steps", "report", "reports"),
        key("point_steps", "seq"),
        sa.UniqueConstraint("report", "reason", name="uq_point_steps_report_reason"),
        sqlite_autoincrement=True,
    )
    index("point_steps", "reporter")


def _make_timers() -> None:
    op.create_table(
        "timers",
        text("id"),
        text("kind"),
        text("subject"),
        moment("due_at"),
        json("facts"),
        moment("set_at"),
        moment("fired_at", null=True),
        moment("cancelled_at", null=True),
        words("outcome", null=True),
        key("timers", "id"),
    )
    op.create_index("ix_timers_due", "timers", ["fired_at", "cancelled_at", "due_at"])
    index("timers", "subject")
    op.create_table(
        "beats",
        text("kind"),
        text("name"),
        moment("seen_at"),
        number("patience_s"),
        moment("silent_since", null=True),
        key("beats", "kind", "name"),
    )
    op.create_table(
        "answered_keys",
        text("id"),
        text("asked_sha256"),
        moment("asked_at"),
        whole("status", null=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        key("answered_keys", "id"),
    )
    index("answered_keys", "asked_at")


def _guard_histories() -> None:
    """Make the database refuse to change or delete what has happened."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger AS $$ BEGIN "
            "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$ LANGUAGE plpgsql"
        )
    for table in APPEND_ONLY:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            continue
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_stay_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _number_changes() -> None:
    """Give every change of an incident the next number, whoever makes it."""
    newest = "(SELECT COALESCE(MAX(changed_seq), 0) + 1 FROM incidents)"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION number_change() RETURNS trigger AS $$ BEGIN "
            f"NEW.changed_seq := {newest}; RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        op.execute(
            "CREATE TRIGGER incidents_changed BEFORE INSERT OR UPDATE ON incidents "
            "FOR EACH ROW EXECUTE FUNCTION number_change()"
        )
        return
    number = f"UPDATE incidents SET changed_seq = {newest} WHERE id = NEW.id"
    op.execute(f"CREATE TRIGGER incidents_changed_insert AFTER INSERT ON incidents BEGIN {number}; END")
    op.execute(
        "CREATE TRIGGER incidents_changed_update AFTER UPDATE ON incidents "
        f"WHEN NEW.changed_seq = OLD.changed_seq BEGIN {number}; END"
    )
