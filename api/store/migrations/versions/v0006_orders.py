"""Who incidents concern and why, work orders, timers, mutes, reports with their ledger, answered keys.

The histories are append-only, and the database sees to it: a trigger on each refuses changes.
"""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import json, moment, number, text, whole, words

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
    op.create_index("ix_incidents_changed_seq", "incidents", ["changed_seq"])
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
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_routes_incident_incidents")),
        sa.PrimaryKeyConstraint("incident", "agency", name=op.f("pk_routes")),
    )
    op.create_index("ix_routes_agency", "routes", ["agency", "review"], unique=False)
    op.create_table(
        "storm_parts",
        text("incident"),
        text("storm"),
        moment("joined_at"),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_storm_parts_incident_incidents")
        ),
        sa.ForeignKeyConstraint(["storm"], ["incidents.id"], name=op.f("fk_storm_parts_storm_incidents")),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_storm_parts")),
    )
    op.create_index(op.f("ix_storm_parts_storm"), "storm_parts", ["storm"], unique=False)
    op.create_table(
        "alert_steps",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        text("alert"),
        text("act"),
        text("state"),
        text("by"),
        moment("at"),
        words("note", null=True),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_alert_steps_alert_alerts")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_steps_alert"), "alert_steps", ["alert"], unique=False)
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mutes")),
    )
    op.create_index(op.f("ix_mutes_agency"), "mutes", ["agency"], unique=False)
    op.create_index(op.f("ix_mutes_ends_at"), "mutes", ["ends_at"], unique=False)


def _make_orders() -> None:
    op.create_table(
        "incident_leads",
        text("incident"),
        text("agency"),
        text("named_by"),
        moment("named_at"),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_incident_leads_incident_incidents")
        ),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_incident_leads")),
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
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_orders_incident_incidents")),
        sa.ForeignKeyConstraint(
            ["look_request"], ["look_requests.id"], name=op.f("fk_orders_look_request_look_requests")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index(op.f("ix_orders_agency"), "orders", ["agency"], unique=False)
    op.create_index(op.f("ix_orders_incident"), "orders", ["incident"], unique=False)
    op.create_index("ix_orders_open", "orders", ["state", "agency"], unique=False)
    op.create_table(
        "order_steps",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        text("work_order"),
        text("act"),
        text("state"),
        text("by"),
        text("agency", null=True),
        moment("at"),
        words("note", null=True),
        json("facts"),
        sa.ForeignKeyConstraint(["work_order"], ["orders.id"], name=op.f("fk_order_steps_work_order_orders")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_order_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_order_steps_work_order"), "order_steps", ["work_order"], unique=False)
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
        sa.ForeignKeyConstraint(
            ["work_order"], ["orders.id"], name=op.f("fk_order_pictures_work_order_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_pictures")),
    )
    op.create_index(op.f("ix_order_pictures_work_order"), "order_pictures", ["work_order"], unique=False)


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
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_reports_incident_incidents")),
        sa.ForeignKeyConstraint(["work_order"], ["orders.id"], name=op.f("fk_reports_work_order_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_reports_code_sha256")),
    )
    op.create_index(op.f("ix_reports_agency"), "reports", ["agency"], unique=False)
    op.create_index(op.f("ix_reports_received_at"), "reports", ["received_at"], unique=False)
    op.create_index(op.f("ix_reports_state"), "reports", ["state"], unique=False)
    op.create_index(op.f("ix_reports_work_order"), "reports", ["work_order"], unique=False)
    op.create_table(
        "report_steps",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        text("report"),
        text("state"),
        moment("at"),
        text("by"),
        words("note", null=True),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_report_steps_report_reports")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_report_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_report_steps_report"), "report_steps", ["report"], unique=False)
    op.create_table(
        "point_steps",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        text("reporter"),
        text("report"),
        whole("points"),
        text("reason"),
        moment("at"),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_point_steps_report_reports")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_point_steps")),
        sa.UniqueConstraint("report", "reason", name="uq_point_steps_report_reason"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_point_steps_reporter"), "point_steps", ["reporter"], unique=False)


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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
    )
    op.create_index("ix_timers_due", "timers", ["fired_at", "cancelled_at", "due_at"], unique=False)
    op.create_index(op.f("ix_timers_subject"), "timers", ["subject"], unique=False)
    op.create_table(
        "beats",
        text("kind"),
        text("name"),
        moment("seen_at"),
        number("patience_s"),
        moment("silent_since", null=True),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_beats")),
    )
    op.create_table(
        "answered_keys",
        text("id"),
        text("asked_sha256"),
        moment("asked_at"),
        whole("status", null=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answered_keys")),
    )
    op.create_index(op.f("ix_answered_keys_asked_at"), "answered_keys", ["asked_at"], unique=False)


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
