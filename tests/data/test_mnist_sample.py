"""The bundled set, and the tool that makes it."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_filtergan.data import load_dataset, sources
from keras_filtergan.errors import InputError

TOOL = Path(__file__).parents[2] / "tools" / "make_mnist_sample.py"


@pytest.fixture(scope="module")
def sample():
    return load_dataset("mnist_sample")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("make_mnist_sample", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mnist(full_set):
    return full_set("mnist")


def test_it_is_stratified_and_says_what_it_is(sample):
    assert (sample.name, sample.image_shape) == ("mnist_sample", (28, 28, 1))
    assert sample.class_names == tuple("0123456789")
    assert np.bincount(sample.y_train).tolist() == [1000] * 10
    assert np.bincount(sample.y_test).tolist() == [200] * 10
    assert "sample of MNIST" in sample.note
    assert "`dataset` mnist" in sample.note


def test_its_contents_never_change(sample):
    assert sample.fingerprint == "699b28f384c2551e"


def test_digits_are_mixed_and_different(sample):
    first = np.bincount(sample.y_train[:1000], minlength=10)
    assert first.min() > 60  # 100 expected
    assert first.max() < 140
    images = np.concatenate([sample.x_train, sample.x_test]).reshape(12000, -1)
    assert len({image.tobytes() for image in images}) == 12000  # none twice, none in both


def test_labels_belong_to_the_images(sample):
    """Nearest class mean tells digits well above chance only if labels match images."""
    train, test = (x.reshape(len(x), -1) / 255 for x in (sample.x_train, sample.x_test))
    means = np.stack([train[sample.y_train == digit].mean(0) for digit in range(10)])
    nearest = ((test[:, None] - means) ** 2).sum(-1).argmin(-1)
    assert np.mean(nearest == sample.y_test) > 0.78


def test_the_files_are_small_and_tell_nothing_of_the_machine():
    files = sorted(sources.BUNDLED_FOLDER.iterdir())
    assert sum("tfrecord" in file.name for file in files) == 2
    for file in files:
        assert file.stat().st_size < 5_000_000
        if "tfrecord" not in file.name:
            text = file.read_text()
            assert not any(word in text for word in ("/tmp", "/home", "/work", "/root", "file:"))
    info = json.loads((sources.BUNDLED_FOLDER / "dataset_info.json").read_text())
    assert info["supervisedKeys"]["tuple"]["items"] == [
        {"featureKey": "image"},
        {"featureKey": "label"},
    ]


def test_a_missing_bundle_is_explained(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "BUNDLED_FOLDER", tmp_path / "gone")
    with pytest.raises(InputError, match="install the package again"):
        load_dataset("mnist_sample")


def test_the_selection_follows_its_rule(tool):
    images = np.random.default_rng(3).integers(0, 256, (50, 2, 2, 1), dtype=np.uint8)
    labels = np.arange(50) % 3
    chosen = tool.select(images, labels, 4).tolist()
    hashes = [hashlib.sha256(bytes(image.ravel().tolist())).hexdigest() for image in images]
    expected = []
    for label in range(3):
        expected += sorted((hashes[i], i) for i in range(50) if labels[i] == label)[:4]
    assert chosen == [i for _, i in sorted(expected)]
    turned = tool.select(images[::-1], labels[::-1], 4)
    assert (49 - turned).tolist() == chosen  # the order of storage does not matter
    with pytest.raises(ValueError, match="class 0 has 17 images, 18 are needed"):
        tool.select(images, labels, 18)


def test_each_image_is_one_of_the_full_set(sample, mnist):
    for split in ("train", "test"):
        full = {
            (image.tobytes(), int(label))
            for image, label in zip(
                getattr(mnist, f"x_{split}"), getattr(mnist, f"y_{split}"), strict=True
            )
        }
        images, labels = getattr(sample, f"x_{split}"), getattr(sample, f"y_{split}")
        assert all(
            (image.tobytes(), int(label)) in full
            for image, label in zip(images, labels, strict=True)
        )


def test_the_tool_makes_it_again_bit_by_bit(tool, mnist, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["make_mnist_sample.py", "--out", str(tmp_path)])
    monkeypatch.setattr("keras_filtergan.data.load_dataset", lambda *_: mnist)  # read once
    tool.main()
    made = {f.name: f.read_bytes() for f in (tmp_path / "mnist_sample" / "1.0.0").iterdir()}
    bundled = {f.name: f.read_bytes() for f in sources.BUNDLED_FOLDER.iterdir()}
    assert made.keys() == bundled.keys()
    assert [name for name in made if made[name] != bundled[name]] == []
