import json
import resource
import subprocess
import sys
from pathlib import Path

import classifiers
import numpy as np
import pytest
from commands import QUICK, few_inversion_steps, one_line, write_npz
from patterns import make_dataset

from keras_filtergan.cli import module_main, train_main, visualize_main
from keras_filtergan.errors import InputError
from keras_filtergan.runs import trained
from keras_filtergan.runs.presets import preset
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture
def npz(tmp_path, dataset):
    return write_npz(tmp_path, dataset)


@pytest.mark.parametrize("script", ["train.py", "visualize.py"])
def test_help_needs_no_tensorflow_and_no_time(script):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / script, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert "usage" in result.stdout
    imported = {line.rsplit("|")[-1].strip() for line in result.stderr.splitlines()}
    assert not imported & {"tensorflow", "keras", "numpy", "matplotlib"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)  # processor time: others may share cores
    subprocess.run([sys.executable, ROOT / script, "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "conv9"], "there are: 1 (conv1), 2 (conv2)"),
        (["--layer", "0"], "unknown layer 0"),
        (["--layer", "-1"], "unknown layer"),
        (["--dataset", "mnist_sampel"], "mnist_sample"),
        (["--steps", "0"], "--steps to be an integer of at least 1, received 0"),
        (["--steps", "many"], "invalid int value: 'many'"),
        (["--batch-size", "-3"], "--batch-size"),
        (["--batch-size", "1"], "--batch-size to be an integer of at least 2, received 1"),
        (["--batch-size", "100000"], "at most the 96 training images"),
        (["--latent-dim", "0"], "--latent-dim"),
        (["--seed", "-1"], "--seed"),
        (["--classifier", "none.keras"], "there is none"),
        (["--resume"], "no run to resume"),
        (["--preset", "paper"], "unknown preset 'paper', expected one of: paper-layer4"),
        (["--variation-goal", "0"], "--variation-goal to be a number between 0 and 1"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_bad_arguments(arguments, message, npz, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--dataset", npz, "--out", str(out), *arguments]
    try:
        code = train_main(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert message in one_line(capsys)
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((96, 12))}, "x_train"),
        ({"x_train": np.full((96, 12, 12, 1), np.nan)}, "x_train"),
        ({"y_train": np.full(96, -1)}, "y_train"),
        ({"x_test": np.zeros((40, 13, 12, 1), "uint8")}, "x_test"),
        (
            {
                name: np.zeros((n, 6, 6, 1), "uint8")
                for name, n in (("x_train", 96), ("x_test", 40))
            },
            "at least 12×12 pixels",
        ),
    ],
)
def test_bad_data(changes, message, tmp_path, dataset, capsys):
    out = tmp_path / "out"
    assert (
        train_main(["--dataset", write_npz(tmp_path, dataset, **changes), "--out", str(out)]) == 2
    )
    assert message in one_line(capsys)
    assert not out.exists()


def test_a_run_of_other_settings_is_never_overwritten(finished, capsys):
    words, out, _ = finished
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert train_main([*words, "--seed", "1"]) == 2
    assert "seed 0 → 1" in one_line(capsys)
    assert train_main(words) == 0  # complete: card again
    assert "is complete" in capsys.readouterr().out
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_a_dry_run_checks_and_writes_nothing(npz, tmp_path, capsys):
    assert train_main(["--dataset", npz, "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert '"latent_dim": 4' in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_options_change_what_the_preset_says(npz, tmp_path, capsys):
    words = ["--dataset", npz, "--out", str(tmp_path / "out"), "--dry-run"]

    def settings(*more):
        assert train_main([*words, *more]) == 0
        return json.loads(capsys.readouterr().out)["settings"]

    assert settings() == {**Settings().to_dict(), "dataset": npz}
    layer2 = settings("--preset", "paper-layer2", "--variation-goal", "0.1", "--seed", "5")
    assert layer2 == {
        **preset("paper-layer2").to_dict(),
        "dataset": npz,
        "variation_goal": 0.1,
        "seed": 5,
    }
    assert settings("--quick", "--layer", "conv3") == {
        **preset("quick").to_dict(),
        "dataset": npz,
        "layer": "conv3",
    }


def test_from_training_to_pictures(finished, tmp_path, capsys):
    _, out, screen = finished
    assert "swapped_accuracy" in screen
    names = {path.name for path in (out / "figures").iterdir()}
    assert {"filters.png", "mds.png", "training.png", "invariances_layer2_0.png"} <= names
    before = RunDirectory(out).read_evaluation()
    assert module_main(["evaluate", "--run", str(out), "--only", "filter_distance"]) == 0
    card = RunDirectory(out).read_evaluation()
    assert {name: card[name] for name in before if name != "taken_over"} == {
        name: value for name, value in before.items() if name != "taken_over"
    }
    assert set(card["baselines"]) == {*("random", "noisy", "pca", "pca_matched", "known_changes")}
    words = ["evaluate", "--run", str(out), "--only", "filter_diversity", "--alone"]
    assert module_main(words) == 0
    again = RunDirectory(out).read_evaluation()
    assert "filter_diversity" in again
    assert again["baselines"] == card["baselines"]
    capsys.readouterr()
    assert module_main(["layers", "--runs", str(out), "--out", str(tmp_path / "layers")]) == 0
    assert "share of stroke_width" in capsys.readouterr().out
    table = json.loads((tmp_path / "layers" / "layers.json").read_text())
    assert [row["layer"] for row in table["layers"]] == ["conv2"]
    assert module_main(["layers", "--runs", str(out), str(out), "--out", str(tmp_path)]) == 2
    assert "each layer and seed once" in one_line(capsys)
    assert module_main(["evaluate", "--run", str(out), "--only", "beauty"]) == 2
    assert "unknown metric 'beauty', there are: classifier_accuracy" in one_line(capsys)
    more = tmp_path / "more"
    words = ["--run", str(out), "--images", "5", "--grid", "3", "--dims", "1,0", "--out", str(more)]
    assert visualize_main(words) == 0
    assert (more / "invariances_layer2_5.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    words = ["--run", str(out), "--images", "0", "--grid", "3", "--dims", "principal"]
    assert visualize_main([*words, "--out", str(more)]) == 0
    assert (more / "transformations_layer2_0.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    for wrong, message in (
        (["--images", "999"], "expected test images 0 to 39, received 999"),
        (["--grid", "4"], "odd grid"),
        (["--span", "0"], "span > 0"),
        (["--dims", "0,7"], "dims from 0 to 1"),
        (["--jitter", "12"], "jitter below the sides"),
    ):
        assert visualize_main(["--run", str(out), "--out", str(tmp_path / "none"), *wrong]) == 2
        assert message in one_line(capsys)
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_layer_that_is_named_by_a_path(tmp_path, monkeypatch, capsys):
    """Its name goes into names of files and folders; the data set is named from here."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    classifiers.nested(1).save("nested.keras")
    write_npz(home, make_dataset(size=classifiers.SIZE))
    words = ["--classifier", "nested.keras", "--layer", "stage/deep/conv", *QUICK]
    with few_inversion_steps():
        assert train_main(["--dataset", "patterns.npz", *words]) == 0
    [out] = (home / "runs").iterdir()
    assert out.name == "patterns-layerstage-deep-conv-seed0"
    capsys.readouterr()
    assert train_main(["--dataset", "patterns.npz", *words]) == 0
    assert "is complete" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)  # the run finds its images from anywhere
    assert visualize_main(["--run", str(out), "--images", "0", "--grid", "3"]) == 0
    assert "figures/invariances_layerstage-deep-conv_0.png" in capsys.readouterr().out


def test_pictures_of_no_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert visualize_main([]) == 2
    assert "python -m keras_filtergan train --layer 4" in one_line(capsys)
    assert visualize_main(["--run", "missing"]) == 2
    assert "no run in 'missing'" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_where_pictures_cannot_go_is_said_before_they_are_made(
    finished, tmp_path, monkeypatch, capsys
):
    def too_late(*_):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(trained.TrainedRun, "load", too_late)
    (tmp_path / "file").write_text("")
    assert visualize_main(["--run", str(finished[1]), "--out", str(tmp_path / "file")]) == 2
    assert "cannot write to" in one_line(capsys)


def test_arguments_of_the_library_are_options_of_the_command(capsys, dataset, tmp_path):
    """The library says `latent_dim`, the command line --latent-dim."""
    with pytest.raises(InputError, match=r"expected `latent_dim` to be an integer of at least 1"):
        Settings(latent_dim=0)
    assert train_main(["--latent-dim", "0"]) == 2
    assert "error: expected --latent-dim to be an integer of at least 1" in capsys.readouterr().err
