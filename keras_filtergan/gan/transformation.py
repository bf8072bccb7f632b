"""T: the change of an image that the kernels of another latent undo."""

import keras
from keras import ops

from keras_filtergan.convolution import convolve
from keras_filtergan.displacement import sample_bilinear, spline_field
from keras_filtergan.images.parametrizations import clip_inward
from keras_filtergan.precision import made_single

TAPS = 5  # of the convolution in image space
REACH = 1 / 7  # of the image's side, that a lattice value of 1 displaces


@keras.saving.register_keras_serializable("keras_filtergan")
class ImageTransformation(keras.Model):
    """T(x; r → z): what the step from latent r to z means, for any image; the identity if r = z.

    A smooth displacement (bending, shifting, slanting), a small convolution (thinner, thicker,
    softer, sharper strokes) and a gain (contrast), in this order. Their strengths are s(z) − s(r)
    with s a small network: a step means the opposite of the step back, and no latent is singled
    out. An empty background is never lifted.

    Trained along with a generator of kernels so that the kernels of z make of T(x; r → z) what
    those of r make of x, it is the inversion of the paper's section 3 in one evaluation; and a
    generator trained along with it learns kernels whose changes *are* changes of images.

    Args:
        latent_dim: length d of a latent.
        grid: lattice points a side of the displacement.
        width: units of the two hidden layers.
        seed: of the initial weights.

    Inputs: images `(m, h, w, c)` in [0, 1], latents r `(m, d)` (or `(1, d)` for all) and latents
    z `(m, d)`. Output: images like the inputs.

    Example:
        >>> ImageTransformation(latent_dim=4)((images, tf.zeros_like(latents), latents)).shape
        TensorShape([64, 28, 28, 1])
    """

    @made_single
    def __init__(
        self, latent_dim: int = 4, grid: int = 4, width: int = 128, seed: int = 0, **kwargs
    ):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.grid = grid
        self.width = width
        self.seed = seed
        dense, glorot = keras.layers.Dense, keras.initializers.GlorotUniform
        self.strengths = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                dense(width, "silu", kernel_initializer=glorot(seed * 10 + 6)),
                dense(width, "silu", kernel_initializer=glorot(seed * 10 + 7)),
                dense(2 * grid**2 + TAPS**2 + 1, use_bias=False, kernel_initializer="zeros"),
            ],
            name="strengths",
        )

    def build(self, input_shape) -> None:
        """Nothing is left to create: the network reads latents of a length that is known."""
        self.built = True

    def call(self, inputs):
        """Transform image i as the step from `origins[i]` to `latents[i]` does."""
        images, origins, latents = inputs
        strengths = self.strengths(latents) - self.strengths(origins)
        bend = 2 * self.grid**2
        lattice, taps, gain = strengths[:, :bend], strengths[:, bend:-1], strengths[:, -1:]
        h, w, c = images.shape[1:]
        lattice = ops.reshape(lattice, (-1, self.grid, self.grid, 2))
        bent = sample_bilinear(images, REACH * max(h, w) * spline_field(lattice, h, w))
        kernels = ops.tile(ops.reshape(taps, (-1, TAPS, TAPS, 1, 1)), (1, 1, 1, 1, c))  # depthwise
        stroked = bent + convolve(bent, kernels)
        return clip_inward(stroked * (1.0 + gain[:, :, None, None]))

    def get_config(self) -> dict:
        """Constructor arguments."""
        names = ("latent_dim", "grid", "width", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
