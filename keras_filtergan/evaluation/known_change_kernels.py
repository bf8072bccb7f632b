"""Kernels that make known changes of images: what an oracle that knows the answer would reach."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.kernel_regression import KernelRegression
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import image_stream
from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.gan.losses import answer_loss
from keras_filtergan.images.known_changes import Change, known_changes

# The changes of the first, second, … latent dimension; those beyond move nothing.
CHANGES = (
    *("stroke_width", "slant", "rotation", "scale"),
    *("stretch", "shift_right", "shift_down", "elastic"),
)
FITTED_BATCHES, STEPS, BATCH = 15, 200, 64
LEARNING_RATE = 1e-3  # of Adam, in units of the kernels' root mean square
ANSWER_WEIGHT = 8.0  # as much as the generator pays for the answer


class KnownChangeKernels:
    """W + amount · Σ_i z_i K_i, where K_i makes of an image what a known change makes of it.

    K_i begins at the change of kernels that comes nearest in closed form (`KernelRegression`). That
    alone does not keep the network's answer, so Adam then minimises, for W + K_i and W − K_i,

        Σ‖a(x|W + K_i) − a(c_i(x)|W)‖² / Σ‖a(x|W) − a(c_i(x)|W)‖² + 8 · answer loss.

    All K_i change activations equally much. `fit` finds them.

    Args:
        real: W, `(kh, kw, cin / groups, cout)`.
        changes: K, `(d, kh, kw, cin / groups, cout)`.
        amount: what K is multiplied by.

    Example:
        >>> oracle = KnownChangeKernels.fit(target, dataset, latent_dim=4)
        >>> wider = oracle(np.eye(4))[0] - target.kernel
    """

    def __init__(self, real: np.ndarray, changes: np.ndarray, amount: float = 1.0):
        self.real = np.asarray(real)
        self.changes = np.asarray(changes)
        self.amount = amount
        self.latent_dim = len(self.changes)

    @classmethod
    def fit(
        cls, target: FrozenTarget, dataset: ImageDataset, latent_dim: int, seed: int = 0
    ) -> "KnownChangeKernels":
        """Find K for a network.

        Args:
            target: the frozen network.
            dataset: K is fitted to its training images.
            latent_dim: d; the first d of `CHANGES` are made.
            seed: of the order of images.
        """
        known = known_changes(target.image_shape)
        wanted = [known[name] for name in CHANGES[:latent_dim]]
        size = min(BATCH, len(dataset.x_train))
        stream = image_stream(dataset.x_train, dataset.y_train, size, seed)
        batches = (images for images, _ in stream)
        first = _nearest(target, wanted, batches)
        kept = np.stack(
            [_answer_kept(target, *each, batches) for each in zip(wanted, first, strict=True)]
        )
        images = next(batches)
        features = target.features(images)
        sizes = [np.mean(np.square(_change(target, features, kernels))) for kernels in kept]
        scaled = kept / np.sqrt(np.maximum(sizes, 1e-12))[:, None, None, None, None]
        still = np.zeros([latent_dim - len(scaled), *target.kernel_shape])
        return cls(target.kernel.numpy(), np.concatenate([scaled, still]).astype("float32"))

    def times(self, amount: float) -> "KnownChangeKernels":
        """The same changes, so many times as large."""
        return KnownChangeKernels(self.real, self.changes, self.amount * amount)

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """Kernel sets `(n, kh, kw, cin, cout)` of latents `(n, d)`."""
        moved = np.tensordot(np.asarray(latents, "float32"), self.changes, 1)
        return self.real + np.float32(self.amount) * moved


def _nearest(
    target: FrozenTarget, wanted: list[Change], batches: Iterator[tf.Tensor]
) -> np.ndarray:
    """The changes of kernels nearest to these changes, in closed form."""
    regression = KernelRegression(target, len(wanted))
    for _, images in zip(range(FITTED_BATCHES), batches, strict=False):
        features = target.features(images)
        real = target.activations(features)
        moved = [target.activations(target.features(change(images))) - real for change in wanted]
        regression.add(features[0], moved)
    return regression.solve()


def _answer_kept(
    target: FrozenTarget, change: Change, first: np.ndarray, batches: Iterator[tf.Tensor]
) -> np.ndarray:
    """The change of kernels for one change of images that also keeps the answer."""
    unit = float(np.sqrt(np.mean(np.square(target.kernel))))
    kernels = tf.Variable(first / unit)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, STEPS))

    @tf.function
    def step(images: tf.Tensor) -> None:
        features, wanted = target.features(images), target.features(change(images))
        real, moved = target.activations(features), target.activations(wanted)
        answer = target.log_probabilities(real, features)
        with tf.GradientTape() as tape:
            both = [
                target.activations(features, target.kernel + sign * unit * kernels)
                for sign in (1.0, -1.0)
            ]
            left = tf.reduce_sum(tf.square(both[0] - moved)) / tf.reduce_sum(
                tf.square(real - moved)
            )
            answers = [target.log_probabilities(maps, features) for maps in both]
            lost = tf.add_n([answer_loss(answer, one) for one in answers]) / len(answers)
            loss = left + ANSWER_WEIGHT * lost
        adam.apply([tape.gradient(loss, kernels)], [kernels])

    adam.build([kernels])
    for _, images in zip(range(STEPS), batches, strict=False):
        step(images)
    return unit * kernels.numpy()


def _change(target: FrozenTarget, features: list[tf.Tensor], kernels: np.ndarray) -> np.ndarray:
    """What a change of kernels changes, `(m, h', w', cout)`."""
    moved = target.activations(features, target.kernel + kernels)
    return (moved - target.activations(features)).numpy()
