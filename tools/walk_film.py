"""The film of the README: digits walked through what a layer ignores, as a GIF.

python tools/walk_film.py --run runs/mnist_sample-layer4-seed0 --out docs/figures/walk.gif
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from keras_filtergan.data import to_unit_interval
from keras_filtergan.inversion.transformed import transformed
from keras_filtergan.report.planes import image_numbers, planes_of
from keras_filtergan.runs.trained import TrainedRun

FRAMES, REACH, ENLARGED, MILLISECONDS = 48, 3.0, 3, 70


def frames_of(trained: TrainedRun) -> np.ndarray:
    """Of each class one image above, the same bent by T below, `(frames, 2h, classes · w)`."""
    numbers = image_numbers(trained.dataset.y_test)
    classes = trained.dataset.y_test[numbers]
    first = [numbers[int(np.argmax(classes == label))] for label in np.unique(classes)]
    images = to_unit_interval(trained.dataset.x_test[first])
    plane = planes_of(trained)[0][0]
    assert plane.down is not None
    angle = 2 * np.pi * np.arange(FRAMES) / FRAMES
    down, right = np.sin(angle), np.sin(2 * angle)
    latents = REACH * (down[:, None] * plane.down.vector + right[:, None] * plane.right.vector)
    middle, latents = np.zeros(latents.shape[1], "float32"), latents.astype("float32")
    moved = np.stack([transformed(trained.transformation, x, middle, latents) for x in images])
    rows = [np.broadcast_to(images[:, None], moved.shape), moved]
    joined = [np.concatenate(list(row), axis=2) for row in rows]  # (frames, h, classes · w, c)
    return np.concatenate(joined, axis=1)


def main() -> None:
    """Write the film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    frames = np.round(255 * frames_of(TrainedRun.load(options.run))).astype("uint8")
    large = frames.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
    pictures = [
        Image.fromarray(one[..., 0] if one.shape[-1] == 1 else one).quantize(32) for one in large
    ]
    pictures[0].save(
        options.out, save_all=True, append_images=pictures[1:], duration=MILLISECONDS, loop=0
    )
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
