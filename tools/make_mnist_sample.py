"""Makes the bundled image set, `keras_filtergan/data/mnist_sample/1.0.0/`, from full MNIST.

    python tools/make_mnist_sample.py --data-dir ~/tensorflow_datasets

The rule: of each digit, the 1,000 training and 200 test images whose pixels have the smallest
SHA-256, in the order of those hashes. It needs no random generator, does not depend on the order
in which MNIST is stored, and mixes the digits. With the same TensorFlow (it encodes the PNGs) the
folder comes out bit for bit the same.

MNIST: Y. LeCun, C. Cortes, C. J. C. Burges, http://yann.lecun.com/exdb/mnist.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

import numpy as np

NAME = "mnist_sample"
PER_CLASS = {"train": 1000, "test": 200}
DESTINATION = Path(__file__).resolve().parents[1] / "keras_filtergan" / "data"
DESCRIPTION = (
    "A stratified sample of MNIST: of each digit, the 1,000 training and 200 test images whose "
    "pixels have the smallest SHA-256, in the order of those hashes."
)
HOMEPAGE = "http://yann.lecun.com/exdb/mnist/"
CITATION = (
    "LeCun, Y., Cortes, C., Burges, C. J. C.: MNIST handwritten digit database. "
    "ATT Labs [Online], http://yann.lecun.com/exdb/mnist, 2010."
)


def select(images: np.ndarray, labels: np.ndarray, per_class: int) -> np.ndarray:
    """Indices of the `per_class` images of each class with the smallest hash, in hash order.

    Args:
        images: `(n, height, width, channels)` uint8.
        labels: Class indices `(n,)`.
        per_class: How many of each class; every class must have as many.

    Raises:
        ValueError: When a class has too few images.
    """
    hashes = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images])
    order = np.argsort(hashes, kind="stable")
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        if len(members) < per_class:
            raise ValueError(f"class {label} has {len(members)} images, {per_class} are needed")
        chosen[members[:per_class]] = True
    return order[chosen[order]]


def main() -> None:
    """Reads MNIST, selects, writes the folder anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="folder with TFDS mnist (default: TFDS's own)")
    parser.add_argument("--out", type=Path, default=DESTINATION, help="parent of the new folder")
    arguments = parser.parse_args()

    import tensorflow_datasets as tfds

    from keras_filtergan.data import load_dataset
    from keras_filtergan.data.tfds_writer import VERSION, write_tfds_directory

    mnist = load_dataset("mnist", arguments.data_dir)
    full = {"train": (mnist.x_train, mnist.y_train), "test": (mnist.x_test, mnist.y_test)}
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=mnist.image_shape, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=mnist.class_names),
        }
    )
    target = arguments.out / NAME / VERSION
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    splits = {}
    for split, (images, labels) in full.items():
        index = select(images, labels, PER_CLASS[split])
        pairs = zip(images[index], labels[index], strict=True)
        splits[split] = [{"image": image, "label": int(label)} for image, label in pairs]
    about = {"description": DESCRIPTION, "homepage": HOMEPAGE, "citation": CITATION}
    write_tfds_directory(target, NAME, features, splits, **about)
    for file in sorted(target.iterdir()):
        print(f"{file.stat().st_size:>9,}  {hashlib.sha256(file.read_bytes()).hexdigest()}  {file}")


if __name__ == "__main__":
    main()
