"""Masks of pixels made wider, narrower, whole: the steps that detectors of change share."""

import cv2
import numpy as np

from vision.chart import Mask


def wider(mask: Mask, px: int) -> Mask:
    """Return a mask and what lies within so many pixels of it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(px)) > 0)


def narrower(mask: Mask, px: int) -> Mask:
    """Return a mask without what lies within so many pixels of its border."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(px)) > 0)


def opened(mask: Mask, px: int) -> Mask:
    """Return a mask without what is narrower than twice so many pixels."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(px)) > 0)


def closed(mask: Mask, px: int) -> Mask:
    """Return a mask with the gaps in it that are narrower than twice so many pixels."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(px)) > 0)


def grown_back(seeds: Mask, within: Mask) -> Mask:
    """Return the parts of a mask that hold a seed, each whole."""
    _, labels = cv2.connectedComponents(within.astype(np.uint8), connectivity=4)
    kept = np.zeros(int(labels.max()) + 1, bool)
    kept[np.unique(labels[seeds & within])] = True
    kept[0] = False
    return np.asarray(kept[labels])


def filled(mask: Mask, hole_px: float) -> Mask:
    """Return a mask whose holes up to a size are closed."""
    return np.asarray(mask | small(~mask, hole_px))


def small(mask: Mask, px: float) -> Mask:
    """Return the parts of a mask of no more than so many pixels."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    few = np.bincount(labels.ravel()) <= px
    few[0] = False
    return np.asarray(few[labels])


def _disc(px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1)), np.uint8)
