"""The first tables: sites as seen, plans, frames, what was found, who was told, who may call."""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import (
    flag,
    index,
    json,
    key,
    moment,
    number,
    refers,
    serial,
    text,
    whole,
    words,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "docks",
        text("id"),
        json("name"),
        number("lat_deg"),
        number("lon_deg"),
        number("elevation_m"),
        text("door", null=True),
        text("charger", null=True),
        json("drones"),
        number("wind_m_s", null=True),
        number("rain_mm_h", null=True),
        moment("updated_at", null=True),
        key("docks", "id"),
    )
    op.create_table(
        "events",
        serial("seq"),
        text("kind"),
        json("data"),
        json("agencies"),
        moment("at"),
        key("events", "seq"),
        sqlite_autoincrement=True,
    )
    index("events", "at")

    op.create_table(
        "frames",
        text("id"),
        text("gateway"),
        text("drone"),
        text("sortie"),
        whole("shot"),
        text("sensor"),
        moment("taken_at"),
        text("sha256"),
        text("name"),
        whole("bytes"),
        json("pose", null=True),
        text("key"),
        moment("received_at"),
        moment("published_at", null=True),
        moment("analysed_at", null=True),
        words("skipped", null=True),
        words("note", null=True),
        json("footprint", null=True),
        key("frames", "id"),
    )
    index("frames", "sortie")

    op.create_table(
        "leases",
        text("name"),
        text("holder"),
        whole("fence"),
        moment("until_at"),
        key("leases", "name"),
    )
    op.create_table(
        "plans",
        text("id"),
        text("site"),
        whole("seed"),
        moment("made_at"),
        number("flight_s"),
        number("energy_wh"),
        whole("shared_tasks"),
        number("saving", null=True),
        json("unserved"),
        key("plans", "id"),
    )
    op.create_table(
        "tokens",
        text("id"),
        text("sha256"),
        text("role"),
        text("agency", null=True),
        text("name"),
        moment("created_at"),
        moment("expires_at", null=True),
        moment("revoked_at", null=True),
        text("parent", null=True),
        refers("tokens", "parent", "tokens"),
        key("tokens", "id"),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    index("tokens", "parent")

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
    op.create_table(
        "detections",
        text("frame"),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        text("hazard"),
        number("confidence"),
        json("box"),
        text("detector"),
        text("sensor"),
        number("temp_max_c", null=True),
        number("background_c", null=True),
        whole("pixels"),
        json("outline"),
        refers("detections", "frame", "frames"),
        key("detections", "frame", "position"),
    )
    op.create_table(
        "drones",
        text("id"),
        text("model"),
        text("dock"),
        whole("system_id"),
        text("gateway"),
        text("state"),
        number("lat_deg", null=True),
        number("lon_deg", null=True),
        number("altitude_m", null=True),
        number("above_home_m", null=True),
        number("heading_deg", null=True),
        number("speed_m_s", null=True),
        number("battery_percent", null=True),
        text("mode", null=True),
        flag("armed", null=True),
        text("sortie", null=True),
        moment("updated_at", null=True),
        refers("drones", "dock", "docks"),
        key("drones", "id"),
    )
    op.create_table(
        "incidents",
        text("id"),
        text("hazard"),
        text("severity"),
        text("state"),
        json("place_name"),
        number("lat_deg"),
        number("lon_deg"),
        number("major_m"),
        number("minor_m"),
        number("bearing_deg"),
        number("confidence"),
        number("area_m2", null=True),
        number("temp_max_c", null=True),
        moment("opened_at"),
        moment("seen_at"),
        whole("looks"),
        text("best_frame", null=True),
        number("best_confidence"),
        refers("incidents", "best_frame", "frames"),
        key("incidents", "id"),
    )
    op.create_index("ix_incidents_where", "incidents", ["state", "hazard", "lat_deg", "lon_deg"])

    op.create_table(
        "alerts",
        text("id"),
        text("incident"),
        text("agency"),
        text("state"),
        text("hazard"),
        text("severity"),
        json("title"),
        json("place_name"),
        moment("raised_at"),
        moment("told_at"),
        whole("revision"),
        json("history"),
        moment("acknowledged_at", null=True),
        text("acknowledged_by", null=True),
        refers("alerts", "incident", "incidents"),
        key("alerts", "id"),
        sa.UniqueConstraint("incident", "agency", name="uq_alerts_incident_agency"),
    )
    index("alerts", "agency")
    index("alerts", "told_at")

    op.create_table(
        "observations",
        text("id"),
        text("frame"),
        text("incident", null=True),
        text("decision"),
        words("reason"),
        text("hazard"),
        number("confidence"),
        number("lat_deg"),
        number("lon_deg"),
        number("major_m"),
        number("minor_m"),
        number("bearing_deg"),
        moment("seen_at"),
        text("detector"),
        number("area_m2", null=True),
        number("temp_max_c", null=True),
        json("outline", null=True),
        text("drone"),
        text("sortie"),
        refers("observations", "frame", "frames"),
        refers("observations", "incident", "incidents"),
        key("observations", "id"),
    )
    index("observations", "frame")
    index("observations", "incident")

    op.create_table(
        "sorties",
        text("id"),
        text("plan"),
        whole("position"),
        text("dock"),
        text("model"),
        text("drone", null=True),
        text("state"),
        words("reason", null=True),
        whole("attempt"),
        json("agencies"),
        json("demands"),
        number("flight_s"),
        number("energy_wh"),
        json("items"),
        json("path"),
        whole("shots_planned"),
        whole("shots_taken"),
        whole("shots_files"),
        moment("started_at", null=True),
        moment("landed_at", null=True),
        number("landed_from_dock_m", null=True),
        refers("sorties", "dock", "docks"),
        refers("sorties", "drone", "drones"),
        refers("sorties", "plan", "plans"),
        key("sorties", "id"),
    )
    index("sorties", "plan")
    index("sorties", "state")

    op.create_table(
        "deliveries",
        serial("seq"),
        text("id"),
        text("alert"),
        text("agency"),
        text("channel"),
        words("body"),
        text("state"),
        whole("attempts"),
        moment("created_at"),
        moment("next_try_at"),
        moment("leased_until", null=True),
        text("lease", null=True),
        words("last_error", null=True),
        moment("delivered_at", null=True),
        refers("deliveries", "alert", "alerts"),
        key("deliveries", "seq"),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
        sqlite_autoincrement=True,
    )
    index("deliveries", "alert")
    op.create_index("ix_deliveries_line", "deliveries", ["state", "agency", "channel", "seq"])

    op.create_table(
        "sortie_steps",
        serial("seq"),
        text("id"),
        text("sortie"),
        text("state"),
        moment("at"),
        words("evidence"),
        refers("sortie_steps", "sortie", "sorties"),
        key("sortie_steps", "seq"),
        sa.UniqueConstraint("id", name=op.f("uq_sortie_steps_id")),
        sqlite_autoincrement=True,
    )
    index("sortie_steps", "sortie")


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
