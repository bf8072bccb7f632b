"""TFDS sets: prepared ones made here, tiny; no network."""

import time

import numpy as np
import pytest

from keras_filtergan.data import connection, load_dataset
from keras_filtergan.errors import InputError

PIXELS = np.random.default_rng(2).integers(0, 256, (30, 4, 5, 3), dtype=np.uint8)
LABELS = np.arange(30) % 3


def prepare(folder, name, features, splits, example):
    import tensorflow_datasets

    tensorflow_datasets.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=tensorflow_datasets.features.FeaturesDict(features),
        split_datasets={split: [(i, example(i)) for i in index] for split, index in splits.items()},
        data_dir=folder,
        disable_shuffling=True,
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    from tensorflow_datasets import features as f

    folder = tmp_path_factory.mktemp("prepared")
    image, label = f.Image(shape=(4, 5, 3), encoding_format="png"), f.ClassLabel(names="abc")

    def pair(i):
        return {"image": PIXELS[i], "label": int(LABELS[i])}

    both = {"train": range(24), "test": range(24, 30)}
    prepare(folder, "tiny", {"image": image, "label": label}, both, pair)
    prepare(folder, "trainonly", {"image": image, "label": label}, {"train": range(30)}, pair)
    prepare(folder, "testonly", {"image": image, "label": label}, {"test": range(3)}, pair)
    prepare(
        folder, "unlabelled", {"image": image}, {"train": range(3)}, lambda i: {"image": PIXELS[i]}
    )
    prepare(
        folder,
        "uneven",
        {"image": f.Image(shape=(None, None, 3), encoding_format="png"), "label": label},
        {"train": range(3)},
        pair,
    )
    prepare(folder, "damaged", {"image": image, "label": label}, both, pair)
    records = next(folder.glob("damaged/1.0.0/*train.tfrecord*"))
    records.write_bytes(records.read_bytes()[:-10])
    prepare(folder, "incomplete", {"image": image, "label": label}, both, pair)
    (folder / "incomplete/1.0.0/features.json").unlink()
    return folder


def check_tiny(data, name="tiny"):
    assert (data.name, data.class_names) == (name, ("a", "b", "c"))
    np.testing.assert_array_equal(data.x_train, PIXELS[:24])
    np.testing.assert_array_equal(data.y_train, LABELS[:24])
    np.testing.assert_array_equal(data.x_test, PIXELS[24:])
    np.testing.assert_array_equal(data.y_test, LABELS[24:])


def test_an_unregistered_prepared_set_loads_by_name(data_dir):
    check_tiny(load_dataset("tiny", data_dir))


def test_the_environment_names_the_folder(data_dir, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    check_tiny(load_dataset("tiny"))


def test_a_prepared_folder_loads_by_path(data_dir):
    check_tiny(load_dataset(data_dir / "tiny" / "1.0.0"))


def test_a_version_may_be_given_and_the_name_stays_fit_for_a_folder(data_dir):
    data = load_dataset("tiny:1.0.0", data_dir)
    assert data.name == "tiny-1.0.0"
    assert data.fingerprint == load_dataset("tiny", data_dir).fingerprint


def test_without_a_test_split_train_is_split_by_class(data_dir):
    data = load_dataset("trainonly", data_dir)
    assert np.bincount(data.y_train).tolist() == [8, 8, 8]
    assert np.bincount(data.y_test).tolist() == [2, 2, 2]
    joined = np.concatenate([data.x_train, data.x_test]).reshape(30, -1)
    assert {row.tobytes() for row in joined} == {image.tobytes() for image in PIXELS}


BAD = {
    "tinny": "did you mean tiny",
    "tiny:2.0.0": "Expected a known TFDS name, config and version. Received: tiny:2.0.0",
    "mnist/fancy": "BuilderConfig fancy not found",
    "testonly": "Expected a train split. Received: testonly with test",
    "unlabelled": "image-classification set .*unlabelled with image;",
    "uneven": "images of one size",
    "damaged": "readable TFDS records. Received: damaged, split train",
    "voc": "image-classification set",
    "imagenet2012": "images of one size",
    "../tiny": "does not exist",
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_sets_are_refused_before_any_download(data_dir, name, monkeypatch):
    monkeypatch.setattr(connection, "is_online", lambda: pytest.fail("asked the network"))
    with pytest.raises(InputError, match=BAD[name]) as caught:
        load_dataset(name, data_dir)
    assert "\n" not in str(caught.value)


def test_an_incomplete_folder_is_named(data_dir):
    with pytest.raises(InputError, match=r"a complete TFDS folder\. Received: .*incomplete"):
        load_dataset(data_dir / "incomplete" / "1.0.0")


def test_offline_a_set_that_is_not_there_fails_clearly_and_fast(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "is_online", lambda: False)
    begin = time.monotonic()
    with pytest.raises(InputError, match=r"or a network to download it.*mnist_sample\.") as caught:
        load_dataset("mnist", tmp_path)
    assert time.monotonic() - begin < 10
    assert str(tmp_path) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_online_a_failing_download_fails_clearly(tmp_path, monkeypatch):
    import tensorflow_datasets

    def fail(self):
        raise ConnectionError("server\nsaid no")

    monkeypatch.setattr(connection, "is_online", lambda: True)
    monkeypatch.setattr(tensorflow_datasets.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(InputError, match=r"Received: mnist \(server said no\)"):
        load_dataset("mnist", tmp_path)


def test_online_a_registered_set_is_prepared_once_and_read(tmp_path, monkeypatch):
    import tensorflow_datasets
    from tensorflow_datasets import features as f

    class TinyRegistered(tensorflow_datasets.core.GeneratorBasedBuilder):
        VERSION = tensorflow_datasets.core.Version("1.0.0")
        made = 0

        def _info(self):
            image, label = (
                f.Image(shape=(4, 5, 3), encoding_format="png"),
                f.ClassLabel(names="abc"),
            )
            return tensorflow_datasets.core.DatasetInfo(
                builder=self,
                description="For this test.",
                features=f.FeaturesDict({"picture": image, "kind": label}),
                supervised_keys=("picture", "kind"),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            return {
                "train": self._generate_examples(0, 24),
                "test": self._generate_examples(24, 30),
            }

        def _generate_examples(self, start, stop):
            type(self).made += 1
            for i in range(start, stop):
                yield i, {"picture": PIXELS[i], "kind": int(LABELS[i])}

    monkeypatch.setattr(connection, "is_online", lambda: True)
    check_tiny(load_dataset("tiny_registered", tmp_path), "tiny_registered")
    monkeypatch.setattr(connection, "is_online", lambda: False)  # now it is there
    check_tiny(load_dataset("tiny_registered", tmp_path), "tiny_registered")
    assert TinyRegistered.made == 2  # two splits, once


def test_reading_is_silent(data_dir, capfd):
    from absl import logging

    before = logging.get_verbosity()
    load_dataset("tiny", data_dir)
    assert "dataset" not in capfd.readouterr().err.lower()
    assert logging.get_verbosity() == before


@pytest.mark.parametrize(
    ("name", "image_shape", "counts"),
    [("mnist", (28, 28, 1), (60000, 10000)), ("cifar10_jpeg", (32, 32, 3), (50000, 10000))],
)
def test_full_sets_where_they_are_prepared(full_set, name, image_shape, counts):
    data = full_set(name)
    assert (len(data.x_train), len(data.x_test)) == counts
    assert (data.image_shape, data.num_classes) == (image_shape, 10)
    if name == "mnist":  # class counts as published with the set
        expected = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        assert np.bincount(data.y_train).tolist() == expected
    else:
        assert np.bincount(data.y_train).tolist() == [5000] * 10
