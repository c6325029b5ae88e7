"""What is wrong with a picture's file and can be put right, each with a sentence that says so.

Every function is handed a frame and answers with the frame as it is then used and with what was done,
or with the frame unchanged and None. What cannot be put right stays refused, by `frame.unplaced`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from missions.geo import Altitude, BadPlace, Datum, LatLon
from missions.model import CameraPose
from vision.frame import Frame
from vision.georeference import FlatGround, Ground
from vision.metadata.reading import pose_of

CLOCK_AHEAD = timedelta(minutes=10)
"""A camera's clock may run ahead so far; what was taken later than that is yet to come."""


def unswapped(frame: Frame, *, covered: Callable[[LatLon], bool]) -> tuple[Frame, str | None]:
    """Return the frame with latitude and longitude exchanged where only then some model lies below."""
    reading = frame.metadata.reading
    if reading.place is None or covered(reading.place):
        return frame, None
    try:
        other = LatLon(reading.place.lon_deg, reading.place.lat_deg)
    except BadPlace:
        return frame, None
    if not covered(other):
        return frame, None
    at = reading.place
    note = (
        f"no elevation model lies under {at.lat_deg:.4f}, {at.lon_deg:.4f} and one lies under the same "
        "two exchanged: latitude and longitude are taken as swapped in the file"
    )
    mended = replace(frame, metadata=replace(frame.metadata, reading=replace(reading, place=other)))
    return _with_pose(mended), note


def heightened(frame: Frame, ground: Ground | None) -> tuple[Frame, Ground | None, str | None]:
    """Return the frame and ground where the file knows a height over take-off but none above the sea."""
    reading = frame.metadata.reading
    above = reading.above_takeoff_m
    if frame.shot.pose or reading.place is None or reading.altitude_amsl_m is not None:
        return frame, ground, None
    if above is None or above <= 0:
        return frame, ground, None
    below = 0.0 if ground is None else float(ground.elevation_m(reading.place.lat_deg, reading.place.lon_deg))
    if not below > -1e4:  # NaN: the model has a hole there
        return frame, ground, None
    higher = replace(reading, altitude=Altitude(below + above, Datum.AMSL))
    mended = _with_pose(replace(frame, metadata=replace(frame.metadata, reading=higher)))
    if ground is None:
        flat = FlatGround(0.0, source="level ground at take-off height, from which all heights are counted")
        return mended, flat, "its height above sea level is not known: heights are counted from the take-off"
    return (
        mended,
        ground,
        (
            f"its height above sea level is not known: its {above:.0f} m over take-off are taken as height "
            f"over the ground below in {ground.source}"
        ),
    )


def raised(frame: Frame, ground: Ground | None) -> tuple[Frame, str | None]:
    """Return the frame with a camera that its file puts under the ground lifted out of it.

    Heights above sea level by barometer are off by tens of metres, those over
    take-off by one or two: the latter is then taken over the ground below.
    """
    pose, above = frame.shot.pose, frame.metadata.reading.above_takeoff_m
    if pose is None or ground is None or above is None or above <= 0:
        return frame, None
    below = float(ground.elevation_m(pose.place.lat_deg, pose.place.lon_deg))
    if not pose.altitude_m <= below:  # NaN: no ground there
        return frame, None
    lifted = replace(frame.shot, pose=replace(pose, altitude_m=below + above))
    return replace(frame, shot=lifted), (
        f"the file puts the camera under the ground of {ground.source}: "
        f"its {above:.0f} m over take-off are taken as height over the ground below"
    )


def in_time(frame: Frame, *, now: datetime | None) -> tuple[Frame, str | None]:
    """Return the frame without a time that is yet to come, and what its time is worth.

    With `now` None nothing is known of the future and nothing is taken away.
    """
    taken_at = frame.shot.taken_at
    if taken_at is None:
        return frame, "the file tells no time: its own date is taken"
    if now is not None and taken_at > now + CLOCK_AHEAD:
        note = (
            f"the file says it was taken at {taken_at:%Y-%m-%d %H:%M} UTC, which is yet to come: "
            "its own date is taken"
        )
        return replace(frame, shot=replace(frame.shot, taken_at=None)), note
    if not frame.metadata.zone_stated:
        return frame, "the file names no time zone: its clock is taken as UTC"
    return frame, None


def _with_pose(frame: Frame) -> Frame:
    """Return the frame with the pose that its reading now gives."""
    pose = pose_of(frame.metadata.reading)
    if isinstance(pose, CameraPose):
        return replace(frame, shot=replace(frame.shot, pose=pose), unplaced=None)
    return replace(frame, shot=replace(frame.shot, pose=None), unplaced=pose)
