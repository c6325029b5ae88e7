"""The parameters of PX4 that matter to a dock drone, with the values it ships with.

Names, defaults and units are those of PX4's parameter reference
(https://docs.px4.io/main/en/advanced_config/parameter_reference.html). Speeds and the
battery are set as the drone's maker would.
"""

from missions.model import DroneModel
from sim.autopilot.parameters import FLOAT, INT32, Parameters, Table
from sim.battery import CELLS, NOMINAL_V

_TABLE: Table = (
    ("BAT1_CAPACITY", -1, FLOAT),
    ("BAT1_N_CELLS", CELLS, INT32),
    ("BAT1_V_CHARGED", 4.05, FLOAT),
    ("BAT1_V_EMPTY", 3.6, FLOAT),
    ("BAT_CRIT_THR", 0.07, FLOAT),
    ("BAT_EMERGEN_THR", 0.05, FLOAT),
    ("BAT_LOW_THR", 0.15, FLOAT),
    ("COM_ARM_BAT_MIN", -1, FLOAT),
    ("COM_ARM_WO_GPS", 1, INT32),
    ("COM_DISARM_LAND", 2, FLOAT),
    ("COM_DISARM_PRFLT", 10, FLOAT),
    ("COM_DLL_EXCEPT", 0, INT32),
    ("COM_DL_LOSS_T", 10, INT32),
    ("COM_FAIL_ACT_T", 5, FLOAT),
    ("COM_FLT_TIME_MAX", -1, INT32),
    ("COM_HOME_EN", 1, INT32),
    ("COM_LOW_BAT_ACT", 0, INT32),
    ("COM_POS_LOW_ACT", 3, INT32),
    ("COM_RCL_EXCEPT", 0, INT32),
    ("COM_RC_IN_MODE", 4, INT32),
    ("COM_WIND_MAX", -1, FLOAT),
    ("COM_WIND_MAX_ACT", 0, INT32),
    ("EKF2_GPS_CTRL", 7, INT32),
    ("GF_ACTION", 2, INT32),
    ("GF_MAX_HOR_DIST", 0, FLOAT),
    ("GF_MAX_VER_DIST", 0, FLOAT),
    ("GF_PREDICT", 0, INT32),
    ("GF_SOURCE", 0, INT32),
    ("MAV_COMP_ID", 1, INT32),
    ("MAV_SIGN_CFG", 0, INT32),
    ("MAV_SYS_ID", 1, INT32),
    ("MAV_TYPE", 2, INT32),
    ("MIS_COMMAND_TOUT", 0, FLOAT),
    ("MIS_DIST_1WP", 10000, FLOAT),
    ("MIS_TAKEOFF_ALT", 2.5, FLOAT),
    ("MIS_TKO_LAND_REQ", 0, INT32),
    ("MIS_YAW_ERR", 12, FLOAT),
    ("MIS_YAW_TMT", -1, FLOAT),
    ("MNT_MODE_IN", 4, INT32),
    ("MNT_MODE_OUT", 2, INT32),
    ("MPC_ACC_HOR", 3, FLOAT),
    ("MPC_ACC_UP_MAX", 4, FLOAT),
    ("MPC_JERK_AUTO", 4, FLOAT),
    ("MPC_LAND_ALT1", 10, FLOAT),
    ("MPC_LAND_ALT2", 5, FLOAT),
    ("MPC_LAND_SPEED", 0.7, FLOAT),
    ("MPC_TKO_SPEED", 1.5, FLOAT),
    ("MPC_XY_CRUISE", 5, FLOAT),
    ("MPC_XY_VEL_MAX", 12, FLOAT),
    ("MPC_YAW_MODE", 0, INT32),
    ("MPC_Z_VEL_MAX_DN", 1.5, FLOAT),
    ("MPC_Z_VEL_MAX_UP", 3, FLOAT),
    ("MPC_Z_V_AUTO_DN", 1.5, FLOAT),
    ("MPC_Z_V_AUTO_UP", 3, FLOAT),
    ("NAV_ACC_RAD", 2, FLOAT),
    ("NAV_DLL_ACT", 0, INT32),
    ("NAV_LOITER_RAD", 80, FLOAT),
    ("NAV_RCL_ACT", 2, INT32),
    ("RTL_CONE_ANG", 45, INT32),
    ("RTL_DESCEND_ALT", 30, FLOAT),
    ("RTL_LAND_DELAY", 0, FLOAT),
    ("RTL_MIN_DIST", 10, FLOAT),
    ("RTL_RETURN_ALT", 60, FLOAT),
    ("RTL_TYPE", 0, INT32),
    ("SYS_AUTOSTART", 4001, INT32),
    ("TRIG_INTERFACE", 3, INT32),
    ("TRIG_MODE", 0, INT32),
)


def px4_parameters(model: DroneModel, *, system_id: int) -> Parameters:
    """Return the parameters of one drone as its maker would have set them."""
    parameters = Parameters(_TABLE, bytewise=True, hashed=True)
    for name, value in {
        "MAV_SYS_ID": float(system_id),
        "MPC_XY_CRUISE": model.cruise_m_s,
        "MPC_XY_VEL_MAX": model.cruise_m_s,
        "MPC_Z_VEL_MAX_UP": model.climb_m_s,
        "MPC_Z_V_AUTO_UP": model.climb_m_s,
        "MPC_Z_VEL_MAX_DN": model.descent_m_s,
        "MPC_Z_V_AUTO_DN": model.descent_m_s,
        "BAT1_CAPACITY": float(round(model.battery_wh / NOMINAL_V * 1000.0)),
    }.items():
        parameters.set(name, value)
    return parameters
