"""Image sets from TensorFlow Datasets: prepared on disk, or downloaded when there is a network."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_filtergan.data import connection
from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.decoding.image_size import Size
from keras_filtergan.data.tfds_reader import (
    check_prepared,
    failure,
    image_and_label,
    read_builder,
)
from keras_filtergan.errors import InputError

CATALOG = "https://www.tensorflow.org/datasets/catalog/overview"


def load_tfds(
    name: str, data_dir: str | Path | None = None, image_size: Size | None = None
) -> ImageDataset:
    """Loads an image-classification set by its TFDS name, e.g. `"mnist"` or `"emnist/letters"`.

    A set that stands prepared in `data_dir` is read without touching the network, whether TFDS
    knows its name or not. Otherwise TFDS downloads and prepares it there, once.

    Args:
        name: TFDS name, with `/config` and `:version` where wanted.
        data_dir: Folder of prepared sets; default `$TFDS_DATA_DIR`, else `~/tensorflow_datasets`.
        image_size: `(height, width)` to bring the images to, which then may be of any size.

    Raises:
        InputError: Unknown name, no network for a set that is not there, or a set without one
            image of fixed size and one class label.
    """
    import tensorflow_datasets as tfds

    data_dir = tfds_folder(data_dir)
    home = Path(data_dir or "~/tensorflow_datasets").expanduser() / re.split("[/:]", name)[0]
    for pattern in ("*/features.json", "*/*/features.json"):  # versions, and those of a config
        for features in home.glob(pattern):
            check_prepared(features.parent)
    with _quiet():
        try:
            builder = tfds.builder(name, data_dir=data_dir)
        except Exception as error:  # TFDS raises a dozen types for a name, config or version
            raise failure(
                name, "a known TFDS name, config and version", error, f"see {CATALOG}"
            ) from error
        image_and_label(builder, name, image_size)  # before a long download
        if not builder.is_prepared():
            _download(builder, name, data_dir)
        return read_builder(builder, name, image_size)


def load_tfds_directory(
    path: str | Path, name: str, image_size: Size | None = None
) -> ImageDataset:
    """Loads a prepared TFDS folder, the one that holds `dataset_info.json`, under a given name.

    Raises:
        InputError: When the folder is incomplete, names code of its own, or is no
            image-classification set.
    """
    import tensorflow_datasets as tfds

    check_prepared(Path(path))
    with _quiet():
        try:
            builder = tfds.builder_from_directory(path)
        except Exception as error:  # as many types as ways to damage four files
            raise failure(str(path), "a complete TFDS folder", error, "prepare it again") from error
        return read_builder(builder, name, image_size)


def tfds_folder(data_dir: str | Path | None) -> str | None:
    """The folder of prepared sets: the argument, else `$TFDS_DATA_DIR`, else None for TFDS's own.

    The variable is read here and now; TFDS itself reads it only once, when imported.
    """
    return os.fspath(data_dir) if data_dir else os.environ.get("TFDS_DATA_DIR") or None


def known_tfds_names(data_dir: str | Path | None = None) -> list[str]:
    """Names of the registered sets and of the sets prepared in `data_dir`, sorted."""
    import tensorflow_datasets as tfds

    # Community sets are left out: listing them asks the network.
    names = set(tfds.list_builders(with_community_datasets=False))
    folder = Path(tfds_folder(data_dir) or "~/tensorflow_datasets").expanduser()
    with contextlib.suppress(OSError):  # no such folder, nothing to add
        infos = (*folder.glob("*/*/dataset_info.json"), *folder.glob("*/*/*/dataset_info.json"))
        names |= {info.relative_to(folder).parts[0] for info in infos}  # name/[config/]version/
    return sorted(names)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TFDS from narrating (absl info and warnings); errors still come through."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _download(builder: Any, name: str, data_dir: str | None) -> None:
    where = data_dir or "~/tensorflow_datasets"
    if not connection.is_online():
        raise InputError(
            f"Expected {name} prepared in {where}, or a network to download it. Received: neither; "
            "connect, point `data_dir` to a prepared copy, or use `dataset` mnist_sample."
        )
    try:
        builder.download_and_prepare()
    except Exception as error:  # network, disk, checksum, manual download: whatever TFDS meets
        raise failure(
            name, "a data set that TFDS can download and prepare", error, f"see {CATALOG}"
        ) from error
