"""What hangs under the drone: gimbal, shutter and cameras, moved by commands and mission items.

A press of the shutter makes one exposure: the true pose, the reported one with
the errors of the drone's sensors, and the messages that tell of it.
"""

import math

from missions.geo import LatLon
from missions.model import CameraPose
from sim.autopilot.camera import Cameras, Exposure, Gimbal
from sim.autopilot.commands import ACCEPTED, FAILED, UNSUPPORTED, Command
from sim.autopilot.dialect import Message, Outgoing, mav
from sim.autopilot.estimate import Estimate
from sim.autopilot.items import Item
from sim.autopilot.shutter import Shutter
from sim.drone import Multirotor


class Payload:
    """The gimbal and the cameras of one vehicle.

    `on` is False where CAM1_TYPE was 0 at boot: then the autopilot takes no
    picture and tells of none.
    """

    def __init__(
        self, drone: Multirotor, estimate: Estimate, cameras: Cameras, *, feedback: bool = True
    ) -> None:
        self.on = True
        self._feedback = feedback  # whether the autopilot tells of pictures too
        self._sequence = 0  # the last single picture asked for, so that a command sent twice takes one
        self.gimbal = Gimbal()
        self.shutter = Shutter()
        self.cameras = cameras
        self.now_s = 0.0
        self.home_up_m = 0.0
        self._drone = drone
        self._estimate = estimate
        self._outbox: list[Outgoing] = []
        self._fresh: list[Exposure] = []

    def advance(self, now_s: float, home_up_m: float) -> None:
        """Turn the gimbal and press the shutter where a trigger is due."""
        dt_s, self.now_s, self.home_up_m = now_s - self.now_s, now_s, home_up_m
        self.gimbal.track(self._drone.believed, self._drone.heading_deg)
        self.gimbal.advance(dt_s)
        if self.shutter.due(self._drone.at, now_s):
            self.shoot()

    def do(self, item: Item) -> bool:
        """Carry out a camera or gimbal item; return whether it could be done."""
        p1, p2, p3, _ = item.params
        match item.command:
            case mav.MAV_CMD_DO_MOUNT_CONTROL:
                self.gimbal.point(p1, p3)
            case mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW:
                self.gimbal.point(p1, p2)
            case mav.MAV_CMD_IMAGE_START_CAPTURE:
                return self._start(p2, p3)
            case mav.MAV_CMD_IMAGE_STOP_CAPTURE:
                self.shutter.stop()
            case mav.MAV_CMD_DO_DIGICAM_CONTROL:
                return self.shoot() if item.x == 1 else True
            case mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST:
                self.shutter.by_distance(p1, self._drone.at)
                return self.shoot() if p3 == 1 and p1 > 0 else True
        return True

    def command(self, command: Command, component: int) -> int:
        """Carry out a command to a camera component itself and return its MAV_RESULT."""
        match command.number:
            case mav.MAV_CMD_REQUEST_MESSAGE:
                return self._request(component, command.whole(0), command.p[1], command.link)
            case mav.MAV_CMD_REQUEST_CAMERA_INFORMATION:
                return self._request(component, mav.MAVLINK_MSG_ID_CAMERA_INFORMATION, 0.0, command.link)
            case mav.MAV_CMD_REQUEST_CAMERA_CAPTURE_STATUS:
                return self._request(component, mav.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS, 0.0, command.link)
            case mav.MAV_CMD_IMAGE_START_CAPTURE:
                return self._capture(command)
            case mav.MAV_CMD_IMAGE_STOP_CAPTURE:
                self.shutter.stop()
                return ACCEPTED
            case mav.MAV_CMD_SET_CAMERA_MODE:
                return ACCEPTED
            case mav.MAV_CMD_REQUEST_STORAGE_INFORMATION:
                return self._request(component, mav.MAVLINK_MSG_ID_STORAGE_INFORMATION, 0.0, command.link)
            case mav.MAV_CMD_REQUEST_CAMERA_SETTINGS:
                return self._request(component, mav.MAVLINK_MSG_ID_CAMERA_SETTINGS, 0.0, command.link)
        return UNSUPPORTED

    def _capture(self, command: Command) -> int:
        """Take what IMAGE_START_CAPTURE asks for; the same single picture asked for again is there."""
        interval_s, count, sequence = command.p[1], command.p[2], command.whole(3)
        if count == 1 and sequence > 0:
            if sequence == self._sequence:
                return ACCEPTED
            self._sequence = sequence
        if self.shutter.left > 0 and count != 1:
            return int(mav.MAV_RESULT_TEMPORARILY_REJECTED)
        return ACCEPTED if self._start(interval_s, count) else FAILED

    def shoot(self) -> bool:
        """Press the shutter of all cameras together; return whether there was anything to press."""
        if not self.on or not self.cameras.components:
            return False
        troubles = self._drone.troubles
        if troubles.shutter_stuck:
            return True  # the command is taken, and nothing comes of it
        exposure = self._expose()
        if not troubles.files_lost:
            self._fresh.append(exposure)
        told = self.cameras.record(exposure)
        if not troubles.records_lost:
            self._outbox += [*told, Outgoing(_feedback(exposure))] if self._feedback else told
        return True

    def said(self) -> list[Outgoing]:
        """Return what is to be sent since the last time."""
        said, self._outbox = self._outbox, []
        return said

    def taken(self) -> list[Exposure]:
        """Return the exposures since the last time."""
        taken, self._fresh = self._fresh, []
        return taken

    def _start(self, interval_s: float, count: float) -> bool:
        if count == 1:
            return self.shoot()
        self.shutter.by_interval(interval_s, count, self.now_s)
        return self.on

    def _request(self, component: int, message_id: int, argument: float, link: int) -> int:
        interval_s = self.shutter.interval_s if self.shutter.left > 0 else 0.0
        result, message = self.cameras.request(component, message_id, argument, self.now_s, interval_s)
        if message is not None:
            self._outbox.append(Outgoing(message, link, component))
        return result

    def _expose(self) -> Exposure:
        noise, place_off = self._estimate.noise, self._estimate.place_off
        error = self._estimate.error()
        up_m, heading = self._drone.at.up_m, self._drone.heading_deg + self.gimbal.yaw_deg
        amsl_m, pitch = self._estimate.pad_amsl_m + up_m, self.gimbal.pitch_deg
        truth = CameraPose(LatLon(*place_off(0.0, 0.0)), amsl_m, heading % 360.0, pitch)
        reported = CameraPose(
            LatLon(*place_off(error.east_m, error.north_m)),
            amsl_m + error.up_m,
            (heading + error.yaw_deg) % 360.0,
            pitch + error.pitch_deg,
            error.roll_deg,
        )
        return Exposure(
            index=self.cameras.count,
            taken_s=self.now_s,
            reported_s=self.now_s + noise.clock_s() + self._drone.troubles.clock_s,
            truth=truth,
            reported=reported,
            above_home_m=up_m + error.up_m - self.home_up_m,
        )


def _feedback(exposure: Exposure) -> Message:
    """Return the autopilot's CAMERA_FEEDBACK; it does not say which command caused it."""
    pose = exposure.reported
    count = (exposure.index + 1) & 0xFFFF
    return mav.MAVLink_camera_feedback_message(
        round(exposure.reported_s * 1e6),
        0,
        0,
        count,
        round(pose.place.lat_deg * 1e7),
        round(pose.place.lon_deg * 1e7),
        pose.altitude_m,
        exposure.above_home_m,
        pose.roll_deg,
        pose.pitch_deg,
        math.fmod(pose.heading_deg, 360.0),
        0.0,
        mav.CAMERA_FEEDBACK_PHOTO,
        count,
    )
