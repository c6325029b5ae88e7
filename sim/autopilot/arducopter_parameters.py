"""The parameters of ArduCopter that matter to a dock drone, with the values it ships with."""

from missions.model import DroneModel
from sim.autopilot.parameters import FLOAT as _FLOAT
from sim.autopilot.parameters import INT8 as _INT8
from sim.autopilot.parameters import INT16 as _INT16
from sim.autopilot.parameters import INT32 as _INT32
from sim.autopilot.parameters import Parameters, Table
from sim.battery import CELLS, NOMINAL_V

_TABLE: Table = (
    ("ARMING_CHECK", 1, _INT32),
    ("AUTO_OPTIONS", 0, _INT32),
    ("BATT_ARM_VOLT", 0, _FLOAT),
    ("BATT_CAPACITY", 0, _INT32),
    ("BATT_CRT_MAH", 0, _FLOAT),
    ("BATT_CRT_VOLT", 3.3 * CELLS, _FLOAT),
    ("BATT_FS_CRT_ACT", 0, _INT8),
    ("BATT_FS_LOW_ACT", 0, _INT8),
    ("BATT_LOW_MAH", 0, _FLOAT),
    ("BATT_LOW_TIMER", 5, _INT8),
    ("BATT_LOW_VOLT", 3.5 * CELLS, _FLOAT),
    ("BATT_MONITOR", 4, _INT8),
    ("CAM1_DURATION", 0.1, _FLOAT),
    ("CAM1_INTRVAL_MIN", 0, _FLOAT),
    ("CAM1_TYPE", 6, _INT8),
    ("CAM_AUTO_ONLY", 0, _INT8),
    ("DISARM_DELAY", 10, _INT8),
    ("FENCE_ACTION", 1, _INT8),
    ("FENCE_ALT_MAX", 100, _FLOAT),
    ("FENCE_ALT_MIN", -10, _FLOAT),
    ("FENCE_ENABLE", 0, _INT8),
    ("FENCE_MARGIN", 2, _FLOAT),
    ("FENCE_RADIUS", 300, _FLOAT),
    ("FENCE_TOTAL", 0, _INT8),
    ("FENCE_TYPE", 7, _INT8),
    ("FRAME_CLASS", 1, _INT8),
    ("FRAME_TYPE", 1, _INT8),
    ("FS_CRASH_CHECK", 1, _INT8),
    ("FS_EKF_ACTION", 1, _INT8),
    ("FS_GCS_ENABLE", 0, _INT8),
    ("FS_GCS_TIMEOUT", 5, _FLOAT),
    ("FS_OPTIONS", 16, _INT32),
    ("FS_THR_ENABLE", 0, _INT8),
    ("FS_VIBE_ENABLE", 1, _INT8),
    ("GPS_TYPE", 1, _INT8),
    ("INS_GYR_CAL", 1, _INT8),
    ("LAND_ALT_LOW", 1000, _INT16),
    ("LAND_SPEED", 50, _INT16),
    ("LAND_SPEED_HIGH", 0, _INT16),
    ("LOG_BITMASK", 176126, _INT32),
    ("MIS_OPTIONS", 0, _INT16),
    ("MIS_RESTART", 0, _INT8),
    ("MIS_TOTAL", 0, _INT16),
    ("MNT1_DEFLT_MODE", 3, _INT8),
    ("MNT1_PITCH_MAX", 20, _FLOAT),
    ("MNT1_PITCH_MIN", -90, _FLOAT),
    ("MNT1_TYPE", 6, _INT8),
    ("PILOT_SPEED_DN", 0, _INT16),
    ("PILOT_SPEED_UP", 250, _INT16),
    ("RALLY_INCL_HOME", 1, _INT8),
    ("RALLY_LIMIT_KM", 0.3, _FLOAT),
    ("RALLY_TOTAL", 0, _INT8),
    ("RTL_ALT", 1500, _INT32),
    ("RTL_ALT_FINAL", 0, _INT16),
    ("RTL_ALT_TYPE", 0, _INT8),
    ("RTL_CLIMB_MIN", 0, _INT16),
    ("RTL_CONE_SLOPE", 3, _FLOAT),
    ("RTL_LOIT_TIME", 5000, _INT32),
    ("RTL_SPEED", 0, _INT16),
    ("SCHED_LOOP_RATE", 400, _INT16),
    ("SERIAL0_PROTOCOL", 2, _INT8),
    ("SIM_SPEEDUP", 1, _FLOAT),
    ("STAT_BOOTCNT", 1, _INT16),
    ("SYSID_ENFORCE", 0, _INT8),
    ("SYSID_MYGCS", 255, _INT16),
    ("SYSID_THISMAV", 1, _INT16),
    ("TERRAIN_ENABLE", 1, _INT8),
    ("TERRAIN_OPTIONS", 0, _INT16),
    ("TERRAIN_SPACING", 100, _INT16),
    ("WPNAV_ACCEL", 250, _FLOAT),
    ("WPNAV_ACCEL_Z", 100, _FLOAT),
    ("WPNAV_JERK", 1, _FLOAT),
    ("WPNAV_RADIUS", 200, _FLOAT),
    ("WPNAV_RFND_USE", 1, _INT8),
    ("WPNAV_SPEED", 1000, _FLOAT),
    ("WPNAV_SPEED_DN", 150, _FLOAT),
    ("WPNAV_SPEED_UP", 250, _FLOAT),
    ("WPNAV_TER_MARGIN", 10, _FLOAT),
    ("WP_YAW_BEHAVIOR", 2, _INT8),
)
_READ_ONLY = frozenset({"MIS_TOTAL", "FENCE_TOTAL", "RALLY_TOTAL"})


def arducopter_parameters(model: DroneModel, *, system_id: int, speed: float = 1.0) -> Parameters:
    """Return the parameters of one drone as its maker would have set them."""
    parameters = Parameters(_TABLE, read_only=_READ_ONLY)
    for name, value in {
        "SYSID_THISMAV": float(system_id),
        "SIM_SPEEDUP": speed,
        "WPNAV_SPEED": model.cruise_m_s * 100.0,
        "WPNAV_SPEED_UP": model.climb_m_s * 100.0,
        "WPNAV_SPEED_DN": model.descent_m_s * 100.0,
        "BATT_CAPACITY": float(round(model.battery_wh / NOMINAL_V * 1000.0)),
    }.items():
        parameters.set(name, value)
    return parameters
