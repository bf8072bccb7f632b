"""From filters to pictures: which image makes the real activation under generated kernels?"""

import math
import numbers
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.generators.kernel_source import KernelSource
from keras_filtergan.images.jitter import Jitter
from keras_filtergan.images.parametrizations import Parametrization, Pixels
from keras_filtergan.images.priors import WALK_TOTAL_VARIATION, Prior, TotalVariation
from keras_filtergan.inversion.descent import as_slow_as_needed, descend, descend_in_batches
from keras_filtergan.inversion.mismatch import Mismatch
from keras_filtergan.inversion.walks import Walk, latent_grid

COPIES = 3  # of what layers make of an image: forwards, backwards, and under real kernels


class Inverter:
    """Finds, for given kernels, the images that cause wanted activations.

    A latent z turns image x into the activations a(x|z). Another latent z_k is another set of
    kernels; the image x_k that makes them respond with the *same* activations shows in pixels what
    the step from z to z_k means:

        x_k = argmin_x' ‖a(x'|z_k) − a(x|z)‖² / ‖a(x|z)‖² + Ψ(x'), started at x.

    In a walk, Ψ(x') is by how much the prior of x' *exceeds* that of x (`Prior.excess`). The plain
    Ψ also rewards an image for being smoother than x, so even z itself would not give x back, and
    where kernels change little the walk shows nothing but blur. `excess=False` is the paper's Ψ.

    With `jitter`, each step of a walk goes down the error of x' and x shifted alike by a few
    pixels, so that an image has to match at every registration of the pooling grid:
    ‖a(Sx'|z_k) − a(Sx|z)‖² / ‖a(Sx|z)‖² for a random shift S. Images are judged without it, every
    few steps (`descent.JUDGED_EVERY`).

    All images are optimised at once, in one compiled loop, and none influences another. Of the
    images visited the one with the lowest sum is kept, so a result is never worse than x. Target
    and kernels are used, never changed.

    Args:
        target: the classifier split at the layer.
        generator: any source of kernels, latents `(m, d)` → kernels `(m, kh, kw, cin, cout)`.
        prior: Ψ; if not given `priors.WALK_TOTAL_VARIATION` where its excess counts, else
            `TotalVariation()`.
        parametrization: in which coordinates to search, `Pixels()` if not given.
        steps: steps of the descent.
        learning_rate: about the change of a pixel in the first step; it decays to 0 (cosine).
            Where half of the images or more get nowhere, they are tried again at a tenth and a
            hundredth of it.
        batch_size: images optimised at once at most; more are done in turns, to bound the memory.
        excess: in a walk, count only the part of the prior above that of x.
        jitter: largest shift in pixels; 0 for none.
        seed: of the shifts; the same seed gives the same walk.

    Raises:
        InputError: steps, learning rate, batch size, jitter or seed out of range.

    Example:
        >>> inverter = Inverter(FrozenTarget(classifier, 4), generator, TotalVariation())
        >>> walk = inverter.walk(images[:4], z, dims=(0, 1), grid=7, span=3.0)
        >>> walk.images.shape, walk.explained_fraction
        ((4, 7, 7, 28, 28, 1), 0.53)

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 3; Mahendran and Vedaldi (CVPR 2015).
    """

    def __init__(
        self,
        target: FrozenTarget,
        generator: KernelSource,
        prior: Prior | None = None,
        parametrization: Parametrization | None = None,
        steps: int = 200,
        learning_rate: float = 0.03,
        batch_size: int = 256,
        excess: bool = True,
        jitter: int = 0,
        seed: int = 0,
    ):
        for key, count, low in (
            ("steps", steps, 1),
            ("batch_size", batch_size, 1),
            ("jitter", jitter, 0),
            ("seed", seed, 0),
        ):
            if not isinstance(count, numbers.Integral) or count < low:
                raise InputError(f"expected a whole number ≥ {low}, received {key}={count!r}")
        if jitter >= min(target.image_shape[:2]):
            raise InputError(
                f"expected a jitter below the sides of the images, {target.image_shape[:2]}, "
                f"received jitter={jitter!r}; 1 or 2 pixels are usual"
            )
        if not 0 < learning_rate < math.inf:
            raise InputError(f"expected a finite learning_rate > 0, received {learning_rate!r}")
        self.target = target
        self.generator = generator
        self.prior = prior
        self.parametrization = Pixels() if parametrization is None else parametrization
        self.steps = steps
        self.learning_rate = learning_rate
        self.batch_size = images_at_once(target.classifier, batch_size, copies=COPIES)
        self.excess = excess
        self.jitter = jitter
        self.seed = seed
        self._compiled = tf.function(self._descend)

    def invert(
        self,
        start_images: np.ndarray,
        wanted_activations: np.ndarray,
        kernels: np.ndarray | None = None,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Find images with the wanted activations, starting from the given ones.

        Args:
            start_images: `(n, h, w, c)`, bytes, or floats in [0, 1].
            wanted_activations: `(n, h', w', cout)`, before the non-linearity.
            kernels: as in `FrozenTarget.activations`: `None` for the real ones,
                `(kh, kw, cin, cout)` for all images, `(n, kh, kw, cin, cout)` for one set each.

        Returns:
            Images `(n, h, w, c)` in [0, 1], and the history, `(steps + 1, n)` each: `activation`,
            the relative squared error; `prior`; and `total`, their sum.

        Raises:
            InputError: a wrong shape or value; or an inverter with jitter, which has to know the
                image that the activations are of.
        """
        if self.jitter:
            raise InputError(
                f"expected jitter=0, received jitter={self.jitter}: wanted activations say nothing "
                "of those of a shifted image; use an inverter without jitter, or walk"
            )
        images = _check_images(start_images, self.target.image_shape)
        wanted = np.asarray(wanted_activations, np.float32)
        expected = (len(images), *self.target.activation_shape)
        if wanted.shape != expected:
            raise InputError(f"expected wanted activations {expected}, received {wanted.shape}")
        shapes = tuple(self.target.kernel_shape), (len(images), *self.target.kernel_shape)
        if kernels is not None and np.shape(kernels) not in shapes:
            raise InputError(
                f"expected kernels {shapes[0]} or {shapes[1]}, received {np.shape(kernels)}"
            )
        kernels = None if kernels is None else np.asarray(kernels, np.float32)
        each = np.arange(len(images))
        return self._solve(images, wanted, kernels, each, each, reference=None)

    def walk(
        self,
        images: np.ndarray,
        z: np.ndarray,
        dims: Sequence[int] | Sequence[np.ndarray] = (0, 1),
        grid: int = 7,
        span: float = 3.0,
    ) -> Walk:
        """Walk from each image over the manifold of learned invariances.

        Args:
            images: x, `(n, h, w, c)`, bytes, or floats in [0, 1].
            z: the latent in the middle of the grid, `(d,)`.
            dims: two latent dimensions, or two directions `(d,)`: the rows and the columns.
            grid: latents a side, odd, at least 3.
            span: from the middle to the border, in units of z (or in lengths of a direction).

        Returns:
            The images x_k of all cells, with their latents and history.

        Raises:
            InputError: a wrong shape or value.
        """
        images = _check_images(images, self.target.image_shape)
        latents = latent_grid(z, self.generator.latent_dim, dims, grid, span)
        cells = grid * grid
        kernels = np.asarray(self.generator(latents.reshape(cells, -1)))
        middle = kernels[cells // 2]
        wanted = self._activations(images, middle)
        which_image = np.repeat(np.arange(len(images)), cells)
        which_kernels = np.tile(np.arange(cells), len(images))
        found, history = self._solve(
            images, wanted, kernels, which_image, which_kernels, reference=(images, middle)
        )
        layout = (len(images), grid, grid)
        return Walk.of_inversion(
            images=found.reshape(*layout, *images.shape[1:]),
            latents=latents,
            start=images,
            history={key: rows.reshape(-1, *layout) for key, rows in history.items()},
            energy=np.sum(np.square(wanted), axis=(1, 2, 3)),
        )

    def step(
        self, images: np.ndarray, z: np.ndarray, latents: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Take one step from each image, each to a latent of its own: a walk without the grid.

        Args:
            images: x, `(n, h, w, c)`, bytes, or floats in [0, 1].
            z: the latent where all begin, `(d,)`.
            latents: z_i, where image i goes, `(n, d)`.

        Returns:
            Images and history as of `invert`, with prior and jitter as in a walk.

        Raises:
            InputError: a wrong shape or value.
        """
        images = _check_images(images, self.target.image_shape)
        both = np.concatenate([np.atleast_2d(z), latents]).astype(np.float32)
        if both.shape != (1 + len(images), self.generator.latent_dim):
            raise InputError(
                f"expected z ({self.generator.latent_dim},) and {len(images)} latents like it, "
                f"received shapes {np.shape(z)} and {np.shape(latents)}"
            )
        kernels = np.asarray(self.generator(both))
        wanted = self._activations(images, kernels[0])
        each, known = np.arange(len(images)), (images, kernels[0])
        return self._solve(images, wanted, kernels[1:], each, each, reference=known)

    def _activations(self, images: np.ndarray, kernels: np.ndarray) -> np.ndarray:
        """Activations of any number of images under one kernel set, in batches."""
        shared = tf.constant(kernels)
        [maps] = map_in_batches(
            lambda part: [self.target.activations(self.target.features(part), shared)],
            images,
            batch_size=self.batch_size,
        )
        return maps

    def _solve(
        self,
        images: np.ndarray,
        wanted: np.ndarray,
        kernels: np.ndarray | None,
        which_image: np.ndarray,
        which_kernels: np.ndarray,
        reference: tuple[np.ndarray, np.ndarray] | None,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Optimise pairs of an image and a kernel set, given by their numbers, in batches.

        The reference, images and a kernel set, is what the wanted activations are of, if known.
        """

        def at_rate(rate: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            def one_batch(index):
                chosen, pick = kernels, which_image[index]
                if kernels is not None and kernels.ndim == 5:
                    chosen = kernels[which_kernels[index]]
                known = None if reference is None else (reference[0][pick], reference[1])
                return self._compiled(images[pick], wanted[pick], chosen, known, tf.constant(rate))

            return descend_in_batches(one_batch, len(which_image), self.batch_size)[:2]

        found, history = as_slow_as_needed(at_rate, self.learning_rate)
        if not np.all(np.isfinite(history["total"][0])):
            raise InputError(
                "expected a finite error at the start, relative to wanted activations that are "
                "not all 0; check the weights of target and generator, and the kernels, for NaN"
            )
        return found, history

    def _descend(self, start, wanted, kernels, reference, rate):
        """One batch `(m, h, w, c)`, compiled once a shape."""

        def cost(images):
            if reference is None or not self.excess:
                return (self.prior or TotalVariation())(images)
            return (self.prior or WALK_TOTAL_VARIATION).excess(images, reference[0])

        mismatch = Mismatch(self.target, kernels, wanted, cost)
        guide = None
        if self.jitter and reference is not None:
            originals, middle = reference
            guide = mismatch.shifted_alike(originals, middle, Jitter(self.jitter, self.seed))
        return descend(mismatch, start, self.parametrization, self.steps, rate, guide)


def _check_images(images: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != tuple(image_shape) or not len(images):
        raise InputError(
            f"expected images (n, h, w, c) of {image_shape} each, received shape {images.shape}"
        )
    return to_unit_interval(images)
