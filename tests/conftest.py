"""Small things that many tests share: a data set, a classifier, a target, a trained-looking GAN."""

import contextlib
import io
import os
import resource
from pathlib import Path

import keras
import numpy as np
import pytest
from commands import QUICK, few_inversion_steps, write_npz
from patterns import make_dataset
from tensorflow.python.framework import test_util

from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.cli import train_main
from keras_filtergan.data import ImageDataset, training_stream
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

LONGEST = ("test_notebook.py", "test_training.py", "test_cli.py")


def pytest_report_header() -> str:
    """Which CPU kernels TensorFlow takes: it decides by the processor unless it is told."""
    told = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "not set")
    return f"oneDNN: {'on' if test_util.IsMklEnabled() else 'off'} (TF_ENABLE_ONEDNN_OPTS {told})"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is asked for by its mark is not looked for in files without it: 20 seconds less."""
    wanted = config.getoption("markexpr") or ""
    if not wanted.startswith("onednn") or not collection_path.name.startswith("test_"):
        return None
    return True if "pytest.mark.onednn" not in collection_path.read_text() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest files first: begun last, one of them would leave the other process without work."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def dataset() -> ImageDataset:
    return make_dataset()


@pytest.fixture(scope="session")
def classifier() -> keras.Model:
    """An untrained network whose biases and batch-norm statistics are not the initial ones."""
    model = build_classifier((12, 12, 1), 3, widths=(4, 5, 6, 7, 8))
    generator = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.bias.assign(generator.uniform(-0.3, 0.3, layer.bias.shape))
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


@pytest.fixture(scope="session")
def target(classifier) -> FrozenTarget:
    return FrozenTarget(classifier, layer=4)


@pytest.fixture
def gan(target, dataset) -> FilterGAN:
    gan = FilterGAN(target, latent_dim=3)
    gan.compile()
    gan.adapt(dataset.x_train)
    return gan


@pytest.fixture
def make_stream(target, dataset):
    """Training batches of the small data set."""

    def make(batch_size: int, latent_dim: int, code_shape: tuple[int, ...] | None = None):
        return training_stream(
            dataset.x_train,
            dataset.y_train,
            batch_size=batch_size,
            latent_dim=latent_dim,
            noise_shape=target.activation_shape,
            code_shape=code_shape,
            seed=0,
        )

    return make


@pytest.fixture
def batch(make_stream) -> dict:
    return next(iter(make_stream(16, 3)))


@pytest.fixture
def small_files():
    """A context in which no file can grow beyond so many bytes, as on a disk that is full."""

    @contextlib.contextmanager
    def limit(size: int):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def trained(gan, target, dataset):
    """An untrained generator with an image transformation that does something."""
    kernel = gan.transformation.strengths.layers[-1].kernel
    kernel.assign(np.random.default_rng(3).normal(0, 0.1, kernel.shape))
    gan.code_noise.value.assign(2.5)
    return TrainedRun.of(gan, Settings(method="infogan", latent_dim=3), dataset)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, dataset):
    """A run by `train.py`, to be read only: the words of the command, the folder, the screen."""
    folder = tmp_path_factory.mktemp("finished")
    data, out = write_npz(folder, dataset), folder / "out"
    words = ["--dataset", data, "--out", str(out), "--layer", "2", *QUICK]
    with contextlib.redirect_stdout(io.StringIO()) as screen, few_inversion_steps():
        assert train_main(words) == 0
    return words, out, screen.getvalue()
