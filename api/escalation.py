"""Who is called next while nobody takes an alert in hand, and how patient the service is. Pure.

The desk is told at once, on its receivers of step 0. Then people are called: whoever
is on call first, by their channels one after the other, then the next person; what the
desk keeps for later (its receivers of step 1, 2, …) is tried beside them. Last of all
the operator hears that nobody answers. Quiet hours hold the ladder back until they
end; red alerts do not know them.

    0:00 first person, first channel     2:00 first person, second channel, and the desk's step 1
    5:00 second person, first channel    …    5:00 after the last person: the operator
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from missions.duty import Channel, Duty, Member, on_call, quiet_until
from missions.model import Agency, Severity


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one waits for an acknowledgement: before the next channel, before the next person."""

    channel_s: float = 120.0
    person_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Watch:
    """After a fire is out: how often it is looked at again, and how many times."""

    every_s: float = 4 * 3600.0
    looks: int = 3


@dataclass(frozen=True, slots=True)
class SilencePatience:
    """How long each kind may be silent before that is an alarm, in seconds."""

    worker_s: float = 30.0
    drone_s: float = 60.0
    dock_s: float = 120.0
    analysis_s: float = 300.0
    feed_s: float = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Rung:
    """One call, so many seconds after the ladder began: a person by a channel, the desk, or the operator."""

    after_s: float
    member: Member | None = None
    channel: Channel | None = None
    desk_step: int | None = None

    @property
    def is_operator(self) -> bool:
        return self.member is None and self.desk_step is None


def begins_at(agency: Agency, severity: Severity, now: datetime, timezone: str) -> datetime:
    """Return when people are first called: now, or at the end of the agency's quiet hours."""
    if severity is Severity.RED:
        return now
    quiet_ends = quiet_until(agency.quiet_hours, now.astimezone(ZoneInfo(timezone)))
    return quiet_ends.astimezone(now.tzinfo) if quiet_ends else now


def ladder(
    agency: Agency, begun_at: datetime, timezone: str, patience: Patience, desk_steps: Iterable[int] = ()
) -> tuple[Rung, ...]:
    """Return every call to be made from a time on while nobody acknowledges, in order."""
    people = called(agency, begun_at.astimezone(ZoneInfo(timezone)))
    rungs = [Rung(step * patience.channel_s, desk_step=step) for step in sorted(set(desk_steps)) if step > 0]
    for number, member in enumerate(people):
        is_last = number == len(people) - 1
        for place, channel in enumerate(member.channels):
            wait_s = place * patience.channel_s
            if wait_s < patience.person_s or is_last:
                rungs.append(Rung(number * patience.person_s + wait_s, member, channel))
    rungs.append(Rung(max(len(people), 1) * patience.person_s))
    return tuple(sorted(rungs, key=lambda rung: rung.after_s))


def called(agency: Agency, local_at: datetime) -> tuple[Member, ...]:
    """Return who is called, in order: those on call, or where there are no shifts every officer and chief."""
    by_id = {member.id: member for member in agency.members}
    if agency.shifts:
        found = [by_id[member] for member in on_call(agency.shifts, local_at)]
    else:
        found = [m for m in agency.members if m.duties & {Duty.OFFICER, Duty.CHIEF}]
    return tuple(member for member in found if member.channels)
