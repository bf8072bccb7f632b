"""New training images from old ones: what the classifier cannot tell apart, label kept."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.augmentation.recipe import Recipe
from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import randomness, to_unit_interval
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_bytes
from keras_filtergan.errors import InputError
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.names import by_name
from keras_filtergan.runs.trained import TrainedRun

PIECE = 256  # examples a piece: all that is in memory beside the data set
JITTER = 1  # pixels, as in the pictures of `visualize.py`
ROOM = 2**32  # draws an image may have before latents repeat

Way = Callable[[np.ndarray, np.ndarray], np.ndarray]


def by_inversion(trained: TrainedRun, recipe: Recipe) -> Way:
    """Images `(n, h, w, c)` and latents `(n, d)` → the images that an `Inverter` finds.

    Its prior and jitter are those of the pictures of `visualize.py`. 60 steps explain nearly as
    much as 200 (0.67 and 0.69 of the change of kernels on layer 4 of the bundled sample).
    """
    inverter = Inverter(
        trained.target,
        trained.generator,
        steps=recipe.steps,
        batch_size=PIECE,
        jitter=JITTER,
        seed=recipe.seed,
    )
    origin = np.zeros(trained.settings.latent_dim, np.float32)
    return lambda images, latents: inverter.step(images, origin, latents)[0]


def by_transformation(trained: TrainedRun, recipe: Recipe) -> Way:
    """Images `(n, h, w, c)` and latents `(n, d)` → T(x; 0 → z), the run's own transformation."""
    transform = tf.function(trained.transformation)
    origin = tf.zeros([1, trained.settings.latent_dim])
    return lambda images, latents: transform((tf.constant(images), origin, latents)).numpy()


WAYS = {"inversion": by_inversion, "transformation": by_transformation}


@dataclasses.dataclass(frozen=True)
class Piece:
    """Some of the new images: those m of `tried` that kept their label.

    Attributes:
        images: x_k, `(m, h, w, c)` uint8.
        labels: y, `(m,)` int32, of the originals and under the frozen classifier of x_k.
        origins: numbers of the originals among the training images, `(m,)` int64.
        latents: z_k, `(m, d)` float32.
        error_before: ‖a(x|z_k) − a(x|0)‖², `(m,)`: what the change of kernels does.
        error_after: ‖a(x_k|z_k) − a(x|0)‖², `(m,)`: what the change of the image leaves of it.
        tried: how many images were made.
    """

    images: np.ndarray
    labels: np.ndarray
    origins: np.ndarray
    latents: np.ndarray
    error_before: np.ndarray
    error_after: np.ndarray
    tried: int


class Augmentation:
    """The images x_k that act under the kernels of drawn latents z_k as x does under those of 0.

        a(x_k | z_k) = a(x | 0),  z_k ~ N(0, span²),  label of x_k = label of x

    *Why a(x|0).* 0 is the middle of the prior and of the grids of `visualize.py`, so a user has
    seen what this does; it leaves x alone at z = 0, and `span` says how far a step goes. Real
    kernels W are nobody's latent: their distance to all G(z) would be put into every image alike,
    and the image transformation knows no step from there. From another drawn latent steps are
    √2 longer and not of another kind; by the transformation fewer keep their label (0.95 for
    0.98 on layer 4 of the bundled sample) and less of each is explained (0.38 for 0.55).

    Every image is judged as it will be stored, in 8 bits. Images that the classifier gets wrong
    have no invariance worth copying and are left out, as are new images that it takes for
    something else: the label is *checked*, not assumed. An image that causes no activation at all
    (a black one, in a network without biases) counts as tried and not kept.

    It is a sequence of pieces, each a pure function of (run, recipe, number of the piece); so they
    can be made in any order, by any process, and kept. (That is why compiled functions here are
    traced for each shape: one that got more general with its use would depend on what was before.)

    Args:
        trained: the run.
        recipe: what to make.

    Attributes:
        recipe: with the number of images.
        numbers: those of the images taken which the classifier gets right, ascending, int64.
        wrong: how many of the images taken it gets wrong.

    Raises:
        InputError: more images than there are, or none that the classifier gets right.

    Example:
        >>> augmentation = Augmentation(trained, Recipe(images=1000, by="transformation"))
        >>> piece = augmentation.piece(0)
        >>> piece.images.shape[1:], len(piece.images) == len(piece.labels)
        ((28, 28, 1), True)

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 3, for x_k; data augmentation is among the
        future work they name.
    """

    def __init__(self, trained: TrainedRun, recipe: Recipe):
        count = len(trained.dataset.x_train)
        self.trained = trained
        self.recipe = recipe.resolved(count)
        taken = _drawn(self.recipe.seed, self.recipe.images or count, count)
        answers = _answers(trained.target, trained.dataset.x_train, taken)
        self.numbers = taken[answers == trained.dataset.y_train[taken]]
        self.wrong = len(taken) - len(self.numbers)
        if not len(self.numbers):
            raise InputError(
                f"expected images that the run's classifier gets right, received {len(taken)} "
                "that it gets wrong; take more `images`, or train the run longer"
            )
        self._way = by_name("way", recipe.by, WAYS)(trained, self.recipe)
        self._kernels = tf.function(trained.generator)

    def __len__(self) -> int:
        """Number of pieces."""
        return math.ceil(self.examples / PIECE)

    @property
    def examples(self) -> int:
        """How many images will be made."""
        return len(self.numbers) * self.recipe.draws

    def size(self, number: int) -> int:
        """How many images will be made for a piece."""
        return min(PIECE, self.examples - number * PIECE)

    def piece(self, number: int) -> Piece:
        """Make the images of one piece, 0 to `len(self) - 1`; image by image, draw by draw."""
        examples = number * PIECE + np.arange(self.size(number))
        origins = self.numbers[examples // self.recipe.draws]
        draws = tf.constant(origins * ROOM + examples % self.recipe.draws, tf.int64)
        dim = self.trained.settings.latent_dim
        latents = self.recipe.span * _latents(self.recipe.seed, draws, dim).numpy()
        originals = to_unit_interval(self.trained.dataset.x_train[origins])
        labels = self.trained.dataset.y_train[origins]
        kernels, middle = self._kernels(latents), self._kernels(np.zeros_like(latents[:1]))[0]
        wanted = self._activations(originals, middle)
        active = np.any(wanted != 0, axis=(1, 2, 3))  # errors are relative to activations
        images = to_bytes(originals)
        if active.any():
            images[active] = to_bytes(self._way(originals[active], latents[active]))
        shown = to_unit_interval(images)
        before, after = (
            np.sum(np.square(self._activations(one, kernels) - wanted), axis=(1, 2, 3))
            for one in (originals, shown)
        )
        kept = active & (np.argmax(self.trained.target(shown), axis=-1) == labels)
        columns = images, labels, origins, latents, before, after
        return Piece(*(column[kept] for column in columns), tried=len(examples))

    def _activations(self, images: np.ndarray, kernels: tf.Tensor) -> np.ndarray:
        target = self.trained.target
        return target.activations(target.features(images), kernels).numpy()


@tf.function
def _latents(seed: int, draws: tf.Tensor, dim: int) -> tf.Tensor:
    """Latents `(m, dim)` from N(0, 1), each a function of the seed and of its draw's number."""
    return tf.map_fn(
        lambda draw: randomness.normal(seed, randomness.AUGMENTATION, draw, (dim,)),
        draws,
        fn_output_signature=tf.float32,
    )


def _drawn(seed: int, images: int, count: int) -> np.ndarray:
    """Which images to take, ascending; any order in which a data set is stored is fair."""
    places = tf.range(images, dtype=tf.int64)
    return np.sort(randomness.shuffled(seed, tf.constant(0, tf.int64), places, count).numpy())


def _answers(target: FrozenTarget, images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The frozen network's classes of some images, `(n,)`."""
    answer, at_once = tf.function(target), images_at_once(target.classifier, PIECE)
    [logits] = map_in_batches(
        lambda part: [answer(to_unit_interval(images[part]))], numbers, batch_size=at_once
    )
    return np.argmax(logits, axis=-1)
