"""How many images a second are deformed, each along a field of its own.

    python benchmarks/diffeomorphisms.py [--side 28] [--channels 1] [--count 4000]

Beside it, what `scipy.ndimage.map_coordinates` does with the same fields, image by image. The
median of five runs of each, taken in turns.
"""

import argparse
import time

import numpy as np
import scipy.ndimage

from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms
from keras_filtergan.instruments.stability.relative_stability import temperatures

BATCH = 500


def deform_all(deform: Diffeomorphisms, images: np.ndarray) -> None:
    for first in range(0, len(images), BATCH):
        deform(images[first : first + BATCH], first).numpy()


def deform_by_scipy(deform: Diffeomorphisms, images: np.ndarray) -> None:
    side = images.shape[1]
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    for first in range(0, len(images), BATCH):
        part = images[first : first + BATCH]
        fields = np.moveaxis(deform.displacement(first, len(part), side, side).numpy(), -1, 1)
        for image, field in zip(part, fields, strict=True):
            for channel in range(image.shape[-1]):
                scipy.ndimage.map_coordinates(
                    image[..., channel], places + field, order=1, mode="nearest"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--count", type=int, default=4000)
    options = parser.parse_args()
    shape = (options.count, options.side, options.side, options.channels)
    images = np.random.default_rng(0).uniform(size=shape).astype("float32")
    deform = Diffeomorphisms(3, float(temperatures(options.side, 3, 1)[0]))
    ways = {"this package": deform_all, "scipy": deform_by_scipy}
    seconds = {name: [] for name in ways}
    for _ in range(6):  # the first one warms up
        for name, way in ways.items():
            start = time.perf_counter()
            way(deform, images)
            seconds[name].append(time.perf_counter() - start)
    for name, times in seconds.items():
        print(f"{name}: {options.count / np.median(times[1:]):,.0f} images/s of {shape[1:]}")


if __name__ == "__main__":
    main()
