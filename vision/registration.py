"""Laying a picture of today over one of before, and refusing to where they do not fit.

Both lie on one grid of the ground already, as well as their poses tell. What is left is a few metres of
shift, a degree or two of turn and some shear. Features give that (SIFT, consensus by MAGSAC), and a second
pass on the whole picture refines it (ECC on local contrast). Then a check decides: in many small windows the
directions of edges are correlated afresh, and where today is really before, most windows that show any
structure find their best place where they already are. Over another place they find it anywhere, or nowhere.
Where they find it beside, but all along one smooth bend, the picture is bent so and the check done anew.
Light, season and noise change brightness; they hardly turn an edge.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from vision.chart import Mask

Grey = npt.NDArray[np.float32]

FEATURES = 4000
MOST_WINDOWS = 60
"""The check looks into about so many windows at most."""

SHIFT_PX = 16
"""How far the check looks around each window's place."""

BENDS, BEND_PX = 4, 3.0
"""So often a picture is bent along what its windows say, by those that lie so near one smooth bend."""

AGREES_PX = 2.0
ENOUGH_SHARE, ENOUGH_WINDOWS = 0.5, 5
"""Of the windows that show structure, half must agree, and not fewer than five."""

SURE_SHARE = 0.8
"""With so many agreeing no further guess is tried."""

CLEAR = 0.12
"""From this correlation of edges on a window's best place is more than chance (windows of 64 pixels)."""

TURNS_DEG = (0.0, -1.5, 1.5, -3.0, 3.0, -4.5, 4.5, -6.0, 6.0)
SCALES = (1.0, 0.965, 1.035)
"""How far a compass and a height may be off, in steps that the finer pass bridges."""

_RATIO, _FEWEST = 0.8, 12
_WINDOW_PX = 64
_CONTRAST_PX = 6.0
_ECC = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-5)


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """How today lies on before: `matrix` takes today's pixels to before's, `error_m` is what is left.

    `share` of `windows` agreed; `moved_m` is how far the picture's middle lies from where its pose put it.
    """

    matrix: Floats
    error_m: float
    share: float
    windows: int
    moved_m: float

    def onto(self, values: npt.NDArray[Any], *, nearest: bool = False) -> npt.NDArray[Any]:
        """Return today's raster where before has it; what lies outside is zero."""
        size = (values.shape[1], values.shape[0])
        how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        return np.asarray(cv2.warpPerspective(np.asarray(values), self.matrix, size, flags=how))


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Why today was not laid on before."""

    reason: str


def register(
    today: npt.NDArray[np.uint8],
    before: npt.NDArray[np.uint8],
    *,
    known: Mask,
    pixel_m: float,
    within_m: float,
) -> Registered | Unregistered:
    """Return how today's grey picture lies on before's, or why that cannot be told.

    Both are on one grid; `known` is where both show something. A fit that moves any corner further than
    `within_m` is refused: the poses are not that wrong.
    """
    if known.mean() < 0.1:
        return Unregistered("the two share less than a tenth of the picture")
    flat_today, flat_before = contrast(today, known), contrast(before, known)
    best: Registered | None = None
    reason = "no structure is common to both"
    for start in _starts(today, before, known, flat_today, flat_before, within_m / pixel_m):
        matrix: Floats | None = _refined(flat_today, flat_before, known, start)
        for _ in range(1 + BENDS):
            if matrix is None:
                break
            moved_m = _moved_px(matrix, today.shape) * pixel_m
            if moved_m > within_m:
                reason = (
                    f"the best fit is {moved_m:.0f} m from where the pose puts it, {within_m:.0f} m allowed"
                )
                break
            at, offs = _shifts(flat_today, flat_before, known, matrix)
            fit, reason = _checked(offs, matrix, today.shape, pixel_m)
            if fit and (best is None or fit.share > best.share):
                best = fit
            if best and best.share > SURE_SHARE:
                return best
            matrix = _bent(matrix, at, offs)
    return best or Unregistered(reason)


def contrast(grey: npt.NDArray[np.uint8], known: Mask) -> Grey:
    """Return local contrast: what a pixel has over its surroundings, in units of their scatter."""
    values = grey.astype(np.float32)
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _CONTRAST_PX) + 1e-3
    mean = cv2.GaussianBlur(np.where(known, values, 0.0), (0, 0), _CONTRAST_PX) / share
    off = np.where(known, values - mean, 0.0).astype(np.float32)
    scatter = np.sqrt(cv2.GaussianBlur(off * off, (0, 0), 2 * _CONTRAST_PX) / share) + 2.0
    return np.asarray(np.clip(off / scatter, -3, 3), np.float32)


def _starts(
    today: npt.NDArray[np.uint8],
    before: npt.NDArray[np.uint8],
    known: Mask,
    flat_today: Grey,
    flat_before: Grey,
    within_px: float,
) -> Iterator[Floats]:
    """Yield first guesses, likeliest first: by features, by edges over turns and shifts, by pose alone."""
    if (by_features := _by_features(today, before, known)) is not None:
        yield by_features
    yield _by_edges(flat_today, flat_before, within_px)
    yield np.eye(3)


def _by_edges(today: Grey, before: Grey, within_px: float) -> Floats:
    """Return the turn, scale and shift at which the edges of the whole picture fit best.

    Slower and coarser than features, but light that moved between the two dates hardly matters to it.
    """
    coarse = 0.5 if max(today.shape) > 300 else 1.0
    small = [
        np.asarray(cv2.resize(v, None, fx=coarse, fy=coarse, interpolation=cv2.INTER_AREA))
        for v in (today, before)
    ]
    height, width = small[0].shape
    reach = int(min(within_px * coarse, min(height, width) / 2 - 1))
    size = (cv2.getOptimalDFTSize(height + reach), cv2.getOptimalDFTSize(width + reach))
    target = np.fft.fft2(edges(np.asarray(small[1], np.float32)), size)
    offs = np.arange(-reach, reach + 1)
    best, found = -1.0, np.eye(3)
    for turn in TURNS_DEG:
        for scale in SCALES:
            spin = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
            spun = edges(np.asarray(cv2.warpAffine(small[0], spin, (width, height)), np.float32))
            like = np.real(np.fft.ifft2(np.conj(np.fft.fft2(spun, size)) * target))
            near = like[np.ix_(offs % size[0], offs % size[1])]
            row, column = np.unravel_index(int(np.argmax(near)), near.shape)
            if near[row, column] > best:
                best = float(near[row, column])
                spin[:, 2] += (offs[column], offs[row])
                found = np.vstack([spin, [0.0, 0.0, 1.0]])
    zoom = np.diag([coarse, coarse, 1.0])
    return np.asarray(np.linalg.inv(zoom) @ found @ zoom)


def _by_features(today: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], known: Mask) -> Floats | None:
    """Return the homography that most features agree on, None where too few do."""
    sift = cv2.SIFT.create(nfeatures=FEATURES, contrastThreshold=0.02)
    mask = known.astype(np.uint8) * 255
    points_a, marks_a = sift.detectAndCompute(today, mask)
    points_b, marks_b = sift.detectAndCompute(before, mask)
    if marks_a is None or marks_b is None or min(len(points_a), len(points_b)) < _FEWEST:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(marks_a, marks_b, k=2)
    good = [m[0] for m in pairs if len(m) == 2 and m[0].distance < _RATIO * m[1].distance]
    if len(good) < _FEWEST:
        return None
    at_a = np.array([points_a[m.queryIdx].pt for m in good], np.float32)
    at_b = np.array([points_b[m.trainIdx].pt for m in good], np.float32)
    cv2.setRNGSeed(1)
    affine, kept = cv2.estimateAffine2D(at_a, at_b, method=cv2.RANSAC, ransacReprojThreshold=4.0)
    if affine is None or int(kept.sum()) < _FEWEST:
        return None
    affine3 = np.vstack([affine, [0.0, 0.0, 1.0]])
    near = np.hypot(*(cv2.perspectiveTransform(at_a[None], affine3)[0] - at_b).T) < 12.0
    if int(near.sum()) < 4 * _FEWEST:
        return affine3
    found, inside = cv2.findHomography(at_a[near], at_b[near], cv2.USAC_MAGSAC, 2.0, maxIters=5000)
    return affine3 if found is None or int(inside.sum()) < 2 * _FEWEST else np.asarray(found, float)


def _refined(today: Grey, before: Grey, known: Mask, matrix: Floats) -> Floats:
    """Return the transform refined on the whole picture; as it was where that leads nowhere."""
    inverse = np.linalg.inv(matrix)
    warp = (inverse / inverse[2, 2])[:2].astype(np.float32)
    mask = known.astype(np.uint8) * 255
    try:
        _, fine = cv2.findTransformECC(before, today, warp, cv2.MOTION_AFFINE, _ECC, mask, 3)
    except cv2.error:
        return matrix
    rest = np.vstack([fine, [0.0, 0.0, 1.0]]).astype(float)
    bend = np.linalg.inv(np.vstack([warp, [0.0, 0.0, 1.0]]).astype(float)) @ inverse / inverse[2, 2]
    return np.asarray(np.linalg.inv(rest @ bend))


def _moved_px(matrix: Floats, shape: tuple[int, ...]) -> float:
    """Return how far the corner that moves furthest moves."""
    height, width = shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], float)
    return float(np.hypot(*(cv2.perspectiveTransform(corners, matrix) - corners)[0].T).max())


def _shifts(today: Grey, before: Grey, known: Mask, matrix: Floats) -> tuple[Floats, Floats]:
    """Return the middles of the windows that show something clear, and how far each must still move."""
    height, width = before.shape
    laid = np.asarray(cv2.warpPerspective(today, matrix, (width, height)), np.float32)
    seen = cv2.warpPerspective(known.astype(np.uint8), matrix, (width, height)) > 0
    edges_a, edges_b = edges(laid), edges(before)
    clear = [
        ((at[1].start + at[1].stop) / 2, (at[0].start + at[0].stop) / 2, *off)
        for at in _windows(known & seen)
        if (off := window_shift(edges_a[at], edges_b[at])) is not None
    ]
    rows = np.array(clear, float).reshape(-1, 4)
    return rows[:, :2].copy(), rows[:, 2:].copy()


def _bent(matrix: Floats, at: Floats, offs: Floats) -> Floats | None:
    """Return the transform bent along the shifts that most windows agree on, None where too few do."""
    if len(at) < _FEWEST:
        return None
    cv2.setRNGSeed(1)
    bend, kept = cv2.estimateAffine2D(at, at + offs, method=cv2.RANSAC, ransacReprojThreshold=BEND_PX)
    if bend is None or int(kept.sum()) < max(_FEWEST, ENOUGH_SHARE * len(at)):
        return None
    bent = np.vstack([bend, [0.0, 0.0, 1.0]]) @ matrix
    return np.asarray(bent / bent[2, 2])


def _checked(
    offs: Floats, matrix: Floats, shape: tuple[int, ...], pixel_m: float
) -> tuple[Registered | None, str]:
    """Return the fit with what is left of its error, or None and why it is refused."""
    if len(offs) < ENOUGH_WINDOWS:
        return None, f"only {len(offs)} parts of the picture show anything that both have"
    apart = np.hypot(*offs.T)
    agree = apart <= AGREES_PX
    share = float(agree.mean())
    if share < ENOUGH_SHARE or int(agree.sum()) < ENOUGH_WINDOWS:
        return None, f"only {int(agree.sum())} of {len(offs)} parts of the picture fit"
    middle = np.array([[[shape[1] / 2, shape[0] / 2]]])
    moved = float(np.hypot(*(cv2.perspectiveTransform(middle, matrix) - middle)[0, 0]))
    error_m = float(np.sqrt(np.mean(apart[agree] ** 2))) * pixel_m
    return Registered(matrix, error_m, share, len(offs), moved * pixel_m), ""


def edges(flat: Grey) -> npt.NDArray[np.complex64]:
    """Return each pixel's edge as a complex number: its direction doubled, so that light may swap sides."""
    across, down = cv2.Sobel(flat, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(flat, cv2.CV_32F, 0, 1, ksize=3)
    strength = np.hypot(across, down)
    turned = (across + 1j * down) ** 2 / (strength**2 + 1e-6)
    return np.asarray(turned * np.minimum(strength / 2.0, 1.0), np.complex64)


def window_shift(
    one: npt.NDArray[np.complex64], other: npt.NDArray[np.complex64]
) -> tuple[float, float] | None:
    """Return how far one window must move to fit the other (x, y in pixels), None where nothing is clear."""
    size = np.array(one.shape)
    power = float(np.sqrt((np.abs(one) ** 2).sum() * (np.abs(other) ** 2).sum()))
    if power < 0.05 * size.prod():
        return None
    shape = tuple(int(2 ** np.ceil(np.log2(n + SHIFT_PX))) for n in size)
    product = np.conj(np.fft.fft2(one, shape)) * np.fft.fft2(other, shape)
    like = np.real(np.fft.ifft2(product)) / power
    rows = np.arange(-SHIFT_PX, SHIFT_PX + 1)
    near = like[np.ix_(rows % shape[0], rows % shape[1])]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    if near[row, column] < CLEAR:
        return None
    return (
        float(column - SHIFT_PX + _between(near[row], int(column))),
        float(row - SHIFT_PX + _between(near[:, column], int(row))),
    )


def _between(values: Floats, at: int) -> float:
    """Return how far beside a highest sample the top of the parabola through it and its neighbours lies."""
    if not 0 < at < len(values) - 1:
        return 0.0
    left, here, right = (float(v) for v in values[at - 1 : at + 2])
    bend = left - 2 * here + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0


def _windows(known: Mask) -> list[tuple[slice, slice]]:
    """Return windows spread over what is known, those that are known nearly whole."""
    height, width = known.shape
    side = min(_WINDOW_PX, height, width)
    count = cv2.boxFilter(
        known.astype(np.float32), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
    )
    step = max(side // 2, 1)
    tops, lefts = np.arange(0, height - side + 1, step), np.arange(0, width - side + 1, step)
    at = [(t, x) for t in tops.tolist() for x in lefts.tolist() if count[t, x] > 0.9]
    every = max(len(at) // MOST_WINDOWS, 1)
    return [np.s_[t : t + side, x : x + side] for t, x in at[::every]]
