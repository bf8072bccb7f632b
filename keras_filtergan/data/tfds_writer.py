"""Prepared TFDS folders, written example by example and bit for bit the same each time."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

VERSION = "1.0.0"

Example = Mapping[str, Any]


def write_tfds_directory(
    folder: Path, name: str, features: Any, splits: Mapping[str, Iterable[Example]], **about: Any
) -> dict[str, int]:
    """Writes a folder that `tfds.builder_from_directory` and `load_dataset` read.

    `tfds.dataset_builders.store_as_tfds_dataset` would do, but for two things: it wants all
    examples at once, and a tf.train.Example is a map, and a map is written in a random order
    unless one asks for `deterministic`.

    Args:
        folder: Where the files go; it exists and is empty. Its name should be `VERSION`, and that
            of the folder above, for TFDS to find the set by name, `tfds_name(name)`.
        name: What the set is called, see `tfds_name`.
        features: `tfds.features.FeaturesDict` with an `image` and a `label`.
        splits: Examples of each split, in the order in which they shall stand; each iterable is
            read once, and holds at least one.
        about: More for `tfds.core.DatasetInfo`: description, homepage, citation.

    Returns:
        How many examples each split holds.

    Example:
        >>> write_tfds_directory(Path("dots/1.0.0"), "dots", tfds_features,
        ...                      {"train": [{"image": image, "label": 1}]})
        {'train': 1}
    """
    import tensorflow_datasets as tfds

    where: Any = folder  # TFDS asks for its own kind of path, and takes any
    files = tfds.core.ShardedFileTemplate(where, dataset_name=tfds_name(name))
    files = files.replace(filetype_suffix="tfrecord")
    infos = []
    for split, examples in sorted(splits.items()):  # as TFDS itself lists them
        of_split = files.replace(split=split)
        count, size = _write_records(
            of_split.sharded_filepath(shard_index=0, num_shards=1), features, examples
        )
        infos.append(
            tfds.core.SplitInfo(
                name=split, shard_lengths=[count], num_bytes=size, filename_template=of_split
            )
        )
    tfds.folder_dataset.write_metadata(
        data_dir=folder,
        features=features,
        split_infos=infos,  # else TFDS reads everything again, and talks
        supervised_keys=("image", "label"),
        disable_shuffling=True,  # the records stand in the order in which they came
        **about,
    )
    return {info.name: info.num_examples for info in infos}


def tfds_name(name: str) -> str:
    """The nearest name that TFDS takes: letters, digits and underscores, a letter first.

    Example:
        >>> tfds_name("my-mnist.2"), tfds_name("60k")
        ('my_mnist_2', 'set_60k')
    """
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
    return plain if plain[:1].isalpha() else f"set_{plain}".rstrip("_")


def _write_records(file: Any, features: Any, examples: Iterable[Example]) -> tuple[int, int]:
    """Writes one tfrecord file; returns how many examples it holds, and of how many bytes."""
    import tensorflow as tf

    count = size = 0
    with tf.io.TFRecordWriter(str(file)) as writer:
        for example in examples:
            encoded = features.serialize_example(features.encode_example(example))
            record = tf.train.Example.FromString(encoded).SerializeToString(deterministic=True)
            writer.write(record)
            count, size = count + 1, size + len(record)
    return count, size
