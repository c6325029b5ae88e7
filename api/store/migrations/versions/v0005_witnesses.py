"""Witnesses: sightings, standings, looks and what was asked to be looked at, readings, known sources."""

import sqlalchemy as sa
from alembic import op

from api.store.migrations.columns import json, moment, number, text, whole, words

revision = "0005_witnesses"
down_revision = "0004_delivery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        text("id"),
        text("digest"),
        text("witness"),
        text("source"),
        text("hazard"),
        number("confidence"),
        number("lat_deg"),
        number("lon_deg"),
        number("major_m"),
        number("minor_m"),
        number("bearing_deg"),
        moment("seen_at"),
        moment("received_at"),
        text("incident", null=True),
        text("decision"),
        words("reason"),
        words("masked", null=True),
        text("severity", null=True),
        json("facts"),
        json("outline", null=True),
        json("notes", null=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_sightings_incident_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
    )
    op.create_index("ix_sightings_when", "sightings", ["witness", "seen_at"])
    op.create_index(op.f("ix_sightings_incident"), "sightings", ["incident"])
    op.create_table(
        "standings",
        text("incident"),
        text("standing"),
        json("reason"),
        moment("changed_at"),
        json("sources"),
        json("note", null=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_standings_incident_incidents")),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_standings")),
    )
    op.create_index(op.f("ix_standings_standing"), "standings", ["standing"])
    op.create_table(
        "looks",
        text("frame"),
        text("drone"),
        text("sortie"),
        text("sensor"),
        moment("taken_at"),
        number("gsd_m", null=True),
        json("hazards"),
        json("found"),
        number("south_deg"),
        number("west_deg"),
        number("north_deg"),
        number("east_deg"),
        json("footprint"),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name=op.f("fk_looks_frame_frames")),
        sa.PrimaryKeyConstraint("frame", name=op.f("pk_looks")),
    )
    op.create_index(op.f("ix_looks_taken_at"), "looks", ["taken_at"])
    op.create_index("ix_looks_where", "looks", ["south_deg", "north_deg", "taken_at"])
    op.create_index(op.f("ix_looks_sortie"), "looks", ["sortie"])
    op.create_table(
        "look_requests",
        text("id"),
        text("incident"),
        text("purpose"),
        text("asked_by"),
        moment("asked_at"),
        text("state"),
        json("reason", null=True),
        whole("tries"),
        moment("next_try_at"),
        text("sortie", null=True),
        text("outcome", null=True),
        moment("decided_at", null=True),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_look_requests_incident_incidents")
        ),
        sa.ForeignKeyConstraint(["sortie"], ["sorties.id"], name=op.f("fk_look_requests_sortie_sorties")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look_requests")),
    )
    op.create_index(op.f("ix_look_requests_state"), "look_requests", ["state"])
    op.create_index(op.f("ix_look_requests_incident"), "look_requests", ["incident"])
    op.create_table(
        "readings",
        text("kind"),
        text("station"),
        moment("at"),
        number("lat_deg"),
        number("lon_deg"),
        json("facts"),
        sa.PrimaryKeyConstraint("kind", "station", "at", name=op.f("pk_readings")),
    )
    op.create_table(
        "known_sources",
        text("id"),
        text("name"),
        number("lat_deg"),
        number("lon_deg"),
        number("radius_m"),
        text("owner"),
        moment("until_at", null=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_sources")),
    )


def downgrade() -> None:
    op.drop_table("known_sources")
    op.drop_table("readings")
    op.drop_table("look_requests")
    op.drop_table("looks")
    op.drop_table("standings")
    op.drop_table("sightings")
