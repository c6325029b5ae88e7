"""Keeping the camera on something that moves, within what its sortie allows (pure).

Only the camera turns: the drone flies its verified list at its own speed, so neither fence, way home nor
battery knows of it. The place is told by whoever sees the mover, with its speed; between two such words it is
taken to move on straight. The pictures of that time are those of the mover: planned ones among them were
spent, do not count as taken and are left for the sortie's rest.

    ends        when the time asked for is over, nobody has seen the mover for `LOST_S`, the drone comes home,
                the battery nears its reserve, or a person says so
    rests       where the mover is too far or too flat to be looked at, over no-photo ground, and while the
                drone is not heard; it goes on by itself
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet.errors import PlanRefused
from fleet.machine import Machine
from fleet.stages import LookAhead, LookAt, Sight, Stage
from fleet.vehicle import Contact
from missions.geo import BadPlace, LatLon, distance_m, moved

LONGEST_S, USUAL_S = 300.0, 120.0
LOST_S = 20.0
FARTHEST_M = 300.0
FLATTEST_DEG = -15.0
KEPT_PERCENT = 20.0  # from here on a battery is for the way home and nothing else
AGAIN_S = 1.0  # a mission's own gimbal item ends a look; the next one is no later than this
PICTURE_S = 2.0
SETTLED_S = 3.0  # so long a gimbal takes to look ahead again
_FASTEST_M_S = 60.0


@dataclass(frozen=True, slots=True)
class Mover:
    """Where something was on the ground at a moment, and how it moves; `ground_m` above mean sea level."""

    place: LatLon
    ground_m: float | None
    speed_m_s: float
    heading_deg: float
    seen_at: datetime
    kind: str = ""

    def after(self, seconds: float) -> LatLon:
        """Return where it is so much later if it goes on straight."""
        return moved(self.place, self.heading_deg, self.speed_m_s * seconds)


@dataclass(slots=True)
class Pursuit:
    """A mover that is followed, on the machine's clock."""

    mover: Mover
    ground_m: float
    seen_s: float
    began_s: float
    until_s: float
    looked_s: float = float("-inf")
    shot_s: float = float("-inf")

    @property
    def told(self) -> dict[str, Any]:
        """What is followed, as plain JSON values."""
        return {
            "kind": self.mover.kind,
            "lat_deg": self.mover.place.lat_deg,
            "lon_deg": self.mover.place.lon_deg,
            "speed_m_s": self.mover.speed_m_s,
            "heading_deg": self.mover.heading_deg,
            "seen_at": self.mover.seen_at.isoformat(),
        }


def mover_from(value: Mapping[str, Any], now: datetime) -> Mover:
    """Return the mover that JSON values say; what is not said stands still and is seen now.

    Raises:
        PlanRefused: they say none.
    """
    try:
        speed_m_s, heading_deg = float(value.get("speed_m_s") or 0.0), float(value.get("heading_deg") or 0.0)
        told, ground_m = value.get("seen_at"), value.get("ground_m")
        place = LatLon(float(value["lat_deg"]), float(value["lon_deg"]))
        ground_m = None if ground_m is None else float(ground_m)
        seen_at = datetime.fromisoformat(told) if told else now
        if not 0 <= speed_m_s <= _FASTEST_M_S or not all(map(math.isfinite, (heading_deg, ground_m or 0.0))):
            raise ValueError(f"speed {speed_m_s:g} m/s, heading {heading_deg:g}°, ground {ground_m} m")
        if seen_at.tzinfo is None:
            raise ValueError(f"seen_at {told} names no time zone")
    except (AttributeError, KeyError, TypeError, ValueError, BadPlace) as error:
        raise PlanRefused((f"the mover cannot be read ({error!r})",)) from None
    return Mover(place, ground_m, speed_m_s, heading_deg, min(seen_at, now), str(value.get("kind") or ""))


class Follows(Machine):
    """Turns the camera of a flying sortie after a mover."""

    pursuits = 0  # how often something was followed
    _pursuit: Pursuit | None = None
    _pursued_until_s = float("-inf")

    @property
    def pursuit(self) -> Pursuit | None:
        """What is followed now."""
        return self._pursuit

    def looks_aside(self, now: float) -> bool:
        """Return whether a picture of this moment may show something else than was planned."""
        return self._pursuit is not None or now - self._pursued_until_s < SETTLED_S

    def follow(
        self, mover: Mover, ground_m: float, for_s: float | None, sight: Sight, *, age_s: float, now: float
    ) -> str | None:
        """Begin to follow, or take a newer word of what is followed; return why not, None if it is done.

        `ground_m` is the ground's height where the mover is, `age_s` how long ago it was seen there. A newer
        word prolongs nothing: without `for_s` the time asked for first goes on.
        """
        if self._pursuit is not None and for_s is None:
            self._pursuit.mover, self._pursuit.ground_m = mover, ground_m
            self._pursuit.seen_s = now - age_s
            return None
        if for_s is not None and not 0 < for_s <= LONGEST_S:
            return f"{for_s:g} s asked for: a sortie allows up to {LONGEST_S:.0f} s"
        if for_s is None:
            return "nothing is followed"
        if age_s > LOST_S:
            return f"it was last seen {age_s:.0f} s ago: it is lost"
        why = self._must_end(sight) or self._cannot_look(mover.after(age_s), ground_m, sight)
        if why is not None:
            return why
        self._pursuit = Pursuit(mover, ground_m, now - age_s, now, now + for_s)
        self.pursuits += 1
        self.follows = True
        self._tell("flying", f"the camera follows {mover.kind or 'a mover'} for up to {for_s:.0f} s")
        return None

    def unfollow(self, why: str, now: float) -> str | None:
        """Look ahead again; return why not, None if it is done."""
        if self._pursuit is None:
            return "nothing is followed"
        self._tell("flying", f"the camera looks ahead again after {now - self._pursuit.began_s:.0f} s: {why}")
        self._look_ahead(now)
        return None

    def _look_ahead(self, now: float) -> None:
        self._pursuit, self._pursued_until_s, self.follows = None, now, False
        self._out.append(LookAhead())

    def _pursue(self, sight: Sight, now: float) -> None:
        """Look where the mover is by now, or end it."""
        pursuit = self._pursuit
        if pursuit is None:
            return
        if sight.vehicle is None or sight.vehicle.contact(now) is Contact.LOST:
            return  # nothing could be ordered: the next word of the drone decides
        why = self._must_end(sight)
        if why is None and now >= pursuit.until_s:
            why = "the time asked for is over"
        if why is None and now - pursuit.seen_s > LOST_S:
            why = f"it was last seen {now - pursuit.seen_s:.0f} s ago"
        if why is not None:
            self.unfollow(why, now)
            return
        place = pursuit.mover.after(now - pursuit.seen_s)
        if now - pursuit.looked_s >= AGAIN_S and self._cannot_look(place, pursuit.ground_m, sight) is None:
            pursuit.looked_s = now
            shoots = now - pursuit.shot_s >= PICTURE_S and now - pursuit.began_s >= AGAIN_S
            if shoots:
                pursuit.shot_s = now
            self._out.append(LookAt(place, pursuit.ground_m, shoots))

    def _must_end(self, sight: Sight) -> str | None:
        """Return why the sortie does not let its camera follow anything now."""
        if self.stage is not Stage.FLYING or self._recalled is not None:
            at = "coming home" if self.stage is Stage.FLYING else f"at {self.stage}"
            return f"the sortie is {at}: only a flying one can follow"
        percent = sight.vehicle.battery_percent if sight.vehicle is not None else None
        if percent is not None and percent < KEPT_PERCENT:
            return f"battery at {percent:.0f} %: {KEPT_PERCENT:.0f} % are kept"
        return None

    def _cannot_look(self, place: LatLon, ground_m: float, sight: Sight) -> str | None:
        """Return why a place cannot be looked at from where the drone is."""
        if sight.blind:
            return "over no-photo ground"
        motion = sight.vehicle.motion if sight.vehicle is not None else None
        if motion is None:
            return "the drone does not say where it is"
        level_m = distance_m(LatLon(motion.lat_deg, motion.lon_deg), place)
        drop_m = motion.altitude_m - ground_m
        if math.hypot(level_m, drop_m) > FARTHEST_M:
            return f"{math.hypot(level_m, drop_m):.0f} m off: up to {FARTHEST_M:.0f} m are allowed"
        pitch_deg = -math.degrees(math.atan2(drop_m, level_m))
        if pitch_deg > FLATTEST_DEG:
            return f"it would look {-pitch_deg:.0f}° down: {-FLATTEST_DEG:.0f}° or steeper is allowed"
        return None
