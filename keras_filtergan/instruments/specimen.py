"""What an instrument is put on: a frozen network, images, and perhaps a generator."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.checks import size_hint
from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.classifiers.pixel_scale import scaled
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset, load_dataset
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.first_look import FirstLook, first_look
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.trained import TrainedRun


@dataclasses.dataclass(frozen=True)
class Specimen:
    """A network to be examined, with a run's generator or without.

    Attributes:
        target: the frozen network, split at a convolution.
        dataset: images of the size that it takes.
        title: what it is, for figures.
        run: the run that it belongs to, if any.
    """

    target: FrozenTarget
    dataset: ImageDataset
    title: str
    run: TrainedRun | None = None

    @classmethod
    def of_run(
        cls,
        run: RunDirectory | str | os.PathLike,
        dataset: str | None = None,
        data_dir: str | None = None,
    ) -> "Specimen":
        """The network of a finished run, with its generator.

        Args:
            run: its directory.
            dataset: other images than those of its training.
            data_dir: where TFDS keeps its prepared sets.

        Raises:
            InputError: the run cannot be loaded, or the images have another shape or number
                of classes.
        """
        trained = TrainedRun.load(run, data_dir)
        size = trained.settings.image_size
        images = trained.dataset if dataset is None else load_dataset(dataset, data_dir, size)
        title = f"{RunDirectory.of(run).path.name}, {trained.target.layer_name}"
        return cls(trained.target, _fitting(images, trained.target), title, trained)

    @classmethod
    def of_classifier(
        cls,
        path: str | os.PathLike,
        dataset: str,
        layer: int | str = 1,
        data_dir: str | None = None,
        pixel_range: tuple[float, float] | None = None,
        preprocessing: str | None = None,
        image_size: tuple[int, int] | None = None,
    ) -> "Specimen":
        """Any trained classifier from a `.keras` file.

        Args:
            path: the file.
            dataset: its images, by name or path.
            layer: the convolution in question, by number or name.
            data_dir: where TFDS keeps its prepared sets.
            pixel_range, preprocessing: the pixels that it expects, as of `pixel_scale.scaled`.
            image_size: height and width to which its images are resized.

        Raises:
            InputError: no such file, layer or data set, or images of another shape or number of
                classes.
        """
        path = Path(path)
        target = FrozenTarget(scaled(load_classifier(path), pixel_range, preprocessing), layer)
        images = _fitting(load_dataset(dataset, data_dir, image_size), target)
        return cls(target, images, f"{path.name} on {images.name}")

    def first_look(self) -> FirstLook:
        """How often the network is right on the images, and whether other pixels would help."""
        brought = self.run is None or self.run.settings.classifier is not None
        return first_look(self.target.classifier, self.dataset, try_scalings=brought)

    def generated(self) -> TrainedRun:
        """The run whose generator makes the kernels.

        Raises:
            InputError: there is none, the network came as a bare classifier.
        """
        if self.run is None:
            raise InputError("expected a `run` with a generator, received a classifier alone")
        return self.run

    def kernel_sets(self, count: int, seed: int = 0) -> tf.Tensor:
        """The first kernel sets of a seed, `(count, kh, kw, cin, cout)`.

        Their latents are those that `GeneratedConv2D(generator, latents=count, seed=seed)` draws.

        Raises:
            InputError: there is no generator.
        """
        generator = self.generated().generator
        draws = np.random.default_rng(seed).standard_normal((count, generator.latent_dim))
        return generator(draws.astype("float32"), training=False)


def _fitting(dataset: ImageDataset, target: FrozenTarget) -> ImageDataset:
    hint = "name the `dataset` that the network was trained on"
    if dataset.image_shape != target.image_shape:
        raise InputError(
            f"expected images {target.image_shape}, {dataset.name!r} has {dataset.image_shape}; "
            f"{hint}{size_hint(target.image_shape, dataset.image_shape)}"
        )
    if dataset.num_classes != target.num_classes:
        raise InputError(
            f"expected images of {target.num_classes} classes, {dataset.name!r} has "
            f"{dataset.num_classes}; {hint}"
        )
    return dataset
