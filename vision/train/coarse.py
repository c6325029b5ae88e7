"""Weights in few steps: a file of them packs to five eighths, and its answers hardly change."""

import numpy as np
import numpy.typing as npt

STEPS = 31  # either way of zero
PLACES = 10
_CLIPPED = (1.0, 0.9, 0.8, 0.7, 0.6)  # shares of a channel's largest weight where the steps may end

Weights = npt.NDArray[np.float64]


def rounded(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return weights (out, in, …) in equal steps per output channel, the step that costs least picked."""
    rows = weights.reshape(len(weights), -1)
    largest = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-12)
    best, least = rows, np.full((len(rows), 1), np.inf, np.float32)
    for share in _CLIPPED:
        step = largest * share / STEPS
        values = np.clip(np.round(rows / step), -STEPS, STEPS) * step
        off = ((values - rows) ** 2).sum(1, keepdims=True)
        best, least = np.where(off < least, values, best), np.minimum(off, least)
    return np.asarray(best.reshape(weights.shape), np.float32)


def compensated(
    weights: Weights, together: Weights, *, steps: int, step: Weights, damping: float = 0.005
) -> Weights:
    """Return whole numbers of steps for weights (out, in), rounded one input after the other.

    together: (in, in), how the inputs vary together, summed over what the layer is shown. What rounding an
    input's weights changes in the answers, those not yet rounded make good as far as they vary with it
    (Frantar and others 2022, "GPTQ"). step: (out, 1), from `step_of`.
    """
    size = len(together)
    own = np.diag(together).copy()
    solid = together + np.diag(damping * own.mean() + np.where(own > 0, 0.0, 1.0))
    order = np.argsort(-own)
    left = np.asarray(weights, np.float64)[:, order].copy()
    upper = np.linalg.cholesky(np.linalg.inv(solid[order][:, order])).T
    counts = np.zeros_like(left)
    for i in range(size):
        counts[:, i] = np.clip(np.round(left[:, i] / step[:, 0]), -steps, steps)
        off = (left[:, i] - counts[:, i] * step[:, 0]) / upper[i, i]
        left[:, i + 1 :] -= off[:, None] * upper[i, i + 1 :]
    back = np.empty_like(counts)
    back[:, order] = counts
    return back


def step_of(weights: Weights, own: Weights, *, steps: int) -> Weights:
    """Return the step (out, 1) of each output channel that costs its answers least.

    own: (in,), how much each input counts.
    """
    largest = np.maximum(np.abs(weights).max(1, keepdims=True), 1e-12)
    best, least = largest / steps, np.full((len(weights), 1), np.inf)
    for share in np.arange(1.0, 0.35, -0.05):
        step = largest * share / steps
        off = np.clip(np.round(weights / step), -steps, steps) * step - weights
        cost = (off**2 * own).sum(1, keepdims=True)
        best, least = np.where(cost < least, step, best), np.minimum(cost, least)
    return short(best)


def short(values: Weights, places: int = PLACES) -> Weights:
    """Return numbers with so many binary places; with `PLACES` they pack to little more than half."""
    mantissa, exponent = np.frexp(np.asarray(values, np.float64))
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, places)), exponent - places))
