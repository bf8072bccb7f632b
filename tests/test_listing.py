"""`list` and `compare`, and the door through which a command was called."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from patterns import make_dataset

from keras_filtergan.cli import module_main
from keras_filtergan.doors import command
from keras_filtergan.evaluation import metric_names
from keras_filtergan.runs.presets import PRESETS


@pytest.fixture
def runs(finished, tmp_path):
    """A run, and the same as if it were of another layer and by another method, in one folder."""
    _, out, _ = finished
    for name in ("one", "two"):
        shutil.copytree(out, tmp_path / "runs" / name)
    config = tmp_path / "runs" / "two" / "config.json"
    held = json.loads(config.read_text())
    held["settings"] |= {"layer": 3, "method": "infogan"}
    config.write_text(json.dumps(held))
    card = tmp_path / "runs" / "two" / "evaluation.json"
    held = json.loads(card.read_text())
    del held["code_r2"], held["taken_over"]["code_r2"]
    held["natural_critic"], held["taken_over"]["natural_critic"] = 0.25, {"images": 7}
    held["natural_share"] = 0.25
    card.write_text(json.dumps(held))
    return tmp_path / "runs"


def cells(text, name):
    [line] = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return line.split()[1:]


def test_runs_as_a_table(runs, capsys):
    assert module_main(["list", "--runs", str(runs)]) == 0
    table = capsys.readouterr().out
    assert cells(table, str(runs / "one"))[:2] == ["2", "natural"]
    found = cells(table, str(runs / "two"))
    assert found[:2] == ["3", "infogan"]
    assert found[5:7] == ["–", "0.2500"]


def test_cards_side_by_side_with_a_note(runs, capsys):
    """A dash where one run has no such number; counts are those of whichever has it."""
    assert module_main(["compare", str(runs / "one"), str(runs / "two")]) == 0
    text = capsys.readouterr().out
    card = json.loads((runs / "one" / "evaluation.json").read_text())
    assert cells(text, "activation_variation")[:2] == [f"{card['activation_variation']:.4f}"] * 2
    assert cells(text, "code_r2")[:2] == [f"{card['code_r2']:.4f}", "–"]
    assert cells(text, "natural_critic") == ["–", "0.2500", "7", "images"]
    assert "note: these runs are of different layers: 2, 3" in text
    assert "data sets" not in text


def test_nothing_to_compare(runs, capsys, monkeypatch):
    monkeypatch.chdir(runs.parent)
    assert module_main(["compare"]) == 2
    assert "received none; there are: runs/one, runs/two" in capsys.readouterr().err
    assert module_main(["compare", str(runs / "tow")]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert module_main(["list", "--runs", str(runs / "one")]) == 2
    assert "no finished run under" in capsys.readouterr().err


def test_all_presets_metrics_and_prepared_data_sets_are_listed(capsys, tmp_path):
    for what, names in (("presets", PRESETS), ("metrics", metric_names())):
        assert module_main(["list", what]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[1:]] == list(names)
    (tmp_path / "digits" / "odd" / "1.0.0").mkdir(parents=True)
    (tmp_path / "digits" / "odd" / "1.0.0" / "dataset_info.json").write_text("{}")
    assert module_main(["list", "data", "--data-dir", str(tmp_path)]) == 0
    found = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert found[1:3] == ["mnist_sample", "digits/odd"]


@pytest.mark.parametrize(
    ("door", "name", "expected"),
    [
        ("train.py", "visualize", "python visualize.py"),
        ("visualize.py", "evaluate", "python -m keras_filtergan evaluate"),
        ("/venv/bin/keras-filtergan", "train", "keras-filtergan train"),
        ("/x/keras_filtergan/__main__.py", "train", "python -m keras_filtergan train"),
    ],
)
def test_messages_name_the_command_that_the_user_has(monkeypatch, door, name, expected):
    monkeypatch.setattr(sys, "argv", [door, "--x"])
    assert command(name) == expected


def test_what_is_printed_can_be_pasted(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/x/__main__.py"])
    words = ["--run", Path("my runs/it's"), "--dims", "0,1"]
    assert shlex.split(command("visualize", *words)) == [
        *("python", "-m", "keras_filtergan", "visualize", "--run", "my runs/it's"),
        *("--dims", "0,1"),
    ]


def test_train_and_visualize_are_commands_too(tmp_path, capsys):
    data = make_dataset()
    arrays = {name: getattr(data, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "patterns.npz", **arrays)
    out = tmp_path / "run"
    words = ["--dataset", str(tmp_path / "patterns.npz"), "--out", str(out), "--dry-run"]
    assert module_main(["train", *words, "--steps", "7"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["steps"] == 7
    assert not out.exists()
    assert module_main(["visualize", "--run", str(out)]) == 2
    assert "no run in" in capsys.readouterr().err
