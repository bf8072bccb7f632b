"""From a prepared TFDS builder to an `ImageDataset`."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.decoding.image_size import Size
from keras_filtergan.data.decoding.resizing import resized_tensor
from keras_filtergan.data.decoding.storage import empty_array, taken
from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.guards.reading import check_plain_file
from keras_filtergan.guards.records import objects, read_record

FEATURES = "tensorflow_datasets.core.features."  # home of the classes that may be named
READ_BATCH = 256  # examples a read: large enough that Python costs little


def image_and_label(builder: Any, name: str, image_size: Size | None = None) -> tuple[str, str]:
    """Keys of the image and of the label among the features.

    Raises:
        InputError: When there is no such pair, or images are of different sizes.
    """
    import tensorflow_datasets as tfds

    features = builder.info.features
    keys = builder.info.supervised_keys or ("image", "label")
    items = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image, label = (items.get(key) if isinstance(key, str) else None for key in keys[:2])
    if not isinstance(image, tfds.features.Image) or not isinstance(
        label, tfds.features.ClassLabel
    ):
        raise InputError(
            "Expected an image-classification set (an image and a class label an example). "
            f"Received: {name} with {', '.join(items) or 'no features'}; choose another set."
        )
    shape: Any = image.shape
    if None in shape and image_size is None:
        raise InputError(
            f"Expected images of one size. Received: {name} with images {image.shape}; "
            "give `image_size`, to which they are resized when they are read."
        )
    return keys[0], keys[1]


def check_prepared(folder: Path) -> None:
    """Refuse a prepared TFDS folder that would have TFDS import a module of its choosing.

    `features.json` names the class of each feature, and TFDS imports the module of any class that
    it does not know.

    Raises:
        InputError: it names another class than those of TFDS, is damaged, or something in the
            folder is no plain file.
    """
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir():
            check_plain_file(entry)
    try:
        features = read_record(folder / "features.json", dict, "prepare the data set again")
    except FileNotFoundError:
        return  # TFDS says so
    for held in objects(features):
        legacy = held.get("type") if "content" in held else None
        for name in (held.get("pythonClassName"), held.get("python_class_name"), legacy):
            if isinstance(name, str) and not name.startswith(FEATURES):
                raise InputError(
                    f"expected features of TensorFlow Datasets itself, {str(folder)!r} names "
                    f"{name!r} in its features.json, which would be imported; "
                    "prepare the images without it"
                )


def read_builder(builder: Any, name: str, image_size: Size | None = None) -> ImageDataset:
    """Reads the train and test splits; without a test split, train is split 80/20 by class.

    Args:
        builder: Prepared `tfds.core.DatasetBuilder`.
        name: What the user called the set.
        image_size: `(height, width)` to bring the images to.

    Raises:
        InputError: No train split, no image-classification set, or damaged records.
    """
    keys = image_and_label(builder, name, image_size)
    splits = builder.info.splits
    if "train" not in splits:
        raise InputError(
            f"Expected a train split. Received: {name} with {', '.join(splits) or 'no split'}; "
            "choose another set."
        )
    _check_batch_fits(builder, keys[0], name, image_size)
    x_train, y_train = _read_split(builder, "train", keys, name, image_size)
    if "test" in splits:
        x_test, y_test = _read_split(builder, "test", keys, name, image_size)
    else:
        train, test = stratified_split(y_train)
        x_test, y_test = taken(x_train, test), y_train[test]
        x_train, y_train = taken(x_train, train), y_train[train]
    return ImageDataset(
        re.sub(r"[^\w.-]+", "-", name),  # emnist/letters: also the name of a run directory
        x_train,
        y_train,
        x_test,
        y_test,
        tuple(builder.info.features[keys[1]].names or ()),
        note=f"TFDS {builder.info.full_name}",
    )


def _check_batch_fits(builder: Any, image_key: str, name: str, image_size: Size | None) -> None:
    """Refuse images of which there is no room for one read; all together may go to a file."""
    image: Any = builder.info.features[image_key]
    count = min(builder.info.splits["train"].num_examples, READ_BATCH)
    *sides, channels = image.shape
    pixels = count * math.prod(image_size or sides)
    if None not in sides:  # one of them as it comes
        pixels = max(pixels, math.prod(sides))
    size = 2 * pixels * (channels or 1) * np.dtype(image.np_dtype).itemsize
    check_memory(size, f"{count:,} images of {name}", "give a smaller `image_size`")


def _read_split(
    builder: Any, split: str, keys: tuple[str, str], name: str, image_size: Size | None
) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    image_key, label_key = keys
    wanted = tfds.decode.PartialDecoding({image_key: True, label_key: True})
    images, labels = np.empty(0), np.zeros(builder.info.splits[split].num_examples, np.int64)
    done = 0
    try:
        examples = builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders=wanted,
            read_config=tfds.ReadConfig(try_autocache=False),
        )
        if image_size is not None:
            examples = examples.map(
                lambda one: {**one, image_key: resized_tensor(one[image_key], image_size)}
            )
        for batch in tfds.as_numpy(examples.batch(READ_BATCH)):
            found, count = batch[image_key], len(batch[label_key])
            if done == 0:  # in a file where there are too many for memory
                images = empty_array((len(labels), *found.shape[1:]), found.dtype)
            images[done : done + count] = found
            labels[done : done + count] = batch[label_key]
            done += count
    except (tf.errors.OpError, OSError, ValueError, AssertionError) as error:
        raise failure(
            f"{name}, split {split}", "readable TFDS records", error, "prepare it again"
        ) from error
    if not done:
        raise InputError(
            f"Expected examples in the {split} split of {name}. Received: none; prepare it again."
        )
    return images[:done], labels[:done]


def failure(name: str, expected: str, error: Exception, advice: str) -> InputError:
    """An `InputError` with one line of what TFDS tells in many."""
    reason = re.sub(r'^Failed to construct dataset .*?}": ', "", " ".join(str(error).split()))
    if len(reason) > 200:
        reason = f"{reason[:200]}…"
    return InputError(
        f"Expected {expected}. Received: {name} ({reason or type(error).__name__}); {advice}."
    )
