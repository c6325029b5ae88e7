"""`gridpatrol bench alerts`: routing, intake, deliveries, escalation and a whole day of 200 docks.

Each group of rows is one module here with a function `rows(job)` that yields them
(`missions/measure.py`); `enrol` names the groups and loads none of them.
"""

from missions.measure import suite

GROUPS = {
    "routing": "points and ellipses against brute force, on shared borders, in holes and overlaps",
}


def enrol() -> None:
    """Add this package's rows to the suite `alerts`."""
    alerts = suite("alerts")
    for group, note in GROUPS.items():
        alerts.add(group, f"api.bench.{group}:rows", note)
