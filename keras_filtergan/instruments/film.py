"""Moving pictures."""

import math
import os
from pathlib import Path

import numpy as np
from PIL import Image  # comes with matplotlib

SIDE = 112  # pixels of a film's shorter side, at least


def save_film(frames: np.ndarray, path: Path, milliseconds: int = 80) -> None:
    """Save a film as a GIF in one step, small pictures enlarged.

    Args:
        frames: `(n, h, w, c)` in [0, 1], grey or in colour.
        path: ends in `.gif`.
        milliseconds: that each frame is shown; the last one stays for a second longer.
    """
    times = max(1, math.ceil(SIDE / min(frames.shape[1:3])))
    squares = np.repeat(np.repeat(frames, times, axis=1), times, axis=2)
    squares = np.round(255 * np.clip(squares, 0, 1)).astype("uint8")
    pictures = [Image.fromarray(one[..., 0] if one.shape[-1] == 1 else one) for one in squares]
    durations = [milliseconds] * (len(pictures) - 1) + [milliseconds + 1000]
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    pictures[0].save(aside, save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    os.replace(aside, path)
