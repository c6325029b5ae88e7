"""Every fault we inject and the state a sortie ends in: the data of docs/failsafe.md and of its bench (pure).

A fault is what `gridpatrol sim --faults` can do (docs/faults.md), what a person
asks in flight, or what happens to the gateway itself. It ends in one of four
states, and never in "landed" while the drone is in the air.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fleet.stages import Wish


class End(StrEnum):
    """Where a sortie ends."""

    KEPT = "not launched"  # it stays in its dock, and the reason is told
    DOCK = "own dock"
    ALTERNATE = "alternate"  # another dock or rally point of the order
    GROUND = "controlled landing"  # where it is; the place is told, and the sortie fails


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    `injected` are entries of a fault file without the name of whom they strike.
    `asked` is what a person asks `asked_s` simulated seconds after take-off.
    `told` must stand in some report of the sortie, in any case of its letters; empty: nothing went
    wrong enough to tell.
    """

    id: str
    what: str
    ends: End
    told: str = ""
    injected: tuple[Mapping[str, Any], ...] = ()
    asked: Wish | None = None
    asked_s: float = 40.0
    kill: bool = False  # the gateway is killed while it flies, and started again
    px4_ends: End | None = None  # where it ends otherwise with PX4
    px4_told: str | None = field(default=None)

    def ends_on(self, autopilot: str) -> End:
        """Return where it ends with an autopilot."""
        return self.px4_ends if autopilot == "px4" and self.px4_ends is not None else self.ends

    def told_on(self, autopilot: str) -> str:
        """Return what must have been told."""
        return self.px4_told if autopilot == "px4" and self.px4_told is not None else self.told


def _at(kind: str, **values: Any) -> tuple[Mapping[str, Any], ...]:
    return ({"kind": kind, **values},)


def _flying(kind: str, at_s: float = 40.0, **values: Any) -> tuple[Mapping[str, Any], ...]:
    return ({"kind": kind, "after": "takeoff", "at_s": at_s, **values},)


IN_FLIGHT_S = 175.0  # a dock cannot count from a take-off: by then the drone is out
BEFORE_DOOR_S = 30.0

FAULTS: tuple[Fault, ...] = (
    # --- before take-off ---
    Fault("gps_none", "no satellites from the start", End.KEPT, "satellite", _at("gps_lost")),
    Fault(
        "compass_wrong_ground",
        "compass wrong by 90° from the start",
        End.KEPT,
        "position",
        _at("compass", error_deg=90),
    ),
    Fault(
        "battery_short",
        "the battery holds a little less than the sortie needs",
        End.DOCK,
        "charging",
        _at("battery", share=0.38),
    ),
    Fault(
        "dock_shut",
        "the door is stuck shut",
        End.KEPT,
        "stuck",
        _at("dock_stuck", door="shut", at_s=BEFORE_DOOR_S),
    ),
    Fault(
        "dock_jams",
        "the door stops while it opens",
        End.KEPT,
        "stuck",
        _at("dock_stuck", door="as_it_is", at_s=BEFORE_DOOR_S),
    ),
    Fault("dock_mute", "the dock says nothing", End.KEPT, "dock", _at("dock_silent", at_s=BEFORE_DOOR_S)),
    Fault(
        "dock_windy",
        "wind of 15 m/s at the dock",
        End.KEPT,
        "wind",
        _at("dock_wind", speed_m_s=15, at_s=BEFORE_DOOR_S),
    ),
    Fault(
        "dock_wet",
        "rain of 10 mm/h at the dock",
        End.KEPT,
        "rain",
        _at("dock_rain", rain_mm_h=10, at_s=BEFORE_DOOR_S),
    ),
    Fault(
        "deaf_ground",
        "the drone hears nothing",
        End.KEPT,
        "not reported",
        _at("link", direction="up", loss=1),
        px4_told="parameter",  # it tells its state without being asked
    ),
    Fault("silent_ground", "nothing is heard of the drone", End.KEPT, "heartbeat", _at("link", loss=1)),
    Fault(
        "reboot_ground",
        "the autopilot restarts as the mission is uploaded",
        End.DOCK,
        "",
        _at("reboot", at_s=80, dark_s=4),
    ),
    Fault(
        "motor_ground",
        "no thrust to spare at take-off",
        End.KEPT,
        "",
        ({"kind": "motor_weak", "thrust": 0.0, "after": "armed"},),
    ),
    # --- a bad link ---
    Fault("loss_05", "5 % of all packets lost each way", End.DOCK, "", _at("link", loss=0.05)),
    Fault("loss_20", "20 % of all packets lost each way", End.DOCK, "", _at("link", loss=0.2)),
    Fault("late", "every packet half a second late", End.DOCK, "", _at("link", delay_s=0.5)),
    Fault("jitter", "packets up to 0.4 s late, out of order", End.DOCK, "", _at("link", jitter_s=0.4)),
    Fault("doubled", "a third of all packets twice", End.DOCK, "", _at("link", duplicate=0.33)),
    Fault("swapped", "a third of all packets swapped", End.DOCK, "", _at("link", reorder=0.33)),
    Fault("spoiled", "a tenth of all packets with a wrong byte", End.DOCK, "", _at("link", corrupt=0.1)),
    Fault(
        "everything",
        "loss, delay, doubles and swaps at once",
        End.DOCK,
        "",
        _at("link", loss=0.1, delay_s=0.1, jitter_s=0.1, duplicate=0.05, reorder=0.05, corrupt=0.02),
    ),
    Fault(
        "deaf_30",
        "the drone hears nothing for 30 s",
        End.DOCK,
        "",
        _flying("link", direction="up", loss=1, for_s=30),
    ),
    Fault(
        "mute_30",
        "nothing is heard of the drone for 30 s",
        End.DOCK,
        "not heard",
        _flying("link", direction="down", loss=1, for_s=30),
    ),
    Fault(
        "cut_takeoff",
        "the link is cut for 90 s as it takes off",
        End.DOCK,
        "nothing is heard since",
        _flying("link", at_s=0, loss=1, for_s=90),
    ),
    Fault(
        "cut_30",
        "the link is cut for 30 s",
        End.DOCK,
        "not heard",
        _flying("link", loss=1, for_s=30),
    ),
    Fault(
        "cut_home",
        "the link is cut until it stands in its dock again",
        End.DOCK,
        "not heard",
        _flying("link", loss=1, for_s=260),
    ),
    Fault(
        "cut_recall",
        "recalled while the link is cut for 20 s",
        End.DOCK,
        "recalled",
        _flying("link", at_s=30, loss=1, for_s=20),
        asked=Wish.RECALL,
        asked_s=35.0,
    ),
    # --- where it is, and the air ---
    Fault(
        "gps_jump_small",
        "its position jumps by 10 m for 20 s",
        End.DOCK,
        "",
        _flying("gps_jump", east_m=10, for_s=20),
    ),
    Fault(
        "gps_jump",
        "its position jumps by 80 m",
        End.GROUND,
        "landed away",
        _flying("gps_jump", east_m=80),
    ),
    Fault("gps_lost", "its satellites are lost", End.GROUND, "landed away", _flying("gps_lost")),
    Fault(
        "gps_lost_home",
        "its satellites are lost on the way home, far from it",
        End.GROUND,
        "landed away",
        ({"kind": "gps_lost", "after": "returning", "at_s": 2},),
        asked=Wish.RECALL,
        asked_s=60.0,
    ),
    Fault(
        "compass_20",
        "its compass is wrong by 20° for 20 s",
        End.DOCK,
        "",
        _flying("compass", error_deg=20, for_s=20),
    ),
    Fault(
        "compass_90",
        "its compass is wrong by 90°",
        End.GROUND,
        "landed away",
        _flying("compass", error_deg=90),
    ),
    Fault(
        "gust_8",
        "a gust of 8 m/s for 30 s",
        End.DOCK,
        "",
        _flying("gust", speed_m_s=8, from_deg=200, for_s=30),
    ),
    Fault(
        "gust_16",
        "a gust of 16 m/s for 20 s",
        End.DOCK,
        "",
        _flying("gust", speed_m_s=16, from_deg=20, for_s=20),
    ),
    # --- battery and motors ---
    Fault(
        "cell_low",
        "a low cell: 5 V less (PX4 believes the charge it counted)",
        End.DOCK,
        "battery",
        _flying("low_cell", drop_v=5),
        px4_told="",
    ),
    Fault(
        "cell_critical",
        "a broken cell: 14 V less (PX4 believes the charge it counted)",
        End.GROUND,
        "landed away",
        _flying("low_cell", drop_v=14),
        px4_ends=End.DOCK,
        px4_told="",
    ),
    Fault("charge_14", "the charge falls to 14 %", End.DOCK, "battery", _flying("battery", share=0.14)),
    Fault(
        "charge_4",
        "the charge falls to 4 %: low for an ArduCopter, an emergency for PX4",
        End.DOCK,
        "battery",
        _flying("battery", share=0.04),
        px4_ends=End.GROUND,
        px4_told="landed away",
    ),
    Fault(
        "motor_70", "a motor keeps 70 % of its spare thrust", End.DOCK, "", _flying("motor_weak", thrust=0.7)
    ),
    Fault(
        "motor_20",
        "a motor keeps 20 %: it cannot hold its height",
        End.GROUND,
        "landed away",
        _flying("motor_weak", thrust=0.2),
    ),
    # --- autopilot, clock and camera ---
    Fault(
        "reboot_air",
        "the autopilot restarts in the air",
        End.GROUND,
        "landed away",
        _flying("reboot", dark_s=4),
    ),
    Fault("clock_ahead", "its clock jumps an hour ahead", End.DOCK, "", _flying("clock_jump", by_s=3600)),
    Fault("clock_back", "its clock jumps a day back", End.DOCK, "", _flying("clock_jump", by_s=-86400)),
    Fault(
        "camera_records",
        "no picture is told of for 30 s",
        End.DOCK,
        "",
        _flying("camera_mute", 15.0, what="records", for_s=30),
    ),
    Fault(
        "camera_shutter",
        "the shutter does nothing from the start",
        End.DOCK,
        "0 of",
        _at("camera_mute", what="shutter"),
    ),
    Fault(
        "camera_files", "no file can be fetched", End.DOCK, "files missing", _at("camera_mute", what="files")
    ),
    # --- the dock, while the drone is out ---
    Fault(
        "home_shut",
        "its door is stuck shut",
        End.ALTERNATE,
        "is stuck",
        _at("dock_stuck", door="shut", at_s=IN_FLIGHT_S),
    ),
    Fault(
        "home_open",
        "its door is stuck open",
        End.ALTERNATE,
        "is stuck",
        _at("dock_stuck", door="open", at_s=IN_FLIGHT_S),
    ),
    Fault(
        "home_jams",
        "its door stops when it shall close behind the drone",
        End.DOCK,
        "did not close",
        _at("dock_stuck", door="as_it_is", at_s=IN_FLIGHT_S),
    ),
    Fault("home_mute", "its dock says nothing more", End.DOCK, "", _at("dock_silent", at_s=IN_FLIGHT_S)),
    Fault(
        "home_windy",
        "wind of 15 m/s at its dock",
        End.DOCK,
        "",
        _at("dock_wind", speed_m_s=15, at_s=IN_FLIGHT_S),
    ),
    Fault(
        "home_shut_low",
        "its door is stuck shut and a cell is low",
        End.ALTERNATE,
        "is stuck",
        (*_at("dock_stuck", door="shut", at_s=IN_FLIGHT_S), *_flying("low_cell", 55.0, drop_v=5)),
    ),
    Fault(
        "home_shut_cut",
        "its door is stuck shut, and the link is cut for 15 s",
        End.ALTERNATE,
        "is stuck",
        (*_at("dock_stuck", door="shut", at_s=IN_FLIGHT_S), *_flying("link", 50.0, loss=1, for_s=15)),
    ),
    # --- people and the gateway ---
    Fault("recall", "a person recalls it", End.DOCK, "recalled by a person", asked=Wish.RECALL),
    Fault("divert", "a person diverts it", End.ALTERNATE, "diverted by a person", asked=Wish.DIVERT),
    Fault(
        "abort", "a person sends it down where it is", End.GROUND, "sent down by a person", asked=Wish.ABORT
    ),
    Fault("killed", "the gateway is killed and started again", End.DOCK, "re-attached", kill=True),
    Fault(
        "killed_recalled",
        "the gateway is killed just after it promised a recall",
        End.DOCK,
        "recalled by a person",
        asked=Wish.RECALL,
        kill=True,
    ),
    Fault(
        "killed_shut",
        "the gateway is killed, and the door is stuck shut when it is back",
        End.ALTERNATE,
        "is stuck",
        _at("dock_stuck", door="shut", at_s=IN_FLIGHT_S),
        kill=True,
    ),
    Fault(
        "killed_low",
        "the gateway is killed, and a cell is low meanwhile",
        End.DOCK,
        "",
        _flying("low_cell", drop_v=5),
        kill=True,
    ),
)


def table() -> str:
    """Return the table of docs/failsafe.md, in Markdown."""
    lines = ["| fault | what happens | ArduCopter ends in | PX4 ends in | told |", "|---|---|---|---|---|"]
    for fault in FAULTS:
        ends = fault.ends_on("arducopter"), fault.ends_on("px4")
        words = dict.fromkeys(w for w in (fault.told, fault.told_on("px4")) if w)
        told = ", PX4 ".join(f"“{w}”" for w in words)
        lines.append(f"| `{fault.id}` | {fault.what} | {ends[0]} | {ends[1]} | {told} |")
    return "\n".join(lines) + "\n"
