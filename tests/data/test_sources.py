import os

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_filtergan.data import absolute_source, load_dataset
from keras_filtergan.data.tfds_writer import write_tfds_directory
from keras_filtergan.errors import InputError

ARRAYS = {
    "x_train": np.zeros((4, 2, 2), np.uint8),
    "y_train": np.array([0, 1, 0, 1]),
    "x_test": np.zeros((2, 2, 2), np.uint8),
    "y_test": np.array([0, 1]),
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def class_folders(path):
    for name in ("a", "b"):
        (path / name).mkdir(parents=True)
        for i in range(2):
            Image.new("L", (3, 3), i).save(path / name / f"{i}.png")


@pytest.mark.parametrize("name", ["set.npz", "./set.npz", "~/set.npz"])
def test_an_npz_path(tmp_path, name):
    np.savez(tmp_path / "set.npz", **ARRAYS)
    assert load_dataset(name).image_shape == (2, 2, 1)


@pytest.mark.parametrize("name", ["things", "./things", "sub/folder", "mnist/folder"])
def test_a_folder_path(tmp_path, name):
    class_folders(tmp_path / name)
    if name == "mnist/folder":  # a config of mnist by its look: say ./ for the folder
        with pytest.raises(InputError, match="BuilderConfig folder not found"):
            load_dataset(name)
        name = f"./{name}"
    assert load_dataset(name).class_names == ("a", "b")


def test_a_prepared_folder_means_its_latest_version(tmp_path):
    for version, count in (("1.9.0", 1), ("1.10.0", 2), ("notes", 3)):
        folder = tmp_path / "dots" / version
        folder.mkdir(parents=True)
        features = tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(2, 2, 1), encoding_format="png"),
                "label": tfds.features.ClassLabel(names=["a", "b"]),
            }
        )
        example = {"image": np.full((2, 2, 1), count, np.uint8), "label": 1}
        splits = {"train": [example] * count, "test": [example]}
        assert write_tfds_directory(folder, "dots", features, splits)["train"] == count
    assert len(load_dataset("./dots").x_train) == 2
    assert len(load_dataset(tmp_path / "dots" / "1.9.0").x_train) == 1
    assert load_dataset("./dots").name == "dots"


def test_a_path_object(tmp_path):
    np.savez(tmp_path / "set.npz", **ARRAYS)
    assert load_dataset(tmp_path / "set.npz").name == "set"


def test_a_dangling_link_does_not_exist(tmp_path):
    os.symlink(tmp_path / "gone", tmp_path / "link")
    with pytest.raises(InputError, match="does not exist"):
        load_dataset("link")


BAD = {
    "": "name of an image set or a path",
    "  ": "name of an image set or a path",
    "mnits": "'mnits', which is none of them; did you mean mnist",
    "mnist_sampel": "did you mean mnist_sample",
    "qqqqqqqq": "try mnist_sample, mnist or cifar10",
    "missing.npz": "missing.npz, which does not exist",
    "missing/folder": "missing/folder, which does not exist",
    "./mnist": "mnist, which does not exist",
    "/no/such/place": "does not exist",
    "a" * 5000: "none of them",
    "./" + "a" * 5000: "does not exist or cannot be reached",
    "file.txt": "Received: the file file.txt",
}


@pytest.mark.parametrize("name", BAD, ids=lambda name: name[:20] or "empty")
def test_bad_names_are_refused(tmp_path, name):
    (tmp_path / "file.txt").write_text("text")
    with pytest.raises(InputError, match=BAD[name]) as caught:
        load_dataset(name)
    assert "\n" not in str(caught.value)


def test_where_a_name_leads_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "things")
    class_folders(tmp_path / "mnist")
    (tmp_path / "set.npz").write_bytes(b"")
    for name, place in {
        "things": "things",
        "./things": "things",
        "set.npz": "set.npz",
        "./mnist": "mnist",
    }.items():
        assert absolute_source(name) == str(tmp_path / place)
    for name in ("mnist_sample", "mnist", "mnits", "nothing/here", "emnist/letters"):
        assert absolute_source(name) == name
