"""How much of what kernels change could a displacement of pixels be, at best? In closed form.

    python benchmarks/displacement_ceiling.py RUN [--json FILE]

T of `NaturalFilterGAN` displaces: a bend of 4 × 4 lattice points, the same for all images, and a
stroke part along the normals of edges, 33 fields in all. To first order a mixture w of them changes
activations by c_w, and the change of kernels that comes nearest (`KernelRegression`) by p_w. Then
cos²(c_w, p_w) is the share of p_w that the displacement explains, scaled as fits best. The mixtures
of largest share come from a generalised eigenvalue problem, on training images; the share is
measured on test images. No generator that is linear in z has a dimension of which a small T
explains more, unless its mean kernels are others: so the same is done about the generator's mean.

"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.linalg
import tensorflow as tf

from keras_filtergan.classifiers.kernel_regression import KernelRegression
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import to_unit_interval
from keras_filtergan.displacement import edge_normals, sample_cubic, spline_field
from keras_filtergan.files import write_json
from keras_filtergan.generators.kernel_source import KernelSource
from keras_filtergan.runs.trained import TrainedRun

GRID, AMOUNT = 4, 0.5  # lattice points a side; pixels that the largest displacement moves
IMAGES, BATCH = 1000, 100
MEAN_OVER, SHOWN = 2000, 8
SMALLEST = 1e-4  # of the largest variance, below which a mixture of fields counts as no change


class Displacements:
    """Changes of activations by T's fields, about some kernels, to first order.

    Args:
        target: the classifier split at the layer.
        kernels: about which kernels, `(kh, kw, cin, cout)`.
    """

    def __init__(self, target: FrozenTarget, kernels: np.ndarray):
        self.target, self.kernels = target, tf.constant(kernels)
        height, width = target.image_shape[:2]
        lattices = np.eye(GRID * GRID * 2, dtype=np.float32).reshape(-1, GRID, GRID, 2)
        self.bends = tf.unstack(AMOUNT * spline_field(tf.constant(lattices), height, width))

    def __len__(self) -> int:
        return len(self.bends) + 1

    @tf.function
    def changes(self, images: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The layer's input, and the odd part of the change of its output by each field."""
        feature = self.target.features(images)[0]
        fields = [tf.broadcast_to(bend, [*images.shape[:3], 2]) for bend in self.bends]
        fields.append(AMOUNT * edge_normals(images))
        return feature, [self._change(images, field) for field in fields]

    def _change(self, images: tf.Tensor, field: tf.Tensor) -> tf.Tensor:
        there, back = (self._activations(sample_cubic(images, s * field)) for s in (1.0, -1.0))
        return (there - back) / 2.0

    def _activations(self, images: tf.Tensor) -> tf.Tensor:
        return self.target.activations(self.target.features(images), self.kernels)


def batches(images: np.ndarray) -> Iterator[tf.Tensor]:
    """Images `(n, h, w, c)`, some at a time."""
    for start in range(0, len(images), BATCH):
        yield tf.constant(to_unit_interval(images[start : start + BATCH]))


def shares(target: FrozenTarget, kernels: np.ndarray, train: np.ndarray, test: np.ndarray) -> dict:
    """The largest shares of kernels' changes that displacements explain, one a mixture of fields.

    Returns:
        `largest`, shares of the best mixtures on test images, each orthogonal in activations to
        those before it; `fields`, the share of each field by itself.
    """
    displacements = Displacements(target, kernels)
    regression = KernelRegression(target, len(displacements))
    for images in batches(train):
        regression.add(*displacements.changes(images))
    solved = regression.solve()
    asked, made, _ = _products(displacements, solved, train)
    values, mixtures = scipy.linalg.eigh(asked)
    kept = mixtures[:, values > SMALLEST * values[-1]] / np.sqrt(
        values[values > SMALLEST * values[-1]]
    )
    _, turned = np.linalg.eigh(kept.T @ made @ kept)
    best = kept @ turned[:, ::-1][:, :SHOWN]
    measured = _products(displacements, solved, test)
    return {
        "largest": _cosines(measured, best).tolist(),
        "fields": _cosines(measured, np.eye(len(displacements))).tolist(),
    }


def _products(displacements: Displacements, solved: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Sums over images of ⟨c_i, c_j⟩, ⟨p_i, p_j⟩ and ⟨c_i, p_j⟩, `(3, fields, fields)`."""
    bias = 0.0 if displacements.target.bias is None else displacements.target.bias
    sums = np.zeros([3, len(solved), len(solved)])
    for batch in batches(images):
        feature, asked = displacements.changes(batch)
        made = [displacements.target.activations([feature], k) - bias for k in solved]
        c, p = (np.stack([np.ravel(x) for x in each]).astype(np.float64) for each in (asked, made))
        sums += c @ c.T, p @ p.T, c @ p.T
    return sums


def _cosines(products: np.ndarray, mixtures: np.ndarray) -> np.ndarray:
    """cos²(c_w, p_w) of each column of `mixtures`."""
    cc, pp, cp = (np.einsum("iw,ij,jw->w", mixtures, each, mixtures) for each in products)
    return np.square(cp) / (cc * pp)


def mean_kernels(generator: KernelSource) -> np.ndarray:
    """The mean kernels over latents and their opposites."""
    drawn = np.random.default_rng(0).standard_normal([MEAN_OVER // 2, generator.latent_dim])
    both = np.concatenate([drawn, -drawn]).astype(np.float32)
    return np.mean([np.mean(generator(part), axis=0) for part in np.split(both, 20)], axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    trained = TrainedRun.load(options.run, os.environ.get("TFDS_DATA_DIR"))
    train, test = trained.dataset.x_train[:IMAGES], trained.dataset.x_test[:IMAGES]
    found = {}
    for name, kernels in (
        ("real kernels", trained.target.kernel),
        ("generator's mean", mean_kernels(trained.generator)),
    ):
        found[name] = shares(trained.target, np.asarray(kernels), train, test)
        largest = found[name]["largest"]
        print(f"{name:17}", " ".join(f"{share:.2f}" for share in largest), flush=True)
        print(f"{'':17} mean of the first four {np.mean(largest[:4]):.3f}")
    if options.json is not None:
        write_json(options.json, found)


if __name__ == "__main__":
    main()
