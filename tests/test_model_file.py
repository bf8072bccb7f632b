"""Files that people give for a classifier, and what they are told."""

import importlib
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.cli import module_main
from keras_filtergan.errors import InputError


def network():
    image = keras.Input((6, 6, 1))
    x = keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(image))
    return keras.Model(image, keras.layers.Dense(2)(x), name="net")


def refusal(path):
    with pytest.raises(InputError) as caught:
        load_classifier(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(one, other):
    x = np.random.default_rng(0).uniform(size=(2, 6, 6, 1)).astype("float32")
    return np.array_equal(one(x), other(x))


def test_a_suffix_in_upper_case_and_a_home_folder(tmp_path, monkeypatch):
    model = network()
    model.save(tmp_path / "net.keras")
    (tmp_path / "net.keras").rename(tmp_path / "NET.KERAS")
    assert same(load_classifier(tmp_path / "NET.KERAS"), model)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert same(load_classifier(Path("~/NET.KERAS")), model)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["my net.h5", "my net.keras"])
def test_the_line_that_converts_a_model_in_hdf5_does(tmp_path, name):
    model, path = network(), tmp_path / name
    model.save(tmp_path / "whole.h5")
    (tmp_path / "whole.h5").rename(path)
    line = refusal(path)
    assert "is a whole model in HDF5" in line
    command = line.partition("if you trust it: ")[2].replace("python -c", f"{sys.executable} -c")
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert same(load_classifier(tmp_path / "my net.keras"), model)


def test_weights_without_a_network(tmp_path):
    model = network()
    model.save_weights(tmp_path / "net.weights.h5")
    line = refusal(tmp_path / "net.weights.h5")
    assert line.endswith("model.load_weights('net.weights.h5'); model.save('net.keras')")


def test_a_saved_model(tmp_path):
    network().export(tmp_path / "net", verbose=False)
    assert "is a SavedModel, which Keras 3 cannot load" in refusal(tmp_path / "net")
    assert "model.save('net.keras')" in refusal(tmp_path / "net")


def test_files_of_other_kinds(tmp_path):
    pointer = tmp_path / "big net.keras"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n")
    assert refusal(pointer).endswith("git lfs pull --include 'big net.keras'")
    assert "is a folder; give a file in it" in refusal(tmp_path)
    (tmp_path / "net.pt").write_text("something")
    assert "ends in .keras, received 'net.pt'; save the network" in refusal(tmp_path / "net.pt")
    assert "there is none at" in refusal(tmp_path / "gone.keras")
    (tmp_path / "cut.keras").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert "is damaged HDF5" in refusal(tmp_path / "cut.keras")


def test_a_lambda_is_named_and_never_run(tmp_path):
    image = keras.Input((6, 6, 1))
    inner = keras.Sequential([image, keras.layers.Lambda(lambda x: 2 * x, name="twice")])
    model = keras.Model(image, keras.layers.Flatten()(inner(image)))
    model.save(tmp_path / "lambda.keras")
    line = refusal(tmp_path / "lambda.keras")
    assert "holds code, which is never run: Lambda twice; put a layer in its place" in line
    assert "safe_mode" not in line


CODE = """
import keras

@keras.saving.register_keras_serializable("mine")
class Halved(keras.layers.Layer):
    def call(self, x):
        return x / 2
"""


def test_a_custom_layer_is_named_and_known_after_an_import(tmp_path, monkeypatch, capsys):
    (tmp_path / "my_layers.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    layers = importlib.import_module("my_layers")
    image = keras.Input((6, 6, 1))
    x = keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(layers.Halved()(image)))
    keras.Model(image, keras.layers.Dense(2)(x)).save(tmp_path / "net.keras")
    forget()
    assert "needs 'Halved', which Keras does not know here; import" in refusal(
        tmp_path / "net.keras"
    )
    x = np.random.default_rng(0).integers(0, 256, (8, 6, 6, 1)).astype("uint8")
    y = np.arange(8) % 2
    np.savez(tmp_path / "x.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
    words = ["reach", "--classifier", "net.keras", "--dataset", "x.npz", "--import"]
    assert module_main([*words, "my_layer"]) == 2
    error = capsys.readouterr().err
    assert "cannot import 'my_layer' (No module named 'my_layer'); give the name" in error
    assert module_main([*words, "my_layers", "--images", "4"]) == 0
    assert "the classifier is right on" in capsys.readouterr().out
    forget()


def forget():
    """As in a process that has not imported the module."""
    sys.modules.pop("my_layers")
    keras.saving.get_custom_objects().pop("mine>Halved")


def test_shell_and_python_read_what_is_printed(tmp_path):
    line = refusal_of_odd_name(tmp_path)
    words = shlex.split(line.partition("if you trust it: ")[2])
    assert words[:2] == ["python", "-c"]
    assert re.search(r"load_model\((.*), compile", words[2])[1] == repr(str(tmp_path / "it's.h5"))


def refusal_of_odd_name(tmp_path):
    network().save(tmp_path / "whole.h5")
    (tmp_path / "whole.h5").rename(tmp_path / "it's.h5")
    return refusal(tmp_path / "it's.h5")


def test_a_damaged_archive_is_still_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "odd.keras", "w") as archive:
        archive.writestr("config.json", "[]")
    assert "is no Keras model that can be loaded" in refusal(tmp_path / "odd.keras")
