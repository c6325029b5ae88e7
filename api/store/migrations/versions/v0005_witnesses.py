"""Witnesses: sightings, standings, looks and what was asked to be looked at, readings, known sources."""

from alembic import op

from api.store.migrations.columns import index, json, key, moment, number, refers, text, whole, words

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
        refers("sightings", "incident", "incidents"),
        key("sightings", "id"),
    )
    op.create_index("ix_sightings_when", "sightings", ["witness", "seen_at"])
    index("sightings", "incident")
    op.create_table(
        "standings",
        text("incident"),
        text("standing"),
        json("reason"),
        moment("changed_at"),
        json("sources"),
        json("note", null=True),
        refers("standings", "incident", "incidents"),
        key("standings", "incident"),
    )
    index("standings", "standing")
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
        refers("looks", "frame", "frames"),
        key("looks", "frame"),
    )
    index("looks", "taken_at")
    op.create_index("ix_looks_where", "looks", ["south_deg", "north_deg", "taken_at"])
    index("looks", "sortie")
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
        refers("look_requests", "incident", "incidents"),
        refers("look_requests", "sortie", "sorties"),
        key("look_requests", "id"),
    )
    index("look_requests", "state")
    index("look_requests", "incident")
    op.create_table(
        "readings",
        text("kind"),
        text("station"),
        moment("at"),
        number("lat_deg"),
        number("lon_deg"),
        json("facts"),
        key("readings", "kind", "station", "at"),
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
        key("known_sources", "id"),
    )


def downgrade() -> None:
    op.drop_table("known_sources")
    op.drop_table("readings")
    op.drop_table("look_requests")
    op.drop_table("looks")
    op.drop_table("standings")
    op.drop_table("sightings")
