"""The gimbal, and the two camera components that tell of pictures.

Both cameras share one shutter, so a picture is a pair with one index: component
100 is the RGB camera, 101 the thermal one. Every record is kept and sent again
when REQUEST_MESSAGE asks for it by index, as the camera protocol wants
(https://mavlink.io/en/services/camera.html).
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from missions.model import Camera, CameraPose, Sensor
from sim.autopilot.dialect import RGB_CAMERA, THERMAL_CAMERA, Message, Outgoing, mav, whole
from sim.drone import Point

GIMBAL_DEG_S = 90.0
_SUFFIX = {RGB_CAMERA: "W.JPG", THERMAL_CAMERA: "T.TIF"}
_SENSOR = {RGB_CAMERA: Sensor.RGB, THERMAL_CAMERA: Sensor.THERMAL}
CAPACITY_MIB = 64 * 1024.0
_PAIR_MIB = 2.0
_INTERVAL_SERIES = 2  # CAMERA_CAPTURE_STATUS.image_status: waiting for the next of a series


@dataclass(frozen=True, slots=True)
class Exposure:
    """One press of the shutter: where the cameras truly were, and what the drone believes."""

    index: int
    taken_s: float  # true, POSIX seconds of simulated time
    reported_s: float  # by the drone's own clock
    truth: CameraPose
    reported: CameraPose
    above_home_m: float  # as reported

    @property
    def stem(self) -> str:
        """The name its files share."""
        return f"GP_{self.index + 1:04d}"

    @property
    def taken_at(self) -> datetime:
        """When it was really taken."""
        return datetime.fromtimestamp(self.taken_s, UTC)

    @property
    def reported_at(self) -> datetime:
        """When the drone says it was taken."""
        return datetime.fromtimestamp(self.reported_s, UTC)


@dataclass(slots=True)
class Gimbal:
    """Turns the cameras to the pitch asked for, not at once; yaw follows the nose.

    While it looks at a place (`roi`: metres east, north and up of the pad) it turns as the drone flies
    on, until it is aimed otherwise; told to look at nothing it is level, as a mount without a stick is.
    """

    pitch_deg: float = -90.0
    wanted_pitch_deg: float = -90.0
    yaw_deg: float = 0.0
    roi: Point | None = None

    def look_at(self, roi: Point | None) -> None:
        """Keep looking at a place, or at nothing any more."""
        if roi is None and self.roi is not None:
            self.point(0.0, 0.0)
        self.roi = roi

    def track(self, at: Point, heading_deg: float) -> None:
        """Aim at what is looked at, from where the drone believes to be."""
        if self.roi is not None:
            east_m, north_m = self.roi.east_m - at.east_m, self.roi.north_m - at.north_m
            pitch = math.degrees(math.atan2(self.roi.up_m - at.up_m, math.hypot(east_m, north_m)))
            self.wanted_pitch_deg = max(-90.0, min(20.0, pitch))
            self.yaw_deg = (math.degrees(math.atan2(east_m, north_m)) - heading_deg + 180.0) % 360.0 - 180.0

    def point(self, pitch_deg: float, yaw_deg: float = 0.0) -> None:
        """Aim, at no place any more; a NaN leaves that axis as it is."""
        self.roi = None
        if not math.isnan(pitch_deg):
            self.wanted_pitch_deg = max(-90.0, min(20.0, pitch_deg))
        if not math.isnan(yaw_deg):
            self.yaw_deg = yaw_deg

    def advance(self, dt_s: float) -> None:
        """Turn for `dt_s` seconds."""
        error = self.wanted_pitch_deg - self.pitch_deg
        limit = GIMBAL_DEG_S * dt_s
        self.pitch_deg += max(-limit, min(limit, error))


class Cameras:
    """Two camera components of one vehicle and the pictures they took."""

    def __init__(self, folder: str, cameras: tuple[Camera, ...], media: str, boot_s: float) -> None:
        self.exposures: list[Exposure] = []
        self._folder = folder
        self._media = media
        self._boot_s = boot_s
        self._cameras = {
            component: next((c for c in cameras if c.sensor is sensor), None)
            for component, sensor in _SENSOR.items()
        }
        self.components = tuple(c for c, camera in self._cameras.items() if camera is not None)

    @property
    def count(self) -> int:
        return len(self.exposures)

    def record(self, exposure: Exposure) -> list[Outgoing]:
        """Keep an exposure and return what both components tell of it."""
        self.exposures.append(exposure)
        return [
            Outgoing(self._captured(exposure, component), component=component)
            for component in self.components
        ]

    def heartbeats(self) -> list[Outgoing]:
        """Return one heartbeat of each component."""
        beat = (mav.MAV_TYPE_CAMERA, mav.MAV_AUTOPILOT_INVALID, 0, 0, mav.MAV_STATE_ACTIVE, 3)
        return [Outgoing(mav.MAVLink_heartbeat_message(*beat), component=c) for c in self.components]

    def request(
        self, component: int, message_id: int, argument: float, now_s: float, interval_s: float = 0.0
    ) -> tuple[int, Message | None]:
        """Return the result and the message of a REQUEST_MESSAGE to one component.

        `interval_s` is the time between pictures of the series under way, 0 without one.
        """
        boot_ms = round((now_s - self._boot_s) * 1000)
        camera = self._cameras[component]
        match message_id:
            case mav.MAVLINK_MSG_ID_HEARTBEAT:
                return mav.MAV_RESULT_ACCEPTED, self.heartbeats()[self.components.index(component)].message
            case mav.MAVLINK_MSG_ID_CAMERA_INFORMATION if camera is not None:
                return mav.MAV_RESULT_ACCEPTED, _information(camera, boot_ms)
            case mav.MAVLINK_MSG_ID_CAMERA_SETTINGS:
                mode = mav.CAMERA_MODE_IMAGE
                return mav.MAV_RESULT_ACCEPTED, mav.MAVLink_camera_settings_message(boot_ms, mode)
            case mav.MAVLINK_MSG_ID_STORAGE_INFORMATION:
                return mav.MAV_RESULT_ACCEPTED, self._storage(boot_ms)
            case mav.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS:
                return mav.MAV_RESULT_ACCEPTED, self._status(boot_ms, interval_s)
            case mav.MAVLINK_MSG_ID_CAMERA_IMAGE_CAPTURED:
                index = whole(argument)
                if not 0 <= index < self.count:
                    return mav.MAV_RESULT_FAILED, None
                return mav.MAV_RESULT_ACCEPTED, self._captured(self.exposures[index], component)
        return mav.MAV_RESULT_UNSUPPORTED, None

    def _captured(self, exposure: Exposure, component: int) -> Message:
        pose = exposure.reported
        return mav.MAVLink_camera_image_captured_message(
            round((exposure.taken_s - self._boot_s) * 1000),  # counted from boot, whatever the clock says
            round(exposure.reported_s * 1e6),
            component,
            round(pose.place.lat_deg * 1e7),
            round(pose.place.lon_deg * 1e7),
            round(pose.altitude_m * 1000),
            round(exposure.above_home_m * 1000),
            _quaternion(pose),
            exposure.index,
            1,
            f"{self._media}/drones/{self._folder}/{exposure.stem}_{_SUFFIX[component]}".encode(),
        )

    def _status(self, boot_ms: int, interval_s: float) -> Message:
        busy = _INTERVAL_SERIES if interval_s > 0 else 0
        return mav.MAVLink_camera_capture_status_message(
            boot_ms, busy, 0, interval_s, 0, self._free_mib, self.count
        )

    def _storage(self, boot_ms: int) -> Message:
        ready, used = mav.STORAGE_STATUS_READY, CAPACITY_MIB - self._free_mib
        return mav.MAVLink_storage_information_message(
            boot_ms, 1, 1, ready, CAPACITY_MIB, used, self._free_mib, 80.0, 60.0
        )

    @property
    def _free_mib(self) -> float:
        return CAPACITY_MIB - _PAIR_MIB * self.count


def _information(camera: Camera, boot_ms: int) -> Message:
    """Return CAMERA_INFORMATION; lengths in millimetres are not known from pixels, so NaN."""
    return mav.MAVLink_camera_information_message(
        boot_ms,
        list(b"Gridpatrol".ljust(32, b"\0")),
        list(camera.name.encode()[:32].ljust(32, b"\0")),
        1 << 24,
        math.nan,
        math.nan,
        math.nan,
        camera.width_px,
        camera.height_px,
        0,
        mav.CAMERA_CAP_FLAGS_CAPTURE_IMAGE,
        0,
        b"",
    )


def _quaternion(pose: CameraPose) -> tuple[float, float, float, float]:
    """Return a camera's attitude (w, x, y, z), from yaw, pitch and roll in aircraft order."""
    half = [math.radians(a) / 2 for a in (pose.roll_deg, pose.pitch_deg, pose.heading_deg)]
    (cr, cp, cy), (sr, sp, sy) = [math.cos(h) for h in half], [math.sin(h) for h in half]
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )
