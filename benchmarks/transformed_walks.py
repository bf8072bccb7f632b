"""What the learned image transformation of a run makes: how much it explains, how even, of what.

    python benchmarks/transformed_walks.py RUN [RUN …] [--json FILE]

Of ten test images, one a class. For spans of 3 and 1: the share of the change of kernels that T
alone explains and the even share of its pictures, means over the grids of dimensions 0, 1 and 2, 3
(and so on). For each latent dimension from −1.5 to 1.5: the share of T's pictures in the tangents
of known changes, and the even share of G's change of activations and of the real activations of
T's pictures.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from keras_filtergan.data import to_unit_interval
from keras_filtergan.evaluation.grids import one_of_each_class
from keras_filtergan.files import write_json
from keras_filtergan.inversion.anatomy import even_share, shares
from keras_filtergan.inversion.transformed import transformed_lines
from keras_filtergan.inversion.walks import latent_grid
from keras_filtergan.runs.trained import TrainedRun

GRID, SPANS, REACH = 7, (3.0, 1.0), 1.5


def examined(trained: TrainedRun) -> dict:
    """The figures of one run."""
    target, dataset, d = trained.target, trained.dataset, trained.settings.latent_dim
    everything = np.ones(len(dataset.y_test), bool)
    numbers = one_of_each_class(dataset.y_test, everything, dataset.num_classes)
    images = to_unit_interval(dataset.x_test[numbers])
    planes = [(i, i + 1) for i in range(0, d - 1, 2)]
    found: dict = {}
    for span in SPANS:
        grids = [latent_grid(np.zeros(d), d, dims, GRID, span) for dims in planes]
        walks = [trained.transformed_walk(images, grid) for grid in grids]
        explained = [walk.explained_fraction for walk in walks]
        even = [even_share(walk) for walk in walks]
        found[f"span {span:g}"] = {"explained": np.mean(explained), "even": np.mean(even)}
    found["dimensions"] = []
    for line in transformed_lines(trained.transformation, images, d, REACH, GRID):
        kernels = trained.generator(line.latents[0])
        real, generated = [], []
        for image, shown in zip(images, line.images[:, 0], strict=True):
            same = np.repeat(image[None], GRID, axis=0)
            real.append(target.activations(target.features(shown)).numpy())
            generated.append(target.activations(target.features(same), kernels).numpy())
        parts = {"even in real activations": real, "even in G's activations": generated}
        found["dimensions"].append(
            {**shares(line), **{name: _even(np.stack(maps)) for name, maps in parts.items()}}
        )
    return found


def _even(maps: np.ndarray) -> float:
    """The even share of the change from the middle, of `(n, GRID, …)`; NaN if nothing changes."""
    change = maps.astype(np.float64) - maps[:, GRID // 2 : GRID // 2 + 1]
    total = np.square(change).sum()
    return np.square((change + change[:, ::-1]) / 2).sum() / total if total > 0 else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for path in options.runs:
        results[path.name] = examined(TrainedRun.load(path, os.environ.get("TFDS_DATA_DIR")))
        print(path.name)
        for name, values in results[path.name].items():
            for row in values if isinstance(values, list) else [values]:
                print(f"  {name}:", ", ".join(f"{key} {value:.2f}" for key, value in row.items()))
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    main()
