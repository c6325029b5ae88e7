"""Witnesses: sightings, standings, looks and what was asked to be looked at, readings, known sources."""

import sqlalchemy as sa
from alembic import op

revision = "0005_witnesses"
down_revision = "0004_delivery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(200), nullable=False),
        sa.Column("witness", sa.String(200), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("hazard", sa.String(200), nullable=False),
        sa.Column("confidence", sa.Float(53), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("major_m", sa.Float(53), nullable=False),
        sa.Column("minor_m", sa.Float(53), nullable=False),
        sa.Column("bearing_deg", sa.Float(53), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("incident", sa.String(200), nullable=True),
        sa.Column("decision", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("masked", sa.Text(), nullable=True),
        sa.Column("severity", sa.String(200), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_sightings_incident_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
    )
    op.create_index("ix_sightings_when", "sightings", ["witness", "seen_at"])
    op.create_index(op.f("ix_sightings_incident"), "sightings", ["incident"])
    op.create_table(
        "standings",
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("standing", sa.String(200), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("note", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_standings_incident_incidents")),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_standings")),
    )
    op.create_index(op.f("ix_standings_standing"), "standings", ["standing"])
    op.create_table(
        "looks",
        sa.Column("frame", sa.String(200), nullable=False),
        sa.Column("drone", sa.String(200), nullable=False),
        sa.Column("sortie", sa.String(200), nullable=False),
        sa.Column("sensor", sa.String(200), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gsd_m", sa.Float(53), nullable=True),
        sa.Column("hazards", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("south_deg", sa.Float(53), nullable=False),
        sa.Column("west_deg", sa.Float(53), nullable=False),
        sa.Column("north_deg", sa.Float(53), nullable=False),
        sa.Column("east_deg", sa.Float(53), nullable=False),
        sa.Column("footprint", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["frame"], ["frames.id"], name=op.f("fk_looks_frame_frames")),
        sa.PrimaryKeyConstraint("frame", name=op.f("pk_looks")),
    )
    op.create_index(op.f("ix_looks_taken_at"), "looks", ["taken_at"])
    op.create_index("ix_looks_where", "looks", ["south_deg", "north_deg", "taken_at"])
    op.create_index(op.f("ix_looks_sortie"), "looks", ["sortie"])
    op.create_table(
        "look_requests",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("incident", sa.String(200), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("asked_by", sa.String(200), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sortie", sa.String(200), nullable=True),
        sa.Column("outcome", sa.String(200), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("station", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "station", "at", name=op.f("pk_readings")),
    )
    op.create_table(
        "known_sources",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("lat_deg", sa.Float(53), nullable=False),
        sa.Column("lon_deg", sa.Float(53), nullable=False),
        sa.Column("radius_m", sa.Float(53), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_sources")),
    )


def downgrade() -> None:
    op.drop_table("known_sources")
    op.drop_table("readings")
    op.drop_table("look_requests")
    op.drop_table("looks")
    op.drop_table("standings")
    op.drop_table("sightings")
