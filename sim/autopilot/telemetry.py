"""What the vehicle tells of itself, one function a message."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.autopilot.dialect import AUTOPILOT, Message, mav
from sim.autopilot.geofence import Crossed
from sim.autopilot.readiness import ekf_flags
from sim.battery import CELLS

if TYPE_CHECKING:
    from sim.autopilot.vehicle import Vehicle

_PREARM = mav.MAV_SYS_STATUS_PREARM_CHECK
_FENCE = mav.MAV_SYS_STATUS_GEOFENCE
_SENSORS = 0x0720FC2F | 0x2000000  # gyro, accelerometer, compass, baro, GPS, control, battery, logging
_CAPABILITIES = (
    mav.MAV_PROTOCOL_CAPABILITY_MISSION_FLOAT
    | mav.MAV_PROTOCOL_CAPABILITY_PARAM_FLOAT
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT
    | mav.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
    | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
    | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
    | mav.MAV_PROTOCOL_CAPABILITY_FLIGHT_TERMINATION
    | mav.MAV_PROTOCOL_CAPABILITY_MAVLINK2
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
    | mav.MAV_PROTOCOL_CAPABILITY_FTP
    | mav.MAV_PROTOCOL_CAPABILITY_TERRAIN
)
_VERSION = (4 << 24) | (5 << 16) | (5 << 8) | 255  # ArduCopter 4.5.5, official release
_GEOID_UNKNOWN_MM = 0


def heartbeat(v: "Vehicle") -> Message:
    pilot = v.pilot
    flags = pilot.mode.base_flags
    if pilot.armed:
        flags |= mav.MAV_MODE_FLAG_SAFETY_ARMED
    state = mav.MAV_STATE_STANDBY if pilot.landed else mav.MAV_STATE_ACTIVE
    if pilot.in_failsafe:
        state = mav.MAV_STATE_CRITICAL
    return mav.MAVLink_heartbeat_message(
        mav.MAV_TYPE_QUADROTOR, v.personality.kind, flags, pilot.mode.custom_mode, state, 3
    )


def sys_status(v: "Vehicle") -> Message:
    battery = v.pilot.drone.battery
    sensors = _SENSORS | _PREARM | (_FENCE if v.pilot.fence_is_on else 0)
    healthy = sensors if v.prearm_problem is None else sensors & ~_PREARM
    if v.pilot.crossed:
        healthy &= ~_FENCE
    return mav.MAVLink_sys_status_message(
        sensors,
        sensors,
        healthy,
        120,
        round(battery.voltage_v * 1000),
        round(battery.current_a * 100),
        round(battery.share * 100),
        0,
        0,
        0,
        0,
        0,
        0,
    )


def battery_status(v: "Vehicle") -> Message:
    battery = v.pilot.drone.battery
    cell_mv = round(battery.voltage_v / CELLS * 1000)
    return mav.MAVLink_battery_status_message(
        0,
        0,
        mav.MAV_BATTERY_TYPE_LIPO,
        2500,
        [cell_mv] * 10,
        round(battery.current_a * 100),
        round(battery.used_mah),
        round((battery.capacity_wh - battery.energy_wh) * 36),
        round(battery.share * 100),
        0,
        v.charge_state,
        [cell_mv, cell_mv, 0, 0],
    )


def global_position(v: "Vehicle") -> Message:
    lat, lon, amsl, above_home = v.estimate.position
    east, north, up = v.pilot.drone.velocity
    return mav.MAVLink_global_position_int_message(
        v.boot_ms,
        round(lat * 1e7),
        round(lon * 1e7),
        round(amsl * 1000),
        round(above_home * 1000),
        round(north * 100),
        round(east * 100),
        round(-up * 100),
        round(v.estimate.heading_deg * 100) % 36000,
    )


def local_position(v: "Vehicle") -> Message:
    at, home = v.pilot.drone.believed, v.pilot.helm.home
    east, north, up = v.pilot.drone.velocity
    return mav.MAVLink_local_position_ned_message(
        v.boot_ms,
        at.north_m - home.north_m,
        at.east_m - home.east_m,
        home.up_m - at.up_m,
        north,
        east,
        -up,
    )


def gps_raw(v: "Vehicle") -> Message:
    fix = v.estimate.error()
    place = v.estimate.place_off(fix.east_m, fix.north_m)
    drone = v.pilot.drone
    amsl_mm = round((v.identity.pad_amsl_m + drone.at.up_m + fix.up_m) * 1000)
    has_fix = v.pilot.up_time_s > 10.0 and not drone.troubles.gps_lost
    course = math.degrees(math.atan2(drone.velocity[0], drone.velocity[1])) % 360.0
    return mav.MAVLink_gps_raw_int_message(
        round(v.clock_s * 1e6),
        mav.GPS_FIX_TYPE_3D_FIX if has_fix else mav.GPS_FIX_TYPE_NO_FIX,
        round(place[0] * 1e7) if has_fix else 0,
        round(place[1] * 1e7) if has_fix else 0,
        amsl_mm if has_fix else 0,
        121,
        200,
        round(drone.ground_speed_m_s * 100),
        round(course * 100) % 36000,
        10 if has_fix else 0,
        _GEOID_UNKNOWN_MM,
        2100,
        2800,
        300,
    )


def attitude(v: "Vehicle") -> Message:
    lean = math.radians(min(25.0, v.pilot.drone.air_m_s * 1.2))
    return mav.MAVLink_attitude_message(
        v.boot_ms, 0.0, -lean, math.radians((v.estimate.heading_deg + 180) % 360 - 180), 0.0, 0.0, 0.0
    )


def vfr_hud(v: "Vehicle") -> Message:
    drone = v.pilot.drone
    throttle = round(50 * drone.power_w / drone.model.hover_w) if drone.airborne else 0
    return mav.MAVLink_vfr_hud_message(
        drone.air_m_s,
        drone.ground_speed_m_s,
        round(v.estimate.heading_deg) % 360,
        min(100, throttle),
        v.estimate.position[2],
        drone.velocity[2],
    )


def home_position(v: "Vehicle") -> Message | None:
    if v.pilot.home is None:
        return None
    home = v.estimate.home_item()
    quaternion = (1.0, 0.0, 0.0, 0.0)
    return mav.MAVLink_home_position_message(
        home.x, home.y, round(home.z * 1000), 0.0, 0.0, 0.0, quaternion, 0.0, 0.0, 0.0, round(v.now_s * 1e6)
    )


def global_origin(v: "Vehicle") -> Message | None:
    home = v.estimate.home_item()
    if v.pilot.home is None:
        return None
    return mav.MAVLink_gps_global_origin_message(home.x, home.y, round(home.z * 1000), round(v.now_s * 1e6))


def extended_sys_state(v: "Vehicle") -> Message:
    return mav.MAVLink_extended_sys_state_message(0, v.landed_state)


def mission_current(v: "Vehicle") -> Message:
    run = v.pilot.run
    total = max(0, len(run.items) - 1)
    in_mission = 1 if v.pilot.mode.runs_mission else 2
    return mav.MAVLink_mission_current_message(run.current, total, run.shown_state, in_mission)


def ekf_status(v: "Vehicle") -> Message:
    lost = v.drone.troubles.is_lost
    position = 1.2 if lost else 0.04
    return mav.MAVLink_ekf_status_report_message(
        ekf_flags(v.pilot.up_time_s, lost=lost), 0.05, position, 0.03, 0.02, 0.0, 0.0
    )


def version(v: "Vehicle", capabilities: int, number: int) -> Message:
    """Return AUTOPILOT_VERSION of an autopilot that can this and has that number."""
    return mav.MAVLink_autopilot_version_message(
        capabilities, number, 0, 0, 0, list(b"gridptrl"), [0] * 8, [0] * 8, 0, 0, v.system_id
    )


def autopilot_version(v: "Vehicle") -> Message:
    return version(v, _CAPABILITIES, _VERSION)


def system_time(v: "Vehicle") -> Message:
    return mav.MAVLink_system_time_message(round(v.clock_s * 1e6), v.boot_ms)


def wind(v: "Vehicle") -> Message:
    east, north = v.air
    blows_from = math.degrees(math.atan2(-east, -north)) % 360.0
    return mav.MAVLink_wind_message(blows_from, math.hypot(east, north), 0.0)


def rc_channels(v: "Vehicle") -> Message:
    return mav.MAVLink_rc_channels_message(v.boot_ms, 0, *([0] * 18), 255)


def raw_imu(v: "Vehicle") -> Message:
    return mav.MAVLink_raw_imu_message(v.boot_ms * 1000, 0, 0, -1000, 0, 0, 0, 230, 30, 500)


def vibration(v: "Vehicle") -> Message:
    return mav.MAVLink_vibration_message(v.boot_ms * 1000, 0.01, 0.01, 0.01, 0, 0, 0)


_BREACH_TYPES = {
    Crossed.BOTTOM: mav.FENCE_BREACH_MINALT,
    Crossed.TOP: mav.FENCE_BREACH_MAXALT,
    Crossed.CIRCLE: mav.FENCE_BREACH_BOUNDARY,
    Crossed.SHAPES: mav.FENCE_BREACH_BOUNDARY,
}


def fence_status(v: "Vehicle") -> Message | None:
    pilot = v.pilot
    if not pilot.fence_is_on:
        return None
    kind = next((name for bit, name in _BREACH_TYPES.items() if pilot.crossed & bit), 0)
    since_ms = round((pilot.breached_s - pilot.boot_s) * 1000) if pilot.breached_s is not None else 0
    return mav.MAVLink_fence_status_message(1 if pilot.crossed else 0, pilot.breaches, kind, since_ms, 0)


def terrain_report(v: "Vehicle") -> Message | None:
    lat, lon, _, _ = v.estimate.position
    return terrain_at(v, lat, lon)


def terrain_at(v: "Vehicle", lat_deg: float, lon_deg: float) -> Message | None:
    """Return what is known of the ground at a place, as TERRAIN_CHECK asks for it."""
    terrain = v.body.terrain
    if not v.personality.terrain or not v.params["TERRAIN_ENABLE"]:
        return None
    height = terrain.height_m(lat_deg, lon_deg)
    pending, loaded = terrain.counts()
    above = 0.0 if height is None else v.estimate.position[2] - height
    spacing = 0 if height is None else round(terrain.spacing_m)
    return mav.MAVLink_terrain_report_message(
        round(lat_deg * 1e7), round(lon_deg * 1e7), spacing, height or 0.0, above, pending, loaded
    )


def gimbal_information(v: "Vehicle") -> Message:
    can = mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_PITCH_AXIS | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_YAW_AXIS
    down, up = math.radians(-90.0), math.radians(20.0)
    return mav.MAVLink_gimbal_manager_information_message(
        v.boot_ms, can, AUTOPILOT, 0.0, 0.0, down, up, -math.pi, math.pi
    )


def gimbal_status(v: "Vehicle") -> Message:
    return mav.MAVLink_gimbal_manager_status_message(v.boot_ms, 12, AUTOPILOT, 0, 0, 0, 0)


def gimbal_attitude(v: "Vehicle") -> Message:
    pitch = math.radians(v.payload.gimbal.pitch_deg) / 2
    return mav.MAVLink_gimbal_device_attitude_status_message(
        0, 0, v.boot_ms, 12, (math.cos(pitch), 0.0, math.sin(pitch), 0.0), 0.0, 0.0, 0.0, 0
    )


def navigation(v: "Vehicle") -> Message:
    target = v.target
    drone = v.pilot.drone
    heading = round((drone.heading_deg + 180) % 360 - 180)
    if target is None:
        return mav.MAVLink_nav_controller_output_message(0.0, 0.0, heading, heading, 0, 0.0, 0.0, 0.0)
    east, north = target.east_m - drone.at.east_m, target.north_m - drone.at.north_m
    bearing = round(math.degrees(math.atan2(east, north)))
    away = min(65535, round(math.hypot(east, north)))
    rise = target.up_m - drone.at.up_m
    return mav.MAVLink_nav_controller_output_message(0.0, 0.0, heading, bearing, away, rise, 0.0, 0.0)


def timesync(v: "Vehicle") -> Message:
    return mav.MAVLink_timesync_message(0, round(v.clock_s * 1e9))


BUILDERS: dict[int, Callable[["Vehicle"], Message | None]] = {
    mav.MAVLINK_MSG_ID_HEARTBEAT: heartbeat,
    mav.MAVLINK_MSG_ID_SYS_STATUS: sys_status,
    mav.MAVLINK_MSG_ID_SYSTEM_TIME: system_time,
    mav.MAVLINK_MSG_ID_GPS_RAW_INT: gps_raw,
    mav.MAVLINK_MSG_ID_RAW_IMU: raw_imu,
    mav.MAVLINK_MSG_ID_ATTITUDE: attitude,
    mav.MAVLINK_MSG_ID_LOCAL_POSITION_NED: local_position,
    mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: global_position,
    mav.MAVLINK_MSG_ID_MISSION_CURRENT: mission_current,
    mav.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN: global_origin,
    mav.MAVLINK_MSG_ID_NAV_CONTROLLER_OUTPUT: navigation,
    mav.MAVLINK_MSG_ID_RC_CHANNELS: rc_channels,
    mav.MAVLINK_MSG_ID_VFR_HUD: vfr_hud,
    mav.MAVLINK_MSG_ID_TIMESYNC: timesync,
    mav.MAVLINK_MSG_ID_BATTERY_STATUS: battery_status,
    mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION: autopilot_version,
    mav.MAVLINK_MSG_ID_FENCE_STATUS: fence_status,
    mav.MAVLINK_MSG_ID_WIND: wind,
    mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT: ekf_status,
    mav.MAVLINK_MSG_ID_VIBRATION: vibration,
    mav.MAVLINK_MSG_ID_HOME_POSITION: home_position,
    mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: extended_sys_state,
    mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS: gimbal_attitude,
    mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_INFORMATION: gimbal_information,
    mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_STATUS: gimbal_status,
    mav.MAVLINK_MSG_ID_TERRAIN_REQUEST: terrain_report,  # ArduPilot counts report and requests as one
}
