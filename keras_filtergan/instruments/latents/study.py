"""The latent space of a run: ways through it, what its dimensions do, what D learned on the way."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.data import randomness
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.grids import one_of_each_class
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.latents.dimensions import (
    Move,
    arithmetic,
    dimension_effects,
    moved,
)
from keras_filtergan.instruments.latents.figure import latents_figure
from keras_filtergan.instruments.latents.paths import spherical, straight
from keras_filtergan.instruments.latents.properties import PROPERTIES
from keras_filtergan.instruments.latents.representation import (
    Features,
    LinearReader,
    features_of,
    over_seeds,
    pooled_features,
)
from keras_filtergan.instruments.latents.result import LatentsResult, Representation
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Begin, Steps, Tell, nobody, quietly
from keras_filtergan.runs.trained import TrainedRun

PATHS = {"straight": straight, "spherical": spherical}
STRIP = 6  # images side by side in a film
REACH = 2.0  # standard deviations, of what each dimension is shown to do
SOURCES = 5  # of features that a linear reader looks at
SEEDS = {100: 5, 1000: 3}  # draws of so many labels; of all labels there is one


@dataclasses.dataclass(frozen=True)
class LatentsStudy:
    """What is asked of the latent space of a run.

    All pictures are by the image transformation that was learned along with the generator, T(x;
    0 → z): one evaluation each.

    Attributes:
        images: test images on which latents are tried.
        points: latents that the films pass through, and return to the first.
        frames: from each to the next.
        labels: training labels that D's features are read with at most.
        seed: of latents and labels.

    Reference:
        Radford, Metz, Chintala (ICLR 2016), sections 5.1 and 6.
    """

    images: int = 50
    points: int = 5
    frames: int = 10
    labels: int = 10_000
    seed: int = 0

    def __post_init__(self):
        for name, least in (("images", 2), ("points", 2), ("frames", 1), ("labels", 1)):
            if getattr(self, name) < least:
                raise InputError(
                    f"expected at least {least} as {name}, received {getattr(self, name)}"
                )

    def findings(self, specimen: Specimen, tell: Tell = nobody) -> Findings:
        """Measure, film, and draw what was measured.

        Args:
            specimen: with a run.
            tell: takes each step as it begins.

        Raises:
            InputError: the specimen has no run.
        """
        run = specimen.generated()
        d = run.generator.latent_dim
        dataset = specimen.dataset
        rows = one_of_each_class(dataset.y_test, np.ones(len(dataset.y_test), bool), self.images)
        images = to_unit_interval(dataset.x_test[rows])

        @tf.function(reduce_retracing=True)
        def transform(given: tf.Tensor, latents: tf.Tensor) -> tf.Tensor:
            return run.transformation((given, tf.zeros_like(latents), latents))

        def move(given: np.ndarray, latents: np.ndarray) -> np.ndarray:
            return transform(tf.constant(given), tf.constant(latents)).numpy()

        steps = Steps(3 + SOURCES, tell)
        steps.begin("dimensions")
        effects = dimension_effects(move, images, d, REACH)
        steps.begin("arithmetic")
        directions = arithmetic(move, images, d, seed=self.seed)
        result = LatentsResult(
            network=specimen.title,
            **{**dataclasses.asdict(self), "images": len(images)},
            dimensions=effects,
            arithmetic=directions,
            representation=self.representation(specimen, run, steps.begin),
        )
        steps.begin("films")
        return self._drawn(result, move, images, d)

    def _drawn(self, result: LatentsResult, move: Move, images: np.ndarray, d: int) -> Findings:
        """The figure, the films, and the numbers."""
        steps = np.linspace(-REACH, REACH, 5, dtype="float32")
        latents = (np.eye(d, dtype="float32")[:, None] * steps[:, None]).reshape(-1, d)
        shown = moved(move, images[:1], latents).reshape(d, len(steps), *images.shape[1:])
        films = {
            f"latents_{name}": self._film(move, images[:STRIP], path(self._points(d), self.frames))
            for name, path in PATHS.items()
        }
        return Findings.of(result, latents_figure(shown, steps, result), _table(result), films)

    def representation(
        self, specimen: Specimen, run: TrainedRun, begin: Begin = quietly
    ) -> dict[str, Representation]:
        """Test accuracy of a linear L2-SVM on features, by number of labels."""
        dataset = specimen.dataset
        labels = min(self.labels, len(dataset.y_train))
        counts = {**{n: k for n, k in SEEDS.items() if n < labels}, labels: 1}
        x, y = dataset.x_train[:labels], dataset.y_train[:labels]
        found = {}
        for name, features in _sources(run).items():
            begin(f"linear reader of {name}")
            parts = [features_of(features, images) for images in (x, dataset.x_test)]
            reader = LinearReader(parts[0], y, parts[1], dataset.y_test)
            accuracy = {
                str(count): over_seeds(reader, count, range(self.seed, self.seed + draws))
                for count, draws in counts.items()
            }
            found[name] = Representation(parts[0].shape[1], accuracy)
        return found

    def _points(self, latent_dim: int) -> np.ndarray:
        points = randomness.stream(self.seed, randomness.POINTS).standard_normal(
            (self.points, latent_dim)
        )
        return np.concatenate([points, points[:1]])

    def _film(self, move: Move, images: np.ndarray, path: np.ndarray) -> np.ndarray:
        """Images side by side along a path, `(frames, h, n · w, c)`."""
        frames = moved(move, images, path)  # (frames, n, h, w, c)
        return np.concatenate(np.moveaxis(frames, 1, 0), axis=2)


def _sources(run: TrainedRun) -> dict[str, Features]:
    """What a linear reader may look at: images → features `(m, k)`."""
    target = run.target
    config = {**run.discriminator.get_config(), "seed": run.settings.seed + 1}
    untrained = type(run.discriminator).from_config(config)  # of the same architecture
    untrained.build((None, *target.activation_shape))
    flat = keras.layers.Flatten()

    def activations(images: tf.Tensor) -> tf.Tensor:
        return run.discriminator.standardize(target.activations(target.features(images)))

    return {
        "pixels": flat,
        f"{target.layer_name}, which D sees": lambda x: flat(activations(x)),
        "D, random": lambda x: pooled_features(untrained.trunk, activations(x)),
        "D, trained": lambda x: pooled_features(run.discriminator.trunk, activations(x)),
        "classifier, all layers": lambda x: pooled_features(target.classifier, x),
    }


def _table(result: LatentsResult) -> str:
    lines = [f"at ±{REACH:g}:   distance  pixels  {'  '.join(PROPERTIES)}"]
    for dim, effect in enumerate(result.dimensions):
        cells = "".join(f"{effect[name]:+12.3f}" for name in PROPERTIES)
        lines.append(f"z[{dim}]  {effect['pixel_distance']:12.3f}{effect['pixels']:8.2f}{cells}")
    for name, effect in result.arithmetic.items():
        lines.append(
            f"arithmetic, {name}: {effect.effect:+.2f} standard deviations (a random direction "
            f"{effect.random_effect:.2f}), up in {effect.agreement:.0%} of latents"
        )
    for name, row in result.representation.items():
        cells = ", ".join(
            f"{accuracy.mean:.4f} with {count}" for count, accuracy in row.accuracy.items()
        )
        lines.append(f"linear SVM on {name} ({row.features} features): {cells} labels")
    return "\n".join(lines)
