"""What the README speaks of can be done from `import keras_filtergan as kfg` alone."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_filtergan as kfg
from keras_filtergan.errors import InputError

PACKAGES = ("keras_filtergan", "keras_filtergan.instruments")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_is_offered_is_there(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'nonsense'"):
        module.nonsense  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES)
def test_editors_are_told_of_the_same_names(package):
    tree = ast.parse(Path(importlib.import_module(package).__file__).read_text())
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    told = {alias.name for node in ast.walk(guarded[0]) for alias in getattr(node, "names", [])}
    assert told == set(importlib.import_module(package).__all__)


def test_the_import_costs_nothing():
    code = "import keras_filtergan, sys; print({'tensorflow', 'numpy', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_from_settings_to_pictures(tmp_path, dataset):
    """Train, load by a path, evaluate, draw, put under an instrument."""
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "patterns.npz", **arrays)
    settings = kfg.Settings(
        dataset=str(tmp_path / "patterns.npz"),
        classifier_epochs=1,
        steps=3,
        batch_size=8,
        latent_dim=2,
    )
    assert kfg.plan(settings).dataset.image_shape == dataset.image_shape
    folder = str(tmp_path / "run")
    trained, card = kfg.train(settings, folder, verbose=0, say=lambda line: None)
    loaded = kfg.TrainedRun.load(folder)
    latents = np.ones([2, 2], "float32")
    np.testing.assert_array_equal(loaded.generator(latents), trained.generator(latents))
    assert repr(loaded) == f"TrainedRun(conv4 of patterns, d = 2, natural, {folder})"
    assert str(trained) == repr(trained) == repr(loaded)
    again = kfg.evaluate(loaded.subject(), ["swapped_accuracy"])
    assert again["swapped_accuracy"] == card["swapped_accuracy"]
    view = kfg.View(images=(0,), grid=3)
    drawn = kfg.draw_gallery(loaded, view, tmp_path / "pictures", say=lambda line: None)
    assert sorted(drawn) == sorted((tmp_path / "pictures").iterdir())
    assert kfg.instruments.Specimen.of_run(folder).title == "run, conv4"


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no run in .*nothing"):
        kfg.TrainedRun.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="expected the path of a run directory, received 7"):
        kfg.TrainedRun.load(7)


def test_a_run_that_is_not_kept_has_no_pictures(trained):
    with pytest.raises(InputError, match="expected a run that is kept in a directory"):
        kfg.draw_gallery(trained)
