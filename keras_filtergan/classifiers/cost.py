"""What a step of training on a layer costs, from shapes alone: nothing is run for it."""

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.layer_work import LayerWork, layer_work
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.geometry import geometry_of

FLOPS_A_CORE = 6e9  # that a training step reaches on a core of a server, see docs/performance.md
RUNTIME = 0.9e9  # bytes that TensorFlow takes before there is an image
# How often a step goes through each part, a backward pass counted as one: real and bent images;
# the layer under real kernels and under those of three latents; real and generated answers; D on
# both, forwards and backwards to weights and to activations.
PASSES_BEFORE, PASSES_LAYER, PASSES_AFTER, PASSES_JUDGE = 3, 8, 3, 8
PASSES_GENERATOR, HIDDEN_WIDTH = 3, 64
LONG_STEP = 60.0  # seconds
FOLLOWED = 4.0  # values of a layer per pixel value that an image can still be made to follow


@dataclasses.dataclass(frozen=True)
class LayerCost:
    """Shapes and cost of one convolution of a classifier.

    Attributes:
        number: 1 is the first.
        name: as `FrozenTarget` takes it.
        kernel_shape: `(kh, kw, cin / groups, cout)`.
        activation_shape: `(h', w', cout)`.
        values_per_pixel: activations over the values of an image.
        flops: of a training step.
        memory: bytes of a training step, TensorFlow included.
    """

    number: int
    name: str
    kernel_shape: tuple[int, ...]
    activation_shape: tuple[int, ...]
    values_per_pixel: float
    flops: float
    memory: float

    @property
    def can_be_followed(self) -> bool:
        """Whether an image can be made to cause all that the layer says, so that pictures show it.

        It has as many degrees of freedom as values; activations that are many more are followed in
        part only.
        """
        return self.values_per_pixel <= FOLLOWED

    @property
    def seconds(self) -> float:
        """Of a step on the cores of this machine, to within a factor of a few."""
        return self.flops / (FLOPS_A_CORE * (os.cpu_count() or 1))


def layer_costs(classifier: keras.Model, batch_size: int = 64) -> list[LayerCost]:
    """The convolutions of a classifier, in their order, with what a step on each costs.

    Args:
        classifier: a built Functional or Sequential model of images of fixed size.
        batch_size: images, and latents, a step.

    Example:
        >>> [cost.activation_shape for cost in layer_costs(classifier)][:2]
        [(28, 28, 16), (14, 14, 32)]
    """
    return _costs(classifier, list(convolution_layers(classifier)), batch_size)


def cost_note(classifier: keras.Model, layer: str, batch_size: int) -> str | None:
    """What to say before the first step on a layer that takes more than one expects.

    Args:
        classifier: as of `layer_costs`.
        layer: name of the convolution.
        batch_size: images, and latents, a step.

    Returns:
        `None` if a step takes less than `LONG_STEP` and fits into the memory that is free.

    Example:
        >>> cost_note(classifier, "conv4", batch_size=64) is None
        True
    """
    [cost] = _costs(classifier, [layer], batch_size)
    free = free_memory()
    remedy = (
        "; a smaller `image_size` or `batch_size`, or a layer of smaller maps needs less (the "
        "command layers lists them)"
    )
    if free is not None and cost.memory > free:
        return (
            f"note: a step on {layer!r} is estimated to need {cost.memory / 1e9:.0f} GB of memory, "
            f"{free / 1e9:.0f} are free{remedy}"
        )
    if cost.seconds > LONG_STEP:
        return f"note: a step on {layer!r} is estimated to take {cost.seconds:.0f} s{remedy}"
    return None


def free_memory() -> int | None:
    """Bytes that a process can still have, `None` where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0]) if found else None


def _costs(classifier: keras.Model, names: list[str], batch_size: int) -> list[LayerCost]:
    work = list(layer_work(classifier))
    pixels = math.prod(classifier.inputs[0].shape[1:])
    found = []
    for number, (name, layer) in enumerate(convolution_layers(classifier).items(), 1):
        if name in names:
            place = next(i for i, one in enumerate(work) if one.layer is layer)
            found.append(_cost(number, name, work, place, pixels, batch_size))
    return found


def _cost(
    number: int, name: str, work: Sequence[LayerWork], place: int, pixels: int, m: int
) -> LayerCost:
    layer: keras.layers.Layer = work[place].layer  # type: ignore[assignment]
    maps = work[place].outputs
    groups = geometry_of(layer, work[place].inputs[-1])["groups"]
    taps = math.prod(layer.kernel_size) * (work[place].inputs[-1] // groups)
    kernel_shape = (*layer.kernel_size, work[place].inputs[-1] // groups, maps[-1])
    kernel = math.prod(kernel_shape)
    judge = list(layer_work(Discriminator(maps, 0).trunk))
    before, after = work[:place], work[place + 1 :]
    products = (
        PASSES_BEFORE * sum(one.products for one in before)
        + PASSES_LAYER * math.prod(maps[:-1]) * kernel
        + PASSES_AFTER * sum(one.products for one in after)
        + PASSES_JUDGE * sum(one.products for one in judge)
        + PASSES_GENERATOR * HIDDEN_WIDTH * kernel
    )
    # What is kept for the backward pass: outputs of every layer, of both passes through the
    # network; the layer's inputs under each tap; kernels with their gradients.
    patches = math.prod(maps[:-1]) * taps * groups
    values = (
        2 * sum(one.values for one in before)
        + 2 * sum(one.values for one in after)
        + 2 * sum(one.values for one in judge)
        + 3 * patches
        + 12 * math.prod(maps)
        + 6 * kernel
        + 10 * pixels
    )
    return LayerCost(
        number,
        name,
        kernel_shape,
        maps,
        math.prod(maps) / pixels,
        flops=2.0 * m * products,
        memory=RUNTIME + 4.0 * m * values,
    )
