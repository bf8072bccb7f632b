"""`ImageBending`: a T that displaces pixels and does nothing else."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_filtergan.displacement import edge_normals, image_slopes, sample_cubic, spline_field
from keras_filtergan.errors import InputError
from keras_filtergan.gan.replicas import total
from keras_filtergan.images.parametrizations import clip_inward
from keras_filtergan.precision import made_single

REACH = 1 / 7  # of the image's side, that a lattice value of 1 displaces
STROKE_REACH = 3 / 28  # of the image's side, that a stroke value of 1 displaces


@keras.saving.register_keras_serializable("keras_filtergan")
class ImageBending(keras.Model):
    """T(x; r → z): pixels displaced along a field that is linear in z − r; the identity if r = z.

    The field has two parts: a smooth *bend*, the same for every image (shift, slant, turn, scale
    and what else a lattice can say), and a *stroke* part, which moves every edge along its normal
    and so makes strokes thinner or thicker. It cannot brighten or paint, and it blurs only as far
    as it pulls neighbours apart: what it explains of a change of activations is geometry. A step
    and its opposite displace in opposite directions.

    Args:
        latent_dim: length d of a latent.
        grid: lattice points a side of the bend.
        seed: of the initial weights.
        kinds: what each dimension is called, where that is known, `None` for those without a name.

    Inputs: images `(m, h, w, c)` in [0, 1], latents r `(m, d)` (or `(1, d)` for all) and latents
    z `(m, d)`. Output: images like the inputs.

    Example:
        >>> ImageBending(latent_dim=4)((images, tf.zeros_like(latents), latents)).shape
        TensorShape([64, 28, 28, 1])
    """

    @made_single
    def __init__(
        self,
        latent_dim: int = 4,
        grid: int = 4,
        seed: int = 0,
        kinds: Sequence[str | None] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.grid = grid
        self.seed = seed
        self.kinds = (None,) * latent_dim if kinds is None else tuple(kinds)
        if len(self.kinds) != latent_dim:
            raise InputError(f"expected {latent_dim} `kinds`, received {len(self.kinds)}")

        def start(number: int) -> keras.initializers.Initializer:
            return keras.initializers.RandomNormal(stddev=0.01, seed=seed * 10 + number)

        self.bend = self.add_weight(
            shape=(latent_dim, grid, grid, 2), initializer=start(6), name="bend"
        )
        self.stroke = self.add_weight(shape=(latent_dim,), initializer=start(7), name="stroke")
        self.built = True

    def call(self, inputs):
        """Transform image i as the step from `origins[i]` to `latents[i]` does."""
        images, origins, latents = inputs
        step = latents - origins
        bend, stroke = self.fields(images)
        bent = ops.reshape(step @ ops.reshape(bend, (self.latent_dim, -1)), (-1, *bend.shape[1:]))
        thickened = (step @ self.stroke[:, None])[..., None, None] * stroke
        return clip_inward(sample_cubic(images, bent + thickened))

    def fields(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The two fields that displacements are made of, in pixels (down, right).

        Args:
            images: x, `(m, h, w, c)`.

        Returns:
            The bend of each latent dimension per unit of the latent, `(d, h, w, 2)`, the same for
            all images; and the stroke field of each image, `(m, h, w, 2)`, of which latent
            dimension k takes `stroke[k]` times.
        """
        height, width = images.shape[1:3]
        side = max(height, width)
        bend = REACH * side * spline_field(self.bend, height, width)
        return bend, STROKE_REACH * side * edge_normals(images)

    def alikeness(self, images: tf.Tensor) -> tf.Tensor:
        """Mean squared cosine between what two latent dimensions do to images, to first order.

        0 if every dimension is a change of its own, 1 if all are the same; `()`. Between T and
        itself there is no pair: 0 for a latent of one dimension.

        Args:
            images: `(m, h, w, c)`.
        """
        if self.latent_dim == 1:
            return tf.constant(0.0)
        bend, stroke = self.fields(images)
        # A dimension changes an image by s · (b_k + t_k n): slopes s, bend b_k, stroke field n.
        # The sums over images do not depend on T, so they come first.
        slopes = ops.mean(image_slopes(images), axis=-1)  # (m, h, w, 2)
        across = ops.sum(slopes * stroke, axis=-1, keepdims=True)  # s · n
        sides = ops.unstack(slopes, axis=-1)
        squared = [
            ops.stack([total(ops.sum(a * b, axis=0)) for b in sides], axis=-1) for a in sides
        ]
        of_bends = ops.stack([ops.sum(row * bend, axis=-1) for row in squared], axis=-1)
        of_both = total(ops.sum(slopes * across, axis=0))
        bends, against, both = (
            ops.reshape(x, (x.shape[0], -1)) for x in (bend, of_bends, of_both[None])
        )
        mixed = bends @ ops.transpose(both) * self.stroke
        products = (
            bends @ ops.transpose(against)
            + mixed
            + ops.transpose(mixed)
            + total(ops.sum(ops.square(across))) * self.stroke[:, None] * self.stroke
        )
        squares = ops.diagonal(products)
        cosines = ops.square(products) / (squares[:, None] * squares + keras.config.epsilon())
        pairs = self.latent_dim * (self.latent_dim - 1)
        return (ops.sum(cosines) - ops.sum(ops.diagonal(cosines))) / pairs

    def rotate(self, basis: np.ndarray) -> None:
        """Read latents in another basis, as of `FilterGenerator.rotate`; names are forgotten.

        Args:
            basis: orthogonal, `(d, d)`.
        """
        for weights in (self.bend, self.stroke):
            weights.assign(ops.tensordot(basis.T.astype("float32"), weights, 1))
        self.kinds = (None,) * self.latent_dim

    def get_config(self) -> dict:
        """Constructor arguments."""
        names = ("latent_dim", "grid", "seed", "kinds")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
