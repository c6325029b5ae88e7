"""How sure several witnesses make us.

Witnesses of one class repeat each other's mistakes: ten residents see the same dust, a satellite sees
the same hot roof on every pass. So within a class only the surest word counts. Witnesses of different
classes err for different reasons, so their doubts multiply:

    confidence = 1 - product over classes of (1 - surest word of the class), at most 0.99

The looks of our drones are one class more; how they add up among themselves `vision.incidents` says.
"""

import math
from collections.abc import Mapping

from vision.witnesses.sighting import Witness

MOST_CERTAIN = 0.99


def agreed(surest: Mapping[Witness, float]) -> float:
    """Return how sure we are, from the surest word of each class; 0 without any."""
    return min(MOST_CERTAIN, 1.0 - math.prod(1.0 - c for c in surest.values()))


def raised(confidence: float, *, before: float, now: float) -> float:
    """Return the confidence when the surest word of one class was `before` and is `now`.

    What came from the other classes stays; a word less sure than an earlier one changes nothing.
    """
    if now <= before:
        return confidence
    doubt = (1.0 - confidence) * (1.0 - now) / max(1.0 - before, 1.0 - MOST_CERTAIN)
    return max(confidence, min(MOST_CERTAIN, 1.0 - doubt))
