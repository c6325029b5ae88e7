"""The stages of a sortie on the ground, from preflight to the moment it flies (pure)."""

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction
from fleet.machine import Machine, is_airborne, is_heard
from fleet.preflight import Finding, findings, worsened
from fleet.stages import WAITS, Need, Sight, Stage
from fleet.transfer import UploadResult
from fleet.vehicle import Contact

_STARTS = 3
_COUNT_S = 20.0  # a camera that does not tell its count by then keeps no drone on the ground


class Launching(Machine):
    """Brings a drone from its closed dock into the air, or leaves it there with a reason."""

    _starts = 0

    def _preflight(self, sight: Sight, now: float) -> None:
        found = findings(sight.vehicle, self.order, sight.dock, has_dock=self._has_dock, now=now)
        hopeless = tuple(f for f in found if f.usually_s is None)
        if not found:
            self._enter(Stage.DOOR if self._has_dock else Stage.PROFILE, now)
        elif self._has_dock and found == hopeless and _only_charge(found):
            self._tell("preflight", f"{found[0].what}; charging")
            self._enter(Stage.CHARGING, now)
        elif self._is_over_time(now) or (hopeless and not (self._has_dock and _only_charge(hopeless))):
            self._abort("; ".join(str(f) for f in (hopeless or found)), now)

    def _charging(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        percent = vehicle.battery_percent if vehicle is not None else None
        if percent is not None and percent >= self.order.battery_percent:
            self._out.append(DockAction.STOP_CHARGE)
            self._enter(Stage.PREFLIGHT, now)
        elif self._is_over_time(now):
            self._abort(f"the battery did not reach {self.order.battery_percent:.0f} %", now)
        elif self._is_due(now):
            self._out.append(DockAction.CHARGE)

    def _door(self, sight: Sight, now: float) -> None:
        dock = sight.dock
        if dock is not None and dock.door == "open":
            self._tell("door_open", f"door of {dock.dock} open after {now - self._entered_s:.0f} s")
            self._enter(Stage.PROFILE, now)
        elif dock is not None and dock.door == "stuck":
            self._abort(f"the door of {dock.dock} is stuck", now)
        elif self._is_over_time(now):
            self._abort(f"the door did not open ({sight.dock_refusal or 'no word from the dock'})", now)
        elif self._is_due(now):
            self._out += [DockAction.STOP_CHARGE, DockAction.OPEN]

    def _profile(self, sight: Sight, now: float) -> None:
        result = sight.profile
        if result is not None and result.passed:
            changed = "; ".join(map(str, result.changes)) or "all parameters right"
            unknown = f"; it knows no {', '.join(result.unknown)}" if result.unknown else ""
            self._tell("uploading", changed + unknown)
            self._enter(Stage.UPLOAD, now)
        elif result is not None:
            self._abort("; ".join(result.by_hand), now)
        elif self._is_over_time(now):
            self._abort("the parameters could not be read", now)
        elif self._is_due(now):
            self._out.append(Need.CHECK_PROFILE)

    def _upload(self, sight: Sight, now: float) -> None:
        result = sight.upload
        if result is not None and result.verified:
            self.verified, self.uploaded = True, result.uploaded
            self._tell("verified", f"{self._on_board} {_proof(result)}")
            self._enter(Stage.ARMING, now)
        elif result is not None or self._is_over_time(now):
            self._out.append(Need.CLEAR)
            reason = result.reason if result is not None else "it took too long"
            self._abort(f"the mission is not proven on board: {reason}", now)
        elif self._is_due(now):
            self._out.append(Need.UPLOAD)

    @property
    def _on_board(self) -> str:
        parts = [f"{len(self.order.items)} items"]
        if self.order.ways:
            parts.append(f"the ways to {', '.join(a.id for a in self.order.ways)}")
        if self.order.fence:
            parts.append(f"a fence of {len(self.order.fence)}")
        if self.order.rally:
            parts.append(f"{len(self.order.rally)} rally points")
        return ", ".join(parts)

    def _arming(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        self._is_ours = True
        worse = worsened(vehicle, self.order, sight.dock, has_dock=self._has_dock, now=now)
        if vehicle is not None and vehicle.armed:
            self._tell("armed", f"armed in {sight.mode} after {now - self._entered_s:.0f} s")
            self._enter(Stage.STARTING, now)
        elif self._is_over_time(now):
            why = "; ".join(map(str, worse)) or self._why_not(Step.ARM, sight)
            self._abort(f"the drone did not arm ({why})", now)
        elif any(finding.usually_s is None for finding in worse):
            self._abort("; ".join(map(str, worse)), now)
        elif self._door_went_shut(sight):
            self._abort("the door is not open any more", now)
        elif worse or (sight.uncounted and now - self._entered_s < _COUNT_S):
            return  # what a camera had before is how a gateway killed later knows what it has since
        elif self._is_due(now) and is_heard(vehicle, now):
            ready = sight.flying is Flying.READY
            self._out.append(Step.ARM if ready else Step.READY)
            if not ready:
                self._asked_s = now - WAITS[Stage.ARMING].again_s + 0.5  # arm as soon as it is ready

    def _starting(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is None or vehicle.contact(now) is Contact.LOST:
            self._tell("flying", "its start was ordered and nothing is heard since: it may be in the air")
            self._enter(Stage.FLYING, now)
        elif is_airborne(vehicle):
            self._tell("flying", f"off the ground in {sight.mode}")
            self._enter(Stage.FLYING, now)
        elif vehicle.armed is False and now - self._entered_s > 2.0:
            self._start_again(sight, now)
        elif self._is_over_time(now):
            self._abort(f"it did not take off ({self._why_not(Step.START, sight)})", now)
        elif self._door_went_shut(sight):
            self._abort("the door is not open any more", now)
        elif self._is_due(now) and is_heard(vehicle, now):
            self._out.append(Step.START)
            if sight.flying is not Flying.MISSION:
                self._asked_s = now - WAITS[Stage.STARTING].again_s + 0.5

    def _start_again(self, sight: Sight, now: float) -> None:
        """It disarmed on the ground, as it does after ten idle seconds: arm it again, a few times."""
        self._starts += 1
        if self._starts >= _STARTS:
            self._abort(f"it disarmed before take-off ({self._why_not(Step.START, sight)})", now)
        else:
            self._enter(Stage.ARMING, now)

    def _door_went_shut(self, sight: Sight) -> bool:
        return self._has_dock and sight.dock is not None and sight.dock.door in ("closed", "closing", "stuck")


def _only_charge(found: tuple[Finding, ...]) -> bool:
    return all(f.fix == "charge it" for f in found)


def _proof(result: UploadResult) -> str:
    """Return how a mission was proven, with the number by which it can be known again."""
    how = f"told by its id {result.opaque_id}" if result.opaque_id else "read back, all equal"
    before = "" if result.uploaded else "on board already, "
    return f"{before}{how} (checksum {result.checksum:08x})"
