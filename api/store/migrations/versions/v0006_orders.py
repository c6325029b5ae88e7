"""Who incidents concern and why, work orders, timers, mutes, reports with their ledger, answered keys.

The histories are append-only, and the database sees to it: a trigger on each refuses changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_orders"
down_revision = "0005_witnesses"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

ADDED = (
    ("incidents", "changed_seq"),
    ("incidents", "details"),
    ("alerts", "shelved_until"),
    ("alerts", "version"),
)
APPEND_ONLY = ("alert_steps", "order_steps", "report_steps", "point_steps")


def upgrade() -> None:
    op.add_column("alerts", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alerts", sa.Column("shelved_until", TIME, nullable=True))
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
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(200), nullable=False),
        sa.Column("concern", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notify", sa.String(200), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("review", sa.String(200), nullable=True),
        sa.Column("reviewed_by", sa.String(200), nullable=True),
        sa.Column("reviewed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_routes_incident_incidents")),
        sa.PrimaryKeyConstraint("incident", "agency", name=op.f("pk_routes")),
    )
    op.create_index("ix_routes_agency", "routes", ["agency", "review"], unique=False)
    op.create_table(
        "storm_parts",
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("storm", sa.String(200), nullable=False),
        sa.Column("joined_at", TIME, nullable=False),
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
        sa.Column("alert", sa.String(200), nullable=False),
        sa.Column("act", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_alert_steps_alert_alerts")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alert_steps_alert"), "alert_steps", ["alert"], unique=False)
    op.create_table(
        "mutes",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("hazards", sa.JSON(), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=True),
        sa.Column("lon_deg", sa.Float(53), nullable=True),
        sa.Column("radius_m", sa.Float(53), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("begins_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mutes")),
    )
    op.create_index(op.f("ix_mutes_agency"), "mutes", ["agency"], unique=False)
    op.create_index(op.f("ix_mutes_ends_at"), "mutes", ["ends_at"], unique=False)


def _make_orders() -> None:
    op.create_table(
        "incident_leads",
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("named_by", sa.String(200), nullable=False),
        sa.Column("named_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_incident_leads_incident_incidents")
        ),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_incident_leads")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(200), nullable=False),
        sa.Column("place_name", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assignee", sa.String(200), nullable=True),
        sa.Column("respond_by", TIME, nullable=False),
        sa.Column("resolve_by", TIME, nullable=False),
        sa.Column("verdict", sa.String(200), nullable=True),
        sa.Column("look", sa.String(200), nullable=False),
        sa.Column("look_request", sa.String(200), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("checklist", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
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
        sa.Column("work_order", sa.String(200), nullable=False),
        sa.Column("act", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["work_order"], ["orders.id"], name=op.f("fk_order_steps_work_order_orders")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_order_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_order_steps_work_order"), "order_steps", ["work_order"], unique=False)
    op.create_table(
        "order_pictures",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("work_order", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(200), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order"], ["orders.id"], name=op.f("fk_order_pictures_work_order_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_pictures")),
    )
    op.create_index(op.f("ix_order_pictures_work_order"), "order_pictures", ["work_order"], unique=False)


def _make_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("code_sha256", sa.String(200), nullable=False),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("within_m", sa.Float(53), nullable=False),
        sa.Column("place_name", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(200), nullable=False),
        sa.Column("reporter", sa.String(200), nullable=True),
        sa.Column("picture", sa.String(200), nullable=True),
        sa.Column("agency", sa.String(200), nullable=True),
        sa.Column("incident", sa.String(200), nullable=True),
        sa.Column("work_order", sa.String(200), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
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
        sa.Column("report", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_report_steps_report_reports")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_report_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_report_steps_report"), "report_steps", ["report"], unique=False)
    op.create_table(
        "point_steps",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("reporter", sa.String(200), nullable=False),
        sa.Column("report", sa.String(200), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_point_steps_report_reports")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_point_steps")),
        sa.UniqueConstraint("report", "reason", name="uq_point_steps_report_reason"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_point_steps_reporter"), "point_steps", ["reporter"], unique=False)


def _make_timers() -> None:
    op.create_table(
        "timers",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.Column("fired_at", TIME, nullable=True),
        sa.Column("cancelled_at", TIME, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
    )
    op.create_index("ix_timers_due", "timers", ["fired_at", "cancelled_at", "due_at"], unique=False)
    op.create_index(op.f("ix_timers_subject"), "timers", ["subject"], unique=False)
    op.create_table(
        "beats",
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("patience_s", sa.Float(53), nullable=False),
        sa.Column("silent_since", TIME, nullable=True),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_beats")),
    )
    op.create_table(
        "answered_keys",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("asked_sha256", sa.String(200), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
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
