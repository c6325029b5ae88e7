"""`gridpatrol bench alerts`: routing, intake, deliveries, escalation and a whole day of 200 docks;
and of `bench ground` what needs a database or a plan.

Each group of rows is one module here with a function `rows(job)` that yields them
(`missions/measure.py`); `enrol` names the groups and loads none of them.
"""

from missions.measure import suite

GROUPS = {
    "fanout": "how soon 200 subscribers hear of a fire while 5 hang and 10 fail",
    "killed": "10,000 alerts, 50 kills, a day of receiver outage on the virtual clock",
    "cap": "generated CAP messages against the OASIS schema, our own rules, signature and feed size",
    "routing": "points and ellipses against brute force, on shared borders, in holes and overlaps",
    "ingest": "observations over HTTP, each answered when its incident, its alerts and its rows are on disk",
    "escalation": "a thousand timers while their processes are killed; no call after an acknowledgement",
    "day200": "a day of 200 docks and 120,000 frames: false alarms an officer hears, fires nobody is told of",
}

GROUND = {
    "firms": "the real FIRMS files into incidents, static sources masked, and once more",
    "verify": "a look dispatched for a report against the next scheduled pass, on the valley's own plan",
}


def enrol() -> None:
    """Add this package's rows to the suites `alerts` and `ground`."""
    ground = suite("ground")
    for group, note in GROUND.items():
        ground.add(group, f"api.bench.{group}:rows", note)
    alerts = suite("alerts")
    for group, note in GROUPS.items():
        alerts.add(group, f"api.bench.{group}:rows", note)
