"""The commands of the instruments, on a run that exists and on a classifier alone."""

import contextlib
import json
from io import StringIO

import numpy as np
import pytest
from commands import one_line, write_npz

from keras_filtergan.cli import module_main
from keras_filtergan.cli.instruments import options as instrument

X = ("x_train", "x_test")
FAST = {
    "adversarial": ["--images", "3", "--sets", "2", "--steps", "2"],
    "latents": ["--images", "4", "--points", "2", "--frames", "1"],
    "maximize": ["--kernels", "1", "--steps", "2"],
    "spectra": ["--images", "6", "--draws", "1"],
    "stability": ["--images", "6", "--levels", "2", "--draws", "1"],
    "uncertainty": ["--images", "6", "--networks", "2"],
}
NAMES = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "adversarial" else []) for name in FAST
]


@pytest.fixture
def data(finished):
    words, _, _ = finished
    return words[words.index("--dataset") + 1]


class Listener:
    """Takes the steps of a command in the place of its bar."""

    def __init__(self):
        self.told = []

    def __call__(self, *step):
        self.told.append(step)

    def close(self):
        self.told.append("closed")


@pytest.fixture(scope="module", params=NAMES)
def asked(request, finished, tmp_path_factory):
    """An instrument that looked at a run: its name, folder, output, and the steps that it told."""
    name, out, listener, output = (
        request.param,
        tmp_path_factory.mktemp("out"),
        Listener(),
        StringIO(),
    )
    words = [name, "--run", str(finished[1]), "--out", str(out / "found"), *FAST[name]]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setattr(instrument, "StepProgress", lambda: listener)
        assert module_main(words) == 0
    return name, out / "found", output.getvalue(), listener.told


def test_numbers_and_a_picture_of_a_run(asked):
    name, out, output, _ = asked
    names = {path.name for path in out.iterdir()}
    assert {f"{name}.json", f"{name}.png"} <= names
    assert not any(name.startswith(".") for name in names)
    numbers = json.loads((out / f"{name}.json").read_text())
    assert numbers.get("settings", numbers)["seed"] == 0
    assert str(out / f"{name}.png") in output


def test_every_step_is_told_once_and_in_order(asked):
    *steps, last = asked[3]
    assert last == "closed"
    names, done, totals = zip(*steps, strict=True)
    assert all(names)
    assert done == tuple(range(len(steps)))
    assert set(totals) == {len(steps)}


def test_a_classifier_alone(finished, data, tmp_path):
    words = ["--classifier", str(finished[1] / "classifier.keras"), "--dataset", data]
    out = ["--out", str(tmp_path)]
    assert module_main(["stability", *words, *out, *FAST["stability"]]) == 0
    numbers = json.loads((tmp_path / "stability.json").read_text())
    assert set(numbers["relative_stability"]) == {"initial", "trained"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--classifier", "RUN/classifier.keras"], "expected --dataset beside --classifier"),
        (["--classifier", "none.keras", "--dataset", "DATA"], "there is none at 'none.keras'"),
        (["--classifier", "RUN/classifier.keras", "--dataset", "DATA"], "a classifier alone"),
        (["--run", "RUN", "--layer", "2"], "--layer goes with --classifier"),
        (["--run", "RUN", "--dataset", "OTHER"], "expected images (12, 12, 1), 'patterns' has"),
        (["--run", "RUN", "--dataset", "mnist_sample"], "name the --dataset that the network was"),
        (["--run", "RUN", "--dataset", "MORE"], "expected images of 3 classes, 'more' has 4"),
        (["--run", "RUN", "--images", "0"], "whole number of at least 1, received '0'"),
        (["--run", "RUN", "--networks", "0"], "at least 1 as networks, received 0"),
        (["--run", "RUN", "--strange", "nowhere"], "which is none of them"),
        (["--run", "RUN", "--out", "/proc/nowhere"], "choose another folder"),
        (["--run", "nowhere"], "no run in 'nowhere'"),
    ],
)
def test_bad_input_is_one_line(words, message, finished, data, dataset, tmp_path, capsys):
    images = {name: np.kron(getattr(dataset, name), np.ones([1, 2, 2, 1], "uint8")) for name in X}
    larger = write_npz(tmp_path, dataset, **images)
    more = write_npz(tmp_path, dataset, "more", class_names=list("abcd"))
    places = {"RUN": str(finished[1]), "DATA": data, "OTHER": larger, "MORE": more}
    for short, place in places.items():
        words = [word.replace(short, place) for word in words]
    try:
        code = module_main(["uncertainty", "--out", str(tmp_path / "out"), *words])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert message in one_line(capsys)
    assert not (tmp_path / "out").exists()
