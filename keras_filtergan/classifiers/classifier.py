"""The standard network of the paper: five convolutions, and its training."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.model_file import load_model_file
from keras_filtergan.data import ImageDataset, image_stream
from keras_filtergan.errors import InputError

POOL_AFTER = (1, 2, 5)
SMALLEST_SIDE = 12
EPOCHS, BATCH_SIZE, LEARNING_RATE = 10, 64, 2e-3


@dataclass(frozen=True)
class Standard:
    """What the standard network and its training owe to the kind of image.

    Attributes:
        widths: channels of each convolution.
        shift: largest random shift in training, in pixels.
    """

    widths: tuple[int, int, int, int, int]
    shift: int


# By channels of the image. Grey: the prototype's. Colour: twice to four times as wide, as ten
# classes of photographs ask for; layer 4 is narrow, so that an image can follow its activations.
STANDARDS = {
    1: Standard(widths=(16, 32, 32, 32, 64), shift=0),
    3: Standard(widths=(32, 64, 128, 64, 128), shift=3),
}


def build_classifier(
    image_shape: tuple[int, int, int],
    num_classes: int,
    widths: tuple[int, ...] | None = None,
    pool_after: tuple[int, ...] = POOL_AFTER,
    seed: int = 0,
) -> keras.Model:
    """Build conv1 … conv5 (3×3, batch norm, ReLU), max-pooled early, and a linear read-out.

    Pooling follows convolutions 1 and 2, so that layer 4 of a 28×28 image works on 7×7 maps: fewer
    activations than pixels can follow make an invariance visible in the image.

    Args:
        image_shape: `(h, w, c)`, at least 12 pixels a side.
        num_classes: width of the output.
        widths: channels of each convolution; if not given, as `STANDARDS` has it.
        pool_after: numbers of the convolutions that a 2×2 max-pooling follows.
        seed: of the initial weights.

    Returns:
        An untrained Functional model, images in [0, 1] `(m, h, w, c)` → logits `(m, classes)`.

    Raises:
        InputError: images too small for three poolings, or neither grey nor coloured.

    Example:
        >>> tuple(build_classifier((28, 28, 1), num_classes=10).get_layer("conv4").kernel.shape)
        (3, 3, 32, 32)
    """
    if min(image_shape[:2]) < SMALLEST_SIDE:
        raise InputError(
            f"expected images of at least {SMALLEST_SIDE}×{SMALLEST_SIDE} pixels, "
            f"received {image_shape[0]}×{image_shape[1]}; enlarge them or bring a `classifier`"
        )
    if image_shape[-1] not in STANDARDS:
        raise InputError(f"expected images of 1 or 3 channels, received {image_shape[-1]}")
    widths = STANDARDS[image_shape[-1]].widths if widths is None else widths
    inputs = keras.Input(image_shape, name="image")
    x = inputs
    for number, width in enumerate(widths, 1):
        initializer = keras.initializers.HeNormal(seed=seed * 100 + number)
        x = keras.layers.Conv2D(
            width, 3, padding="same", kernel_initializer=initializer, name=f"conv{number}"
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = keras.layers.ReLU(name=f"relu{number}")(x)
        if number in pool_after:
            x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    initializer = keras.initializers.GlorotUniform(seed=seed * 100)
    logits = keras.layers.Dense(num_classes, kernel_initializer=initializer, name="logits")(x)
    return keras.Model(inputs, logits, name="classifier")


def train_classifier(
    dataset: ImageDataset,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    learning_rate: float = LEARNING_RATE,
    widths: tuple[int, ...] | None = None,
    seed: int = 0,
    verbose: int = 0,
) -> keras.Model:
    """Train the standard classifier on a data set (the paper's: 10 epochs on MNIST).

    Adam with a cosine schedule to zero, so that the last epoch's accuracy is the best one and the
    batch-norm statistics have settled. Colour images are shifted at random by up to 3 pixels.

    Args:
        dataset: trained on its training set.
        epochs: passes over it.
        batch_size: images a step.
        learning_rate: where the schedule starts.
        widths: channels of each convolution; if not given, as `STANDARDS` has it.
        seed: of the initial weights, of the order of images and of their shifts.
        verbose: as in Keras.

    Returns:
        The trained model, compiled with cross-entropy and accuracy.

    Raises:
        InputError: as of `build_classifier`.

    Example:
        >>> data = load_dataset("mnist_sample")
        >>> classifier = train_classifier(data)
        >>> classifier.evaluate(to_unit_interval(data.x_test), data.y_test)[1]
        0.98...

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 4: five convolutions with batch norm.
    """
    training = classifier_training(dataset, epochs, batch_size, learning_rate, widths, seed)
    training.model.fit(
        training.stream_from(0),
        epochs=epochs,
        steps_per_epoch=training.epoch_steps,
        verbose=verbose,
        shuffle=False,
    )
    return training.model


@dataclass(frozen=True)
class ClassifierTraining:
    """A classifier that is about to be trained: what `train_classifier` does, step by step.

    Attributes:
        model: compiled, its optimizer built; untrained.
        stream_from: a step → the batches from there on, a function of the step alone.
        epoch_steps: steps of an epoch.
        steps: in all.
    """

    model: keras.Model
    stream_from: Callable[[int], tf.data.Dataset]
    epoch_steps: int
    steps: int


def classifier_training(
    dataset: ImageDataset,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    learning_rate: float = LEARNING_RATE,
    widths: tuple[int, ...] | None = None,
    seed: int = 0,
) -> ClassifierTraining:
    """What `train_classifier` does, for whoever keeps states on the way; arguments as there.

    Example:
        >>> training = classifier_training(load_dataset("mnist_sample"))
        >>> training.epoch_steps, training.steps
        (156, 1560)
    """
    model = build_classifier(dataset.image_shape, dataset.num_classes, widths, seed=seed)
    batch_size = min(batch_size, len(dataset.x_train))
    epoch_steps = len(dataset.x_train) // batch_size
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * epoch_steps)
    model.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)  # else its slots are not restored
    shift = STANDARDS[dataset.image_shape[-1]].shift

    def stream_from(step: int) -> tf.data.Dataset:
        images, labels = dataset.x_train, dataset.y_train
        return image_stream(images, labels, batch_size, seed, start_step=step, shift=shift)

    return ClassifierTraining(model, stream_from, epoch_steps, epochs * epoch_steps)


def load_classifier(path: Path) -> keras.Model:
    """Load a classifier from a `.keras` file, without running code that the file may hold.

    Raises:
        InputError: as of `load_model_file`; or it is no model, or its weights are not finite.
    """
    model = load_model_file(path)
    if not isinstance(model, keras.Model):
        raise InputError(
            f"expected a keras.Model in {str(path)!r}, received {type(model).__name__}"
        )
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise InputError(f"{str(path)!r}: weight {weight.path!r} is not finite; train it again")
    return model
