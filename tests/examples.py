"""What the examples of docstrings speak of, by the names that they use: small, and made on demand.

A classifier of digits after one epoch on 1,000 images, and a run of one step with it. Where an
example would take minutes, a name stands for the same with fewer steps or images.
"""

import dataclasses
import functools
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

import keras_filtergan as kfg
from keras_filtergan.augmentation.augmented_dataset import Recipe
from keras_filtergan.classifiers.graph import recorded
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.instruments.maximize.ascent import Ascent, ascend
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.runs.run_directory import RunDirectory

RUN = "runs/mnist_sample-layer4-seed0"
LAYERS = {layer: f"runs/mnist-layer{layer}-seed0" for layer in (4, 2)}
COUNT = 64  # images of a batch


class Things:
    """Things by name; `folder` is where relative paths of examples begin."""

    np, tf, keras, kfg, Path = np, tf, keras, kfg, Path

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "dots" / "1.0.0").mkdir(parents=True)
        (folder / "digits.npz").touch()
        for name in ("one", "zero"):
            place = folder / "digits" / name
            place.mkdir(parents=True)
            for number in range(5):
                keras.utils.save_img(place / f"{number}.png", np.zeros([4, 4, 1]), scale=False)

    # images

    @cached_property
    def data(self) -> kfg.data.ImageDataset:
        return kfg.data.load_dataset("mnist_sample")

    @property
    def dataset(self) -> kfg.data.ImageDataset:
        return self.data

    @cached_property
    def few(self) -> kfg.data.ImageDataset:
        arrays = {name: getattr(self.data, name)[:100] for name in ("x_test", "y_test")}
        arrays |= {name: getattr(self.data, name)[:1000] for name in ("x_train", "y_train")}
        return dataclasses.replace(self.data, **arrays)

    @property
    def x_train(self) -> np.ndarray:
        return self.few.x_train

    @property
    def y_train(self) -> np.ndarray:
        return self.few.y_train

    @property
    def images(self) -> np.ndarray:
        return to_unit_interval(self.few.x_test[:COUNT])

    @property
    def labels(self) -> np.ndarray:
        return self.few.y_test[:COUNT]

    @property
    def image(self) -> np.ndarray:
        return self.few.x_test[0]

    @property
    def mean_image(self) -> np.ndarray:
        return self.images.mean(axis=0)

    @property
    def moved(self) -> np.ndarray:
        return np.roll(self.images, 1, axis=2)

    @property
    def pairs(self) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices((self.images, self.labels)).batch(8)

    @property
    def x(self) -> np.ndarray:
        return np.zeros([6, 28, 28, 1], "uint8")

    x_test = x

    @property
    def y(self) -> np.ndarray:
        return np.array([0, 1] * 3)

    y_test = y

    @property
    def cifar(self) -> kfg.data.ImageDataset:
        x, y = np.zeros([10_000, 32, 32, 3], "uint8"), np.arange(10_000) % 10
        return kfg.data.ImageDataset("cifar10", x[:10], y[:10], x, y, tuple("abcdefghij"))

    @property
    def tfds_features(self) -> tfds.features.FeaturesDict:
        return tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(28, 28, 1)),
                "label": tfds.features.ClassLabel(names=("dark", "light")),
            }
        )

    # networks

    @cached_property
    def classifier(self) -> keras.Model:
        return kfg.train_classifier(self.few, epochs=1)

    @cached_property
    def target(self) -> kfg.FrozenTarget:
        return kfg.FrozenTarget(self.classifier, layer=4)

    @property
    def features(self) -> tf.Tensor:
        return self.target.features(self.images)[0]

    @property
    def activations(self) -> np.ndarray:
        return self.target.activations(self.target.features(self.images)).numpy()

    @property
    def rescaling(self) -> keras.Layer:
        return keras.layers.Rescaling(2.0, name="rescaling")

    @property
    def backbone(self) -> keras.Model:
        convolution = keras.layers.Conv2D(4, 3, name="conv1")
        norm = keras.layers.BatchNormalization(name="norm1")
        return keras.Sequential([keras.Input((28, 28, 1)), convolution, norm], name="backbone")

    @property
    def head(self) -> keras.Layer:
        return keras.layers.Dense(10, name="head")

    # a run

    @cached_property
    def run(self) -> RunDirectory:
        return self._run(RUN, layer=4)

    def keep_runs(self, text: str) -> None:
        """Make the runs that a text names by their paths."""
        if RUN in text:
            _ = self.run
        for layer, place in LAYERS.items():
            if "runs/mnist-layer" in text and not (self.folder / place).exists():
                self._run(place, layer)

    def _run(self, place: str, layer: int) -> RunDirectory:
        folder, classifier = self.folder / place, self.folder / "classifier.keras"
        self.classifier.save(classifier)
        settings = kfg.Settings(layer=layer, classifier=str(classifier), steps=1)
        metrics = ["classifier_accuracy"]
        kfg.train(settings, folder, verbose=0, say=lambda line: None, metrics=metrics)
        return RunDirectory(folder)

    @property
    def path(self) -> Path:
        return self.run.generator

    @cached_property
    def trained(self) -> kfg.TrainedRun:
        return kfg.TrainedRun.load(self.run)

    @property
    def generator(self) -> kfg.FilterGenerator:
        return self.trained.generator

    @property
    def transformation(self) -> keras.Model:
        return self.trained.transformation

    @property
    def z(self) -> np.ndarray:
        return np.zeros(4, "float32")

    @property
    def latents(self) -> tf.Tensor:
        return tf.zeros([COUNT, 4])

    @property
    def kernels(self) -> tf.Tensor:
        return self.generator(np.eye(4, dtype="float32"))

    @property
    def inverter(self) -> kfg.Inverter:
        return self.Inverter(self.target, self.generator)

    @cached_property
    def walk(self) -> kfg.Walk:
        return self.inverter.walk(self.images[:4], self.z)

    @property
    def recipe(self) -> Recipe:
        return Recipe(images=20, by="transformation")

    @cached_property
    def specimen(self) -> Specimen:
        return Specimen(self.target, self.few, "digits", self.trained)

    # what is measured, and what goes wrong

    @property
    def error(self) -> Exception:
        return RuntimeError(
            "Graph execution error:\n\nDetected at node classifier/printer/Assert defined at (most "
            "recent call last):\n  File printer.py\n\nassertion failed: [no more paper]\n\t "
            "[[{{node classifier/printer/Assert}}]] [Op:__inference_call_1]"
        )

    @property
    def scores_under(self):
        return self.target

    @property
    def unit(self):
        return lambda images: recorded(self.classifier, images)["conv1"][:, 14, 14]

    @property
    def pixels(self) -> np.ndarray:
        from keras_filtergan.instruments.spectra.receptive_field import visible

        return visible(self.classifier, "conv1", (14, 14))

    @property
    def train_features(self) -> np.ndarray:
        return np.reshape(self.images, (COUNT, -1))

    test_features, test_labels = train_features, labels

    # shorter than what the name stands for

    Inverter = staticmethod(functools.partial(kfg.Inverter, steps=2))

    @staticmethod
    def ascend(*args):
        return ascend(*args, how=Ascent(steps=2))
