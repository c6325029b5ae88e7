"""How long silence on a link lasts before something is sent again, learned from the link itself.

A fixed timeout is wrong on every link but one: on a cable it wastes most of each
second, over a satellite it sends everything twice. The estimate is that of
RFC 6298 (smoothed round trip plus four times its variation), fed by answers whose
request was sent once; an answer that comes sooner after a repeat than any round
trip can be belongs to the copy before it and is taken as slow, so that a timeout
which became too short mends itself. A vehicle that asks again on its own clock
must not be mistaken for such an answer: what is far slower than the link has ever
been teaches nothing. One instance serves all machines of a link.
"""

from dataclasses import dataclass

_SMOOTH = 0.125  # weight of a new sample, and below of its distance (RFC 6298)
_SMOOTH_VARIATION = 0.25
_VARIATIONS = 4.0
_SLACK = 0.25  # of the round trip: what a tick and a busy machine add to a link that never varies
_TOO_SOON = 0.5  # of the round trip: sooner than this no answer to the last copy can come
_TOO_LATE = 3.0  # of the round trip: later than this a repeat of the vehicle's own is likelier
_HURRIED = 0.1  # of the round trip: what each needless repeat adds to the variation
_BACK_OFF = 1.5


@dataclass(slots=True)
class Patience:
    """Seconds to wait; `resend_s` holds until the link has answered, then what it was seen to need.

    The first `brisk` repeats come at that pace, because on a lossy link the next
    copy often arrives; later ones back off up to `slowest_s`. No estimate goes
    below `floor_s`, which a sped-up simulation sets to what its own loop needs.
    """

    resend_s: float = 0.25
    brisk: int = 3
    slowest_s: float = 1.5
    give_up_s: float = 30.0
    floor_s: float = 0.02
    round_trip_s: float | None = None
    variation_s: float = 0.0

    def after(self, repeats: int) -> float:
        """Return the silence to wait before the next repeat."""
        return min(self._slowest_s, self._once_s * _BACK_OFF ** max(0, repeats - self.brisk))

    def answered(self, now: float, *, first_s: float, last_s: float) -> None:
        """Learn from an answer to something sent first and last at these times."""
        if first_s == last_s or self._is_of_an_older_copy(now - first_s, now - last_s):
            self._learn(now - first_s)
        elif self.round_trip_s is None and now - first_s > _TOO_LATE * self.resend_s:
            # Nothing is known yet and several copies were under way: wait longer until one tells.
            self.resend_s = min(self.slowest_s, self.resend_s * _BACK_OFF)

    def hurried(self) -> None:
        """Learn from the vehicle's word that a repeat was not needed."""
        if self.round_trip_s is not None:
            self.variation_s = min(self.round_trip_s, self.variation_s + _HURRIED * self.round_trip_s)

    def _is_of_an_older_copy(self, since_first_s: float, since_last_s: float) -> bool:
        known_s = self.round_trip_s or 0.0
        return since_last_s < _TOO_SOON * known_s and since_first_s < _TOO_LATE * known_s

    @property
    def _once_s(self) -> float:
        if self.round_trip_s is None:
            return max(self.floor_s, self.resend_s)
        margin_s = max(_VARIATIONS * self.variation_s, _SLACK * self.round_trip_s)
        return max(self.floor_s, self.round_trip_s + margin_s)

    @property
    def _slowest_s(self) -> float:
        return max(self.slowest_s, 2 * self._once_s)

    def _learn(self, sample_s: float) -> None:
        if self.round_trip_s is None:
            self.round_trip_s, self.variation_s = sample_s, sample_s / 2
            return
        distance_s = abs(sample_s - self.round_trip_s)
        self.variation_s += _SMOOTH_VARIATION * (distance_s - self.variation_s)
        self.round_trip_s += _SMOOTH * (sample_s - self.round_trip_s)
