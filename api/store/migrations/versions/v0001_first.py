"""The first tables: sites as seen, plans, frames, what was found, who was told, who may call."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "docks",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("elevation_m", sa.Float(53), nullable=False),
        sa.Column("door", sa.String(200), nullable=True),
        sa.Column("charger", sa.String(200), nullable=True),
        sa.Column("drones", sa.JSON(), nullable=False),
        sa.Column("wind_m_s", sa.Float(53), nullable=True),
        sa.Column("rain_mm_h", sa.Float(53), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_docks")),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("agencies", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"])

    op.create_table(
        "frames",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("drone", sa.String(200), nullable=False),
        sa.Column("sortie", sa.String(200), nullable=False),
        sa.Column("shot", sa.Integer(), nullable=False),
        sa.Column("sensor", sa.String(200), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("pose", sa.JSON(), nullable=True),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skipped", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("footprint", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frames")),
    )
    op.create_index("ix_frames_sortie", "frames", ["sortie"])

    op.create_table(
        "leases",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flight_s", sa.Float(53), nullable=False),
        sa.Column("energy_wh", sa.Float(53), nullable=False),
        sa.Column("shared_tasks", sa.Integer(), nullable=False),
        sa.Column("saving", sa.Float(53), nullable=True),
        sa.Column("unserved", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parent", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["tokens.id"], name=op.f("fk_tokens_parent_tokens")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    op.create_index("ix_tokens_parent", "tokens", ["parent"])

    op.create_table(
        "webhooks",
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("agency", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "detections",
        sa.Column("frame", sa.String(200), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("confidence", sa.Float(53), nullable=False),
        sa.Column("box", sa.JSON(), nullable=False),
        sa.Column("detector", sa.String(200), nullable=False),
        sa.Column("sensor", sa.String(200), nullable=False),
        sa.Column("temp_max_c", sa.Float(53), nullable=True),
        sa.Column("background_c", sa.Float(53), nullable=True),
        sa.Column("pixels", sa.Integer(), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name=op.f("fk_detections_frame_frames")),
        sa.PrimaryKeyConstraint("frame", "position", name=op.f("pk_detections")),
    )
    op.create_table(
        "drones",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("dock", sa.String(200), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=True),
        sa.Column("lon_deg", sa.Float(53), nullable=True),
        sa.Column("altitude_m", sa.Float(53), nullable=True),
        sa.Column("above_home_m", sa.Float(53), nullable=True),
        sa.Column("heading_deg", sa.Float(53), nullable=True),
        sa.Column("speed_m_s", sa.Float(53), nullable=True),
        sa.Column("battery_percent", sa.Float(53), nullable=True),
        sa.Column("mode", sa.String(200), nullable=True),
        sa.Column("armed", sa.Boolean(), nullable=True),
        sa.Column("sortie", sa.String(200), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dock"], ["docks.id"], name=op.f("fk_drones_dock_docks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drones")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("place_name", sa.JSON(), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("major_m", sa.Float(53), nullable=False),
        sa.Column("minor_m", sa.Float(53), nullable=False),
        sa.Column("bearing_deg", sa.Float(53), nullable=False),
        sa.Column("confidence", sa.Float(53), nullable=False),
        sa.Column("area_m2", sa.Float(53), nullable=True),
        sa.Column("temp_max_c", sa.Float(53), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("best_frame", sa.String(200), nullable=True),
        sa.Column("best_confidence", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(["best_frame"], ["frames.id"], name=op.f("fk_incidents_best_frame_frames")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_where", "incidents", ["state", "hazard", "lat_deg", "lon_deg"])

    op.create_table(
        "alerts",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(200), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("place_name", sa.JSON(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_alerts_incident_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("incident", "agency", name="uq_alerts_incident_agency"),
    )
    op.create_index("ix_alerts_agency", "alerts", ["agency"])
    op.create_index("ix_alerts_told_at", "alerts", ["told_at"])

    op.create_table(
        "observations",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("frame", sa.String(200), nullable=False),
        sa.Column("incident", sa.String(200), nullable=True),
        sa.Column("decision", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("confidence", sa.Float(53), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("major_m", sa.Float(53), nullable=False),
        sa.Column("minor_m", sa.Float(53), nullable=False),
        sa.Column("bearing_deg", sa.Float(53), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detector", sa.String(200), nullable=False),
        sa.Column("area_m2", sa.Float(53), nullable=True),
        sa.Column("temp_max_c", sa.Float(53), nullable=True),
        sa.Column("outline", sa.JSON(), nullable=True),
        sa.Column("drone", sa.String(200), nullable=False),
        sa.Column("sortie", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name=op.f("fk_observations_frame_frames")),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_observations_incident_incidents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
    )
    op.create_index("ix_observations_frame", "observations", ["frame"])
    op.create_index("ix_observations_incident", "observations", ["incident"])

    op.create_table(
        "sorties",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("plan", sa.String(200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dock", sa.String(200), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("drone", sa.String(200), nullable=True),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("agencies", sa.JSON(), nullable=False),
        sa.Column("demands", sa.JSON(), nullable=False),
        sa.Column("flight_s", sa.Float(53), nullable=False),
        sa.Column("energy_wh", sa.Float(53), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("path", sa.JSON(), nullable=False),
        sa.Column("shots_planned", sa.Integer(), nullable=False),
        sa.Column("shots_taken", sa.Integer(), nullable=False),
        sa.Column("shots_files", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("landed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("landed_from_dock_m", sa.Float(53), nullable=True),
        sa.ForeignKeyConstraint(["dock"], ["docks.id"], name=op.f("fk_sorties_dock_docks")),
        sa.ForeignKeyConstraint(["drone"], ["drones.id"], name=op.f("fk_sorties_drone_drones")),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name=op.f("fk_sorties_plan_plans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sorties")),
    )
    op.create_index("ix_sorties_plan", "sorties", ["plan"])
    op.create_index("ix_sorties_state", "sorties", ["state"])

    op.create_table(
        "deliveries",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("alert", sa.String(200), nullable=False),
        sa.Column("agency", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(200), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_deliveries_alert_alerts")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_alert", "deliveries", ["alert"])
    op.create_index("ix_deliveries_line", "deliveries", ["state", "agency", "channel", "seq"])

    op.create_table(
        "sortie_steps",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("sortie", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sortie"], ["sorties.id"], name=op.f("fk_sortie_steps_sortie_sorties")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_sortie_steps")),
        sa.UniqueConstraint("id", name=op.f("uq_sortie_steps_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sortie_steps_sortie", "sortie_steps", ["sortie"])


def downgrade() -> None:
    op.drop_index("ix_sortie_steps_sortie", "sortie_steps")

    op.drop_table("sortie_steps")
    op.drop_index("ix_deliveries_line", "deliveries")
    op.drop_index("ix_deliveries_alert", "deliveries")

    op.drop_table("deliveries")
    op.drop_index("ix_sorties_state", "sorties")
    op.drop_index("ix_sorties_plan", "sorties")

    op.drop_table("sorties")
    op.drop_index("ix_observations_incident", "observations")
    op.drop_index("ix_observations_frame", "observations")

    op.drop_table("observations")
    op.drop_index("ix_alerts_told_at", "alerts")
    op.drop_index("ix_alerts_agency", "alerts")

    op.drop_table("alerts")
    op.drop_index("ix_incidents_where", "incidents")

    op.drop_table("incidents")
    op.drop_table("drones")
    op.drop_table("detections")
    op.drop_table("webhooks")
    op.drop_index("ix_tokens_parent", "tokens")

    op.drop_table("tokens")
    op.drop_table("plans")
    op.drop_table("leases")
    op.drop_index("ix_frames_sortie", "frames")

    op.drop_table("frames")
    op.drop_index("ix_events_at", "events")

    op.drop_table("events")
    op.drop_table("docks")
