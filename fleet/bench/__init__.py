"""`gridpatrol bench fleet`: uploads over bad links, many vehicles, resumed and restarted sorties, faults.

Each group of rows is one module here with a function `rows(job)` that yields them
(`missions/measure.py`); `enrol` names the groups and loads none of them.
"""

from missions.measure import suite

GROUPS = {
    "upload": "a mission of 100 items put on board and proven over a bad link, beside other clients' rules",
    "mavftp500": "a mission of 500 items put on board as a file",
    "vehicles": "vehicles heard at 13 messages a second each, beside MAVSDK and pymavlink's mavutil",
    "resume": "sorties cut anywhere and resumed: pictures missed and taken twice",
    "restart": "a gateway killed while its drones fly",
    "faults": "injected faults and the state each ends in",
}
_MODULE_OF = {"mavftp500": "ftp"}


def enrol() -> None:
    """Add this package's rows to the suite `fleet`."""
    fleet = suite("fleet")
    for group, note in GROUPS.items():
        fleet.add(group, f"fleet.bench.{_MODULE_OF.get(group, group)}:rows", note)
