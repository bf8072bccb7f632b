"""A subject whose every number can be recomputed by other means."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.evaluation import Subject
from keras_filtergan.generators.kernel_source import KernelFunction


@pytest.fixture
def subject(target, dataset, gan) -> Subject:
    """Generated kernels that differ from the real ones, and a code head that has learned a bit."""
    return Subject(
        target=target,
        kernels=gan.generator,
        dataset=dataset,
        discriminator=gan.discriminator,
        code_noise=0.5,
        seed=7,
    )


@pytest.fixture
def memorising(subject) -> Subject:
    """Kernels that are the real ones, whatever the latent."""
    real = subject.target.kernel.numpy()
    return dataclasses.replace(
        subject, kernels=KernelFunction(lambda z: np.repeat(real[None], len(z), 0), 3)
    )


@pytest.fixture
def affine(subject) -> Subject:
    """Kernels W + z₀ A + z₁ B: everything about them is known."""
    real = subject.target.kernel.numpy()
    ways = np.random.default_rng(4).normal(0, 0.1, (2, *real.shape)).astype("float32")
    return dataclasses.replace(
        subject, kernels=KernelFunction(lambda z: real + np.tensordot(z[:, :2], ways, 1), 3)
    )


@pytest.fixture(scope="session")
def trained_target(dataset) -> FrozenTarget:
    """A small network that has learned its task, with the convolution in the middle."""
    layers = keras.layers
    keras.utils.set_random_seed(0)
    classifier = keras.Sequential(
        [
            keras.Input(dataset.image_shape),
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="middle"),
            layers.BatchNormalization(momentum=0.8),
            layers.Flatten(),
            layers.Dense(8, activation="elu"),
            layers.Dense(dataset.num_classes, activation="softmax"),
        ]
    )
    classifier.compile("adam", "sparse_categorical_crossentropy")
    x, y = dataset.x_train / np.float32(255), dataset.y_train
    classifier.fit(x, y, epochs=40, batch_size=16, verbose=0)
    return FrozenTarget(classifier, "middle")


@pytest.fixture(scope="session")
def trained_subject(trained_target, dataset) -> Subject:
    """Visible changes of the kernels of a network that knows its task."""
    real = trained_target.kernel.numpy()
    ways = np.random.default_rng(4).normal(0, 0.1, (3, *real.shape)).astype("float32")
    return Subject(
        target=trained_target,
        kernels=KernelFunction(lambda latents: real + np.tensordot(latents, ways, 1), 3),
        dataset=dataset,
        seed=7,
    )


@pytest.fixture
def stumbling(trained_subject) -> Subject:
    """The same with changes so large that each latent makes mistakes of its own."""
    return dataclasses.replace(
        trained_subject, kernels=KernelFunction(lambda z: trained_subject.kernels(6 * z), 3)
    )
