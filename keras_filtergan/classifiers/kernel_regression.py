"""The kernels that come nearest to wanted changes of activations, in closed form."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.window import Window

RIDGE = 1e-4


class KernelRegression:
    """Ridge regression of changes of activations on what a layer's kernels see.

    With P the patches of the layer's input, one row a place of the map, and Y the wanted changes of
    its output, K = (P'P + λ I)⁻¹ P'Y is the change of kernels whose convolution comes nearest: no
    kernels of this layer come nearer on these images, but for λ. The sums P'P and P'Y are streamed,
    so any number of images goes in. In a layer with groups each group has equations of its own.

    Args:
        target: the classifier split at the layer; any stride, padding, dilation and groups.
        changes: how many changes are asked for at once.
        ridge: λ as a share of the mean square of a patch's entry.

    Example:
        >>> regression = KernelRegression(target, changes=1)
        >>> features = target.features(images)
        >>> wanted = target.activations(target.features(moved)) - target.activations(features)
        >>> regression.add(features[0], [wanted])
        >>> kernels = target.kernel + regression.solve()[0]

    Reference:
        Hoerl and Kennard (1970), Ridge regression, equation 2.1.
    """

    def __init__(self, target: FrozenTarget, changes: int = 1, ridge: float = RIDGE):
        self.kernel_shape = target.kernel_shape
        geometry = target.geometry
        self.groups = geometry["groups"]
        self.ridge = ridge
        self.window = Window(
            self.kernel_shape[:2],
            geometry["strides"],
            geometry["padding"],
            geometry["dilation_rate"],
        )
        taps, cout = int(np.prod(self.kernel_shape[:3])), self.kernel_shape[3]
        self.products = np.zeros([self.groups, taps, taps])
        self.moments = np.zeros([changes, self.groups, taps, cout // self.groups])

    def add(self, feature: tf.Tensor, wanted: Sequence[tf.Tensor]) -> None:
        """Take a batch of images into the sums.

        Args:
            feature: input of the layer, `(m, h, w, cin)`.
            wanted: changes of activations, `(m, h', w', cout)` each.
        """
        patches = self._patches(feature)  # (groups, places, taps)
        self.products += tf.matmul(patches, patches, transpose_a=True).numpy()
        for moments, change in zip(self.moments, wanted, strict=True):
            columns = self._grouped(change)  # (groups, places, cout / groups)
            moments += tf.matmul(patches, columns, transpose_a=True).numpy()

    def solve(self) -> np.ndarray:
        """The changes of kernels, `(changes, kh, kw, cin / groups, cout)`."""
        size = np.trace(self.products, axis1=1, axis2=2) / self.products.shape[-1]
        identity = np.eye(self.products.shape[-1])
        shift = self.ridge * np.maximum(size, np.finfo(float).tiny)[:, None, None] * identity
        solved = np.linalg.solve(self.products + shift, self.moments)  # (changes, groups, taps, ·)
        together = np.moveaxis(solved, 1, 2)  # output channels are numbered group by group
        return together.reshape(len(solved), *self.kernel_shape).astype(np.float32)

    def _patches(self, feature: tf.Tensor) -> tf.Tensor:
        views = tf.stack(self.window.views(feature, feature.shape[1:3]), axis=3)
        m, h, w, taps, cin = views.shape
        split = tf.reshape(views, [m * h * w, taps, self.groups, cin // self.groups])
        return tf.reshape(tf.transpose(split, [2, 0, 1, 3]), [self.groups, m * h * w, -1])

    def _grouped(self, maps: tf.Tensor) -> tf.Tensor:
        rows = tf.reshape(maps, [-1, self.groups, maps.shape[-1] // self.groups])
        return tf.transpose(rows, [1, 0, 2])
