"""Code blocks of README and docs are run: Python always, cheap commands in the slow part.

To the letter, on a few digits and with one step where they say thousands; the text is changed only
where a number would take minutes.
"""

import functools
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pages
import pytest
from commands import few_inversion_steps, write_npz
from pages import PAGES, ROOT

import keras_filtergan as kfg
from keras_filtergan.cli import module_main, visualize_main
from keras_filtergan.data import load_dataset
from keras_filtergan.runs import trained, training

RUN = "runs/mnist_sample-layer4-seed0"
DIGITS = 2000  # of the runs that commands look at
FEWER = {  # what is written, and what is run
    "README.md": [("Settings(layer=4)", "Settings(layer=4, steps=1)")],
    "docs/library.md": [
        ("grid=7", "grid=3"),
        ("gan.generator).walk", "gan.generator, steps=1).walk"),
        ("Settings(layer=4)", "Settings(layer=4, steps=1)"),
        (', ["natural_share", "explained_fraction"]', ', ["natural_share"]'),
        ("images=(7, 8))", "images=(7,))"),
        (RUN, "runs/mine"),
    ],
    "docs/instruments.md": [],
    "docs/use_your_own_network.md": [],
}


@pytest.fixture
def _here(tmp_path, monkeypatch):
    shorten(tmp_path, monkeypatch)
    with few_inversion_steps():
        yield


def shorten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In that folder, on few digits, and every `fit` ends after one step."""
    place(folder, monkeypatch, 200)
    fit = keras.Model.fit

    def one_step(self, *args, **options):
        return fit(self, *args, **{**options, "steps_per_epoch": 1, "epochs": 1, "verbose": 0})

    monkeypatch.setattr(keras.Model, "fit", one_step)


def place(folder: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """In that folder, on so many digits for training and 100 held out."""

    def few(name, data_dir=None, image_size=None):
        whole = load_dataset(name, data_dir, image_size)
        parts = {key: getattr(whole, key)[:count] for key in ("x_train", "y_train")}
        parts |= {key: getattr(whole, key)[:100] for key in ("x_test", "y_test")}
        return kfg.data.ImageDataset(whole.name, **parts, class_names=whole.class_names)

    monkeypatch.chdir(folder)
    for module in (kfg.data, training, trained):
        monkeypatch.setattr(module, "load_dataset", few)


def run_page(name: str, names: dict) -> dict:
    """Run the Python of a page, block after block in one session."""
    for block in pages.blocks(ROOT / name, "python"):
        text = block.text
        for written, changed in FEWER[name]:
            text = text.replace(written, changed)
        exec(compile(text, name, "exec"), names)
    return names


def test_no_page_with_python_is_left_out():
    found = {pages.name(page) for page in PAGES if pages.blocks(page, "python")}
    assert found == set(FEWER)
    for name, changes in FEWER.items():
        text = (ROOT / name).read_text()
        assert all(written in text for written, _ in changes)
        assert all(block.is_run for block in pages.blocks(ROOT / name, "python"))


@pytest.mark.usefixtures("_here")
def test_the_python_of_the_readme(capsys):
    [block] = pages.blocks(ROOT / "README.md", "python")
    assert block.text.count("\n") <= 6
    names = run_page("README.md", {})
    assert len(names["pictures"]) == 9  # three of the run, two grids an image and its walk
    shown = capsys.readouterr().out.splitlines()[-1]
    card = names["card"]
    assert shown == f"{card['classifier_accuracy']} {card['swapped_accuracy']['mean']}"


@pytest.mark.slow
@pytest.mark.usefixtures("_here")
def test_the_python_of_the_library():
    """What its comments say of shapes is so, and the parts fit each other."""
    names = run_page("docs/library.md", {})
    assert names["kernels"].shape == (10, 3, 3, 32, 32)
    assert names["logits"].shape == (10, 10)
    assert names["walk"].images.shape == (4, 3, 3, 28, 28, 1)
    assert 0 < names["card"]["natural_share"] < 1
    images = names["data"].x_test[:3] / np.float32(255)
    assert names["network"](images).shape == (3, 10)
    assert names["head"](images).shape == (3, 5)


@pytest.mark.slow
@pytest.mark.usefixtures("_here")
def test_the_python_of_your_own_network(dataset, tmp_path):
    """On a run of somebody's network with a layer of the name that the page has."""
    inputs = keras.Input((12, 12, 1))
    features = keras.layers.Conv2D(6, 3, padding="same", name="block3_conv1")(inputs)
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(features)))
    network.save("my_network.keras")
    theirs = {"classifier": "my_network.keras", "dataset": write_npz(tmp_path, dataset)}
    settings = kfg.Settings(layer="block3_conv1", steps=1, batch_size=8, **theirs)
    kfg.train(settings, "runs/my_run", verbose=0, metrics=["classifier_accuracy"])
    images = np.random.default_rng(0).uniform(size=(20, 12, 12, 1)).astype("float32")
    labels = np.arange(20) % 5
    names = run_page("docs/use_your_own_network.md", {"images": images, "labels": labels})
    assert names["network"](images).shape == (20, 3)
    assert names["head"](images).shape == (20, 5)


def test_the_python_of_the_instruments():
    wanted = run_page("docs/instruments.md", {})["wanted"]
    assert str(wanted) == '0.2 * channel("conv4", 3) - class_logit(7)'


SHORTER = {  # options that are put behind those that are written
    "adversarial": ["--images", "3", "--sets", "2", "--steps", "2"],
    "augment": ["--images", "9", "--by", "transformation"],
    "evaluate": ["--only", "swapped_accuracy", "natural_share"],
    "latents": ["--images", "4", "--points", "2", "--frames", "1"],
    "layers": [],
    "maximize": ["--kernels", "1", "--steps", "2"],
    "reach": ["--images", "50"],
    "spectra": ["--images", "6", "--draws", "1"],
    "stability": ["--images", "6", "--levels", "2", "--draws", "1"],
    "visualize.py": [],
}
GUIDES = ("README.md", "docs/quick_start.md", "docs/instruments.md", "docs/real_networks.md")


def cheap_commands() -> list:
    """Those of the guides that look at a run or a network and need no other data."""
    found = {}
    for page in (ROOT / name for name in GUIDES):
        for block in pages.blocks(page, "sh"):
            for words in pages.commands(block.text) if block.is_run else []:
                words = words[next((i + 1 for i, w in enumerate(words) if w == "-m"), 0) :]
                words = words[words[0].endswith(("python", "keras_filtergan", "keras-filtergan")) :]
                if words and words[0] in SHORTER and not {"cifar10"} & set(words):
                    found[tuple(words)] = pages.name(page)
    return [
        pytest.param(words, id=f"{name}: {' '.join(words)[:70]}") for words, name in found.items()
    ]


CHEAP = cheap_commands()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with runs of one step by the names that the guides give to runs."""
    folder = tmp_path_factory.mktemp("workplace")
    with pytest.MonkeyPatch.context() as patch:
        place(folder, patch, DIGITS)
        for layer, out in ((2, "runs/mnist-layer2-seed0"), (4, RUN)):
            settings = kfg.Settings(layer=layer, steps=1, classifier_epochs=3)
            made, card = kfg.train(settings, out, verbose=0, metrics=["classifier_accuracy"])
        assert card["classifier_accuracy"] > 0.5
        made.target.classifier.save("mobilenet.keras")
        for copy in ("runs/mnist-layer4-seed0", "runs/dcgan"):
            shutil.copytree(RUN, copy)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("words", CHEAP)
def test_a_cheap_command_runs(words, workplace, monkeypatch, capsys):
    place(workplace, monkeypatch, DIGITS)
    monkeypatch.setattr("keras_filtergan.report.source.STEPS", 1)
    first, *others = [*words, *SHORTER[words[0]]]
    main = functools.partial(visualize_main, others) if first == "visualize.py" else None
    before = {path: path.stat().st_mtime_ns for path in workplace.rglob("*") if path.is_file()}
    with few_inversion_steps():
        code = main() if main else module_main([first, *others])
    assert code == 0
    after = {path: path.stat().st_mtime_ns for path in workplace.rglob("*") if path.is_file()}
    made = [path for path in after if after[path] != before.get(path)]
    assert made or list(words) == ["layers", "--classifier", "mobilenet.keras"]
    assert capsys.readouterr().out
    for path in made:
        if path.suffix == ".json":
            json.loads(path.read_text())


def test_there_are_cheap_commands():
    assert {one.values[0][0] for one in CHEAP} == set(SHORTER)
