"""The film of the README: digits walked through what a layer ignores, as a GIF.

It says for each dimension how much of the change of kernels T undoes, to ±3 along it.

python tools/walk_film.py --run runs/mnist_sample-layer4-seed0 --out docs/figures/walk.gif
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_filtergan.data import to_unit_interval
from keras_filtergan.inversion.transformed import transformed
from keras_filtergan.inversion.walks import latent_grid
from keras_filtergan.report.planes import image_numbers
from keras_filtergan.runs.trained import TrainedRun

FRAMES, REACH, ENLARGED, MILLISECONDS = 30, 3.0, 3, 70  # frames per dimension, there and back
MOST = 3  # dimensions
GRID = 7
LINE = 26  # pixels of the line of text


def one_of_each(trained: TrainedRun) -> np.ndarray:
    """The first test image of each class, in [0, 1]."""
    numbers = image_numbers(trained.dataset.y_test)
    classes = trained.dataset.y_test[numbers]
    first = [numbers[int(np.argmax(classes == label))] for label in np.unique(classes)]
    return to_unit_interval(trained.dataset.x_test[first])


def explained_along(trained: TrainedRun, images: np.ndarray, dim: int) -> float:
    """Share of the change of kernels that T undoes along a dimension: the middle of a grid."""
    d = trained.settings.latent_dim
    grid = latent_grid(np.zeros(d), d, (dim, (dim + 1) % d), GRID, REACH)
    walk = trained.transformed_walk(images, grid)
    line = np.s_[:, :, GRID // 2]
    return float(1 - walk.error_after[line].sum() / walk.error_before[line].sum())


def moved_along(trained: TrainedRun, images: np.ndarray, dim: int) -> np.ndarray:
    """The images above, the same bent by T below, `(frames, 2h, classes · w, c)`."""
    latents = np.zeros((FRAMES, trained.settings.latent_dim), "float32")
    latents[:, dim] = REACH * np.sin(2 * np.pi * np.arange(FRAMES) / FRAMES)
    middle = np.zeros_like(latents[0])
    moved = np.stack([transformed(trained.transformation, x, middle, latents) for x in images])
    rows = [np.broadcast_to(images[:, None], moved.shape), moved]
    joined = [np.concatenate(list(row), axis=2) for row in rows]  # (frames, h, classes · w, c)
    return np.concatenate(joined, axis=1)


def titled(frame: np.ndarray, title: str) -> Image.Image:
    """A frame of numbers in [0, 1], enlarged, with a line of text below."""
    levels = np.round(255 * frame).astype("uint8").repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    picture = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).convert("RGB")
    whole = Image.new("RGB", (picture.width, picture.height + LINE), "black")
    whole.paste(picture)
    place = picture.width // 2, picture.height + LINE // 2
    font = ImageFont.load_default(size=18)
    ImageDraw.Draw(whole).text(place, title, "orange", font, anchor="mm")
    return whole.quantize(32)


def main() -> None:
    """Write the film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    trained = TrainedRun.load(options.run)
    images, pictures = one_of_each(trained), []
    for dim, name in enumerate(trained.dimensions[:MOST]):
        print(f"{name}: {explained_along(trained, images, dim):.2f} undone")
        pictures += [titled(frame, name) for frame in moved_along(trained, images, dim)]
    pictures[0].save(
        options.out, save_all=True, append_images=pictures[1:], duration=MILLISECONDS, loop=0
    )
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
