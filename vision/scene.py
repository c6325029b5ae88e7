"""What a detector may know beside the frame it looks at."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from missions.model import ReferenceLayers
from vision.baselines import Baseline
from vision.calibration import NOTHING_LEARNT, Calibration
from vision.frame import Frame
from vision.georeference import Ground


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything beside one frame; what is not at hand is None or empty, and no detector may need it.

    `ground` is what the frame lies on, `baseline` how the place looked before, `references` the site's
    lines, rivers, roads and named areas, `pair` the other eye's frame of the same moment, `now` the
    time of looking, `calibration` what duty officers' verdicts have taught, `mask` where in a colour picture
    anything can be (rows and columns of any number).
    """

    ground: Ground | None = None
    baseline: Baseline | None = None
    references: ReferenceLayers = field(default_factory=ReferenceLayers)
    pair: Frame | None = None
    now: datetime | None = None
    calibration: Calibration = NOTHING_LEARNT
    mask: npt.NDArray[np.bool_] | None = None
