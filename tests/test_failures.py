"""Commands that fail inside TensorFlow: one line says why and when, and the run can go on."""

import keras
import pytest
from commands import one_line, write_npz
from keras import layers
from moody import BATCH, Moody, fail_in_step

from keras_filtergan.cli import train_main, visualize_main
from keras_filtergan.runs import fitting, gallery
from keras_filtergan.runs.run_directory import RunDirectory

STEPS = 6


@pytest.fixture
def words(tmp_path, dataset):
    """A function: the command that trains on a classifier with this trouble behind its layer."""

    def make(trouble):
        image = keras.Input((12, 12, 1))
        x = layers.Conv2D(3, 3, name="chosen")(image)
        x = layers.Flatten()(Moody(trouble, name="printer")(x))
        keras.Model(image, layers.Dense(3)(x)).save(tmp_path / "mine.keras")
        data, out = write_npz(tmp_path, dataset), tmp_path / "out"
        return [
            *("--dataset", data, "--classifier", str(tmp_path / "mine.keras"), "--layer", "1"),
            *("--steps", str(STEPS), "--batch-size", str(BATCH), "--latent-dim", "2"),
            *("--out", str(out)),
        ]

    yield make
    fail_in_step(0, 2)


def failure(words, capsys):
    assert train_main(words) == 1
    captured = capsys.readouterr().err.splitlines()
    assert len(captured) == 1, captured
    assert "Graph execution error" not in captured[0]
    return captured[0]


def test_training_that_fails_says_why_and_when_and_goes_on(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fitting, "CHECKPOINT_INTERVAL", 2)
    command, run = words("assertion"), RunDirectory(tmp_path / "out")
    fail_in_step(4, calls_a_step=2)
    line = failure(command, capsys)
    assert "InvalidArgumentError: assertion failed: [no more paper]" in line
    assert "printer" in line
    assert "; in step 4 of 6; " in line
    assert f"the run in '{run.path}' is unfinished: when the cause is gone, go on with --" in line
    assert not run.is_complete
    fail_in_step(0, calls_a_step=2)
    assert train_main(command) == 2
    assert "holds an unfinished run; add --resume" in one_line(capsys)
    assert visualize_main(["--run", str(run.path)]) == 2
    assert "is not finished; continue it with --resume" in one_line(capsys)
    fail_in_step(1, calls_a_step=2)  # the cause is still there
    assert "; in step 3 of 6; " in failure([*command, "--resume"], capsys)  # from the state after 2
    fail_in_step(0, calls_a_step=2)
    monkeypatch.setattr(gallery, "draw_gallery", lambda *_, **__: [])  # a minute of pictures
    assert train_main([*command, "--resume"]) == 0
    assert run.is_complete
    assert [record["step"] for record in run.read_history()] == [STEPS]


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        ("shape", "error: InvalidArgumentError: Incompatible shapes: [8,10,10,3] vs. [7,1,1,1]"),
        pytest.param(  # TensorFlow tries for ten seconds, twice
            *("memory", "error: out of memory: ResourceExhaustedError: OOM when allocating tensor"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_cause_is_that_of_the_operation(words, trouble, cause, capsys):
    command = words(trouble)
    fail_in_step(2, calls_a_step=2)
    line = failure(command, capsys)
    assert cause in line
    assert "printer" in line
    assert "; in step 2 of 6; " in line
    assert ("smaller --batch-size (with another --out) needs less" in line) == (trouble == "memory")


def test_what_fails_before_anything_is_written_leaves_nothing(words, tmp_path, capsys):
    command = words("assertion")
    Moody.fails_at.assign(0)
    assert train_main(command) == 2
    line = one_line(capsys)
    assert "TensorFlow cannot run layer 'printer' (Moody) on this machine: no more paper" in line
    assert not (tmp_path / "out").exists()
