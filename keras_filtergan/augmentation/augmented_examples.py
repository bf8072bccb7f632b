"""Images of an augmented data set as TFDS examples that say where each came from."""

from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow_datasets as tfds

from keras_filtergan.augmentation.augmentation import Piece
from keras_filtergan.data import ImageDataset
from keras_filtergan.data.pixels import to_bytes
from keras_filtergan.data.tfds_writer import Example


def example_features(dataset: ImageDataset, latent_dim: int) -> tfds.features.FeaturesDict:
    """Features of an example.

    `image` and `label` as in any set for classification; `augmented`, whether the image was made;
    `origin`, the number of the original in its split; `latent` `(d,)`, 0 for the originals.
    """
    return tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=dataset.image_shape, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=dataset.class_names),
            "augmented": np.bool_,
            "origin": np.int64,
            "latent": tfds.features.Tensor(shape=(latent_dim,), dtype=np.float32),
        }
    )


def describe(dataset: ImageDataset, originals: bool) -> str:
    """What the set is, for whoever finds it; the features by name."""
    name = dataset.name
    first = f"The training images of {name}, and" if originals else f"Of {name}"
    return (
        f"{first} images that cause under the generated kernels of a latent (`latent`) nearly the "
        "activations that a training image (`origin` is its number) causes under those of the "
        "latent 0, and that a classifier gives the same, right label (`augmented` is true). "
        f"The test images are those of {name}. Made with keras_filtergan."
    )


def train_examples(
    dataset: ImageDataset, latent_dim: int, originals: bool, pieces: Iterable[Piece]
) -> Iterator[Example]:
    """The training images, if wanted, in their order, then those of the pieces in theirs."""
    if originals:
        yield from _originals(dataset.x_train, dataset.y_train, latent_dim)
    for piece in pieces:
        columns = piece.images, piece.labels, piece.origins, piece.latents
        for image, label, origin, latent in zip(*columns, strict=True):
            yield _example(image, label, True, origin, latent)


def test_examples(dataset: ImageDataset, latent_dim: int) -> Iterator[Example]:
    """The test images, untouched; floats as the nearest of 256 levels."""
    return _originals(dataset.x_test, dataset.y_test, latent_dim)


def _originals(images: np.ndarray, labels: np.ndarray, latent_dim: int) -> Iterator[Example]:
    """Originals are the images of the latent 0."""
    for origin, (image, label) in enumerate(zip(images, labels, strict=True)):
        yield _example(to_bytes(image), label, False, origin, np.zeros(latent_dim, np.float32))


def _example(image: np.ndarray, label, augmented: bool, origin, latent: np.ndarray) -> Example:
    return {
        "image": image,
        "label": int(label),
        "augmented": augmented,
        "origin": int(origin),
        "latent": latent,
    }
