"""Moving pictures."""

import math
from pathlib import Path

import numpy as np
from PIL import Image  # comes with matplotlib

SIDE = 112  # pixels of a film's shorter side, at least


def enlarged(pictures: np.ndarray) -> np.ndarray:
    """Pictures `(..., h, w, c)`, every pixel a square, so that no side is below `SIDE`."""
    times = max(1, math.ceil(SIDE / min(pictures.shape[-3:-1])))
    return pictures.repeat(times, axis=-3).repeat(times, axis=-2)


def save_film(frames: np.ndarray, path: Path, milliseconds: int = 80) -> None:
    """Save a film as a GIF, small pictures enlarged.

    Args:
        frames: `(n, h, w, c)` in [0, 1], grey or in colour.
        path: ends in `.gif`.
        milliseconds: that each frame is shown; the last one stays for a second longer.
    """
    levels = np.round(255 * np.clip(enlarged(frames), 0, 1)).astype("uint8")
    pictures = [Image.fromarray(one[..., 0] if one.shape[-1] == 1 else one) for one in levels]
    durations = [milliseconds] * (len(pictures) - 1) + [milliseconds + 1000]
    first, *rest = pictures
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0)
