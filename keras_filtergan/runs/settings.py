"""Everything that decides a training run, in one plain value."""

import dataclasses
import math
import sys
from typing import TYPE_CHECKING, Any

from keras_filtergan.data.decoding.image_size import check_size
from keras_filtergan.errors import InputError
from keras_filtergan.gan.hyperparameters import NATURAL
from keras_filtergan.gan.methods import DEFAULTS, METHODS
from keras_filtergan.generators.architectures import GENERATORS
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.names import check_name

if TYPE_CHECKING:
    from keras_filtergan.classifiers.target import FrozenTarget
    from keras_filtergan.data import ImageDataset

# Settings that every version has written; for others, their default is what was before them.
NEVER_LEFT_OUT = ("layer", "dataset", "steps", "batch_size", "latent_dim", "seed")
PRECISIONS = ("float32", "float16", "bfloat16")  # of the frozen network
# Settings that came after runs had been made without them, with what those were made with.
LATER = {"image_size": None, "precision": "float32"}


def check_option(owner: Any, name: str, holds, expected: str, kind: type = float) -> None:
    """Check one number of a dataclass.

    Args:
        owner: the dataclass.
        name: of the field.
        holds: what must be true of the number.
        expected: the same in words.
        kind: `int` for whole numbers only.

    Raises:
        InputError: the field holds something else; the message names it.
    """
    value = getattr(owner, name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    largest = sys.float_info.max if kind is float else 2**53  # also of a whole number too large
    is_kind = is_number and abs(value) < largest and (kind is float or value == int(value))
    if not is_kind or not holds(value):
        raise InputError(f"expected `{name}` to be {expected}, received {value!r}")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a run; two runs with equal settings, data and machine have equal results.

    Attributes:
        layer: number (1 is the first) or name of the convolution.
        dataset: name, folder or `.npz` file.
        classifier: a `.keras` file to use instead of training the standard network.
        pixel_range: what black and white are to that classifier, if not 0 and 1.
        preprocessing: the family of `keras.applications` whose `preprocess_input` it expects.
        precision: `float32`, or `float16` or `bfloat16`, in which the frozen network then computes;
            the players keep single precision.
        image_size: height and width to which images are resized when they are read.
        classifier_epochs: epochs of the standard network.
        steps: steps of FilterGAN.
        batch_size: images, and latents, a step.
        latent_dim: length d of a latent.
        seed: of all weights, orders, latents and noise.
        g_learning_rate, dq_learning_rate, t_learning_rate: of RMSprop for G, and for D and Q, and
            of Adam for T; all fall to zero along a cosine.
        method: `natural` or `infogan`: what Q reads; see `NaturalFilterGAN` and `FilterGAN`.
        rank: natural directions that Q sees; without meaning for `infogan`.
        generator_loss … architecture: see `Hyperparameters`.

    Raises:
        InputError: a number is out of its range.
    """

    layer: int | str = 4
    dataset: str = "mnist_sample"
    classifier: str | None = None
    pixel_range: tuple[float, float] | None = None
    preprocessing: str | None = None
    image_size: tuple[int, int] | None = None
    precision: str = "float32"
    classifier_epochs: int = 10
    steps: int = 1600
    batch_size: int = 64
    latent_dim: int = NATURAL.latent_dim
    seed: int = 0
    g_learning_rate: float = NATURAL.g_learning_rate
    dq_learning_rate: float = NATURAL.dq_learning_rate
    t_learning_rate: float = NATURAL.t_learning_rate
    method: str = "natural"
    rank: int = NATURAL.rank
    generator_loss: str = NATURAL.generator_loss
    conditional: bool = NATURAL.conditional
    code_weight: float = NATURAL.code_weight
    variation_goal: float | None = NATURAL.variation_goal
    code_noise: float | None = NATURAL.code_noise
    discriminator_noise: float = NATURAL.discriminator_noise
    accuracy_goal: float | None = NATURAL.accuracy_goal
    answer_weight: float = NATURAL.answer_weight
    image_weight: float = NATURAL.image_weight
    bias_weight: float = NATURAL.bias_weight
    averaging: float = NATURAL.averaging
    architecture: str = NATURAL.architecture

    _check = check_option

    def __post_init__(self):
        self._check_texts()
        if self.pixel_range is not None:
            object.__setattr__(self, "pixel_range", tuple(map(float, self.pixel_range)))
        object.__setattr__(self, "image_size", check_size(self.image_size))
        scalings = [n for n in ("pixel_range", "preprocessing") if getattr(self, n) is not None]
        if scalings and self.classifier is None:
            raise InputError(
                f"`{scalings[0]}` goes with a `classifier`: the standard one has its own"
            )
        if len(scalings) == 2:
            raise InputError("expected `pixel_range` or `preprocessing`, received both")
        check_name("precision", self.precision, dict.fromkeys(PRECISIONS))
        check_name("method", self.method, METHODS)
        check_name("architecture", self.architecture, GENERATORS)
        for name in ("classifier_epochs", "steps", "latent_dim", "rank"):
            self._check(name, lambda value: value >= 1, "an integer of at least 1", int)
        self._check("batch_size", lambda value: value >= 2, "an integer of at least 2", int)
        self._check("seed", lambda value: 0 <= value < 2**31, "an integer from 0 to 2³¹ − 1", int)
        for name in ("g_learning_rate", "dq_learning_rate", "t_learning_rate"):
            self._check(name, lambda value: 0 < value < 1, "a number between 0 and 1")
        for name in (
            "code_weight",
            "discriminator_noise",
            "answer_weight",
            "image_weight",
            "bias_weight",
        ):
            self._check(name, lambda value: value >= 0, "a number of at least 0")
        for name in ("accuracy_goal", "variation_goal"):
            if getattr(self, name) is not None:
                self._check(name, lambda value: 0 < value < 1, "a number between 0 and 1")
        if self.code_noise is not None or self.variation_goal is None:
            self._check("code_noise", lambda value: value >= 0, "a number of at least 0")
        self._check("averaging", lambda value: 0 <= value < 1, "a number from 0 to below 1")

    def _check_texts(self) -> None:
        """Refuse what no number or name could be, before it is looked at more closely."""
        kinds = {
            "dataset": (str, "a name or path"),
            "layer": (str | int, "the number or name of a convolution"),
            "classifier": (str | None, "the path of a .keras file"),
            "preprocessing": (str | None, "the name of a family of networks"),
            "generator_loss": (str, "the name of a loss"),
            "conditional": (bool, "true or false"),
        }
        for name, (kind, expected) in kinds.items():
            value = getattr(self, name)
            if not isinstance(value, kind) or (name == "layer" and isinstance(value, bool)):
                raise InputError(f"expected `{name}` to be {expected}, received {value!r}")
        ends = self.pixel_range
        if ends is not None and (
            not isinstance(ends, list | tuple)
            or len(ends) != 2
            or not all(isinstance(end, int | float) for end in ends)
        ):
            raise InputError(f"expected `pixel_range` as two numbers, received {ends!r}")

    @classmethod
    def of_method(cls, method: str, **others: Any) -> "Settings":
        """The settings that go with a method, and others.

        Args:
            method: `natural` or `infogan`.
            others: fields by name.

        Example:
            >>> Settings.of_method("infogan", layer=2).variation_goal
            0.45
        """
        check_name("method", method, METHODS)
        return cls(**{**dataclasses.asdict(DEFAULTS[method]), "method": method, **others})

    def to_dict(self) -> dict[str, Any]:
        """A plain dict for `config.json`."""
        values = dataclasses.asdict(self)
        for name, default in LATER.items():  # absent: runs of before go on as they are
            if values[name] == default:
                del values[name]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Settings":
        """Settings from `config.json`, also of runs from before some of them were there.

        Those without a method were `infogan`, those without a `bias_weight` had none.

        Raises:
            InputError: a name is not a setting (a file of another version), one is missing that
                every run has had, or a value is out of its range.
        """
        unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise InputError(
                f"unknown setting {sorted(unknown)[0]!r} in the run's config.json: it is a run of "
                "another version; train it again in another folder"
            )
        missing = [name for name in NEVER_LEFT_OUT if name not in values]
        if missing:
            raise InputError(
                f"the setting {missing[0]!r} is missing in the run's config.json; train it again "
                "in another folder"
            )
        return cls(**{"method": "infogan", "bias_weight": 0.0, **values})


def check_fit(settings: Settings, dataset: "ImageDataset", target: "FrozenTarget") -> None:
    """Refuse settings that images, network and machine cannot be trained with.

    Args:
        settings: of the run.
        dataset: its images.
        target: the network, split at its layer.

    Raises:
        InputError: see above.
    """
    from keras_filtergan.classifiers.checks import size_hint  # TensorFlow takes 4 s to import

    if target.image_shape != dataset.image_shape or target.num_classes != dataset.num_classes:
        raise InputError(
            f"expected a classifier of {dataset.image_shape} images in {dataset.num_classes} "
            f"classes, received one of {target.image_shape} in {target.num_classes}"
            f"{size_hint(target.image_shape, dataset.image_shape)}"
        )
    if settings.batch_size > len(dataset.x_train):
        raise InputError(
            f"expected `batch_size` of at most the {len(dataset.x_train)} training images, "
            f"received {settings.batch_size}"
        )
    if (dataset.y_train == dataset.y_train[0]).all():
        raise InputError(
            "expected training images of two classes or more, all are of class "
            f"{dataset.class_names[dataset.y_train[0]]!r}; bring images of another"
        )
    weights = 4 * math.prod(target.kernel_shape)  # of G, its average and the slots of its optimizer
    check_memory(
        4 * settings.latent_dim * (weights + 4 * settings.batch_size),
        f"a `latent_dim` of {settings.latent_dim:,}",
        "choose a smaller one",
    )
