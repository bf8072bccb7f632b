import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from patterns import make_dataset

from keras_filtergan.classifiers.classifier import (
    build_classifier,
    load_classifier,
    train_classifier,
)
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import DivergenceError, InputError
from keras_filtergan.runs import fitting, training
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.classifier_cache import cached_classifier
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun, load_generator

QUIET = {"verbose": 0, "say": lambda line: None}


@pytest.fixture(scope="module")
def npz(tmp_path_factory, dataset):
    path = tmp_path_factory.mktemp("data") / "patterns.npz"
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def settings(npz):
    return Settings(
        dataset=str(npz), classifier_epochs=1, steps=7, batch_size=16, latent_dim=3, seed=3
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory, settings):
    """A run from start to end, in one go."""
    run = RunDirectory(tmp_path_factory.mktemp("runs") / "whole")
    trained, card = training.train(training.plan(settings), run, **QUIET)
    return run, trained, card


def weights(run):
    return [np.array(w) for w in load_generator(run.generator).weights]


def test_segments_keep_to_the_logging_grid():
    assert fitting.segments(130, 450) == [(130, 70, 1), (200, 100, 2), (400, 50, 1)]
    assert fitting.segments(0, 300) == [(0, 100, 3)]
    assert fitting.segments(0, 30) == [(0, 30, 1)]
    assert fitting.segments(220, 250) == [(220, 30, 1)]
    assert fitting.segments(200, 200) == []


@pytest.mark.parametrize(("first", "last"), [(0, 7), (1, 399), (99, 101), (100, 200), (150, 420)])
def test_segments_cover_every_step_once(first, last):
    covered = [
        start + i
        for start, steps, epochs in fitting.segments(first, last)
        for i in range(steps * epochs)
    ]
    assert covered == list(range(first, last))


def test_a_run_leaves_what_the_design_says(whole, settings):
    run, trained, card = whole
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        *("config.json", "classifier.keras", "generator.keras", "discriminator.keras"),
        *("transformation.keras", "reader.keras"),
        *("checkpoints", "history.jsonl", "evaluation.json"),
    }
    config = run.read_config()
    assert config["settings"]["steps"] == 7
    assert config["target_fingerprint"] == trained.target.fingerprint()
    assert config["code_noise"] == trained.code_noise > 0
    assert run.read_evaluation() == card
    assert [record["step"] for record in run.read_history()] == [7]
    assert card["swapped_accuracy"]["count"] >= 10


def test_a_loaded_run_is_the_trained_one(whole):
    run, trained, card = whole
    loaded = TrainedRun.load(run)
    latents = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_array_equal(loaded.generator(latents), trained.generator(latents))
    assert loaded.code_noise == trained.code_noise
    assert loaded.subject().accuracy(loaded.target.kernel) == card["classifier_accuracy"]


def test_a_run_is_saved_as_it_was_rotated_and_only_once(whole, settings, tmp_path):
    """Also where the process dies before its players are saved, and goes on from the last state."""
    run = RunDirectory(shutil.copytree(whole[0].path, tmp_path / "copied"))
    kept = TrainedRun.load(run)
    assert kept.kinds == whole[1].kinds
    bend = kept.transformation.bend.numpy()
    kept.rotate_to_kinds()  # it is already
    np.testing.assert_allclose(kept.transformation.bend, bend, atol=1e-3 * np.abs(bend).max())
    (run.path / "evaluation.json").unlink()
    run.generator.unlink()
    trained, _ = training.train(settings, run, **QUIET)
    latents = np.eye(3, dtype="float32")
    np.testing.assert_array_equal(trained.generator(latents), whole[1].generator(latents))
    np.testing.assert_array_equal(trained.transformation.bend, bend)
    assert trained.kinds == TrainedRun.load(run).kinds == whole[1].kinds


def test_the_same_settings_give_the_same_run(whole, settings, tmp_path):
    run = RunDirectory(tmp_path / "again")
    _, card = training.train(training.plan(settings), run, **QUIET)
    assert card == whole[2]
    for one, other in zip(weights(whole[0]), weights(run), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_classifier_is_reused_by_the_next_run(whole, settings):
    lines = []
    other = Settings(**{**settings.to_dict(), "layer": 2, "steps": 1})
    run = RunDirectory(whole[0].path.parent / "layer2")
    training.train(training.plan(other), run, verbose=0, say=lines.append)
    assert any("reusing the classifier" in line for line in lines)
    paths = run.classifier, whole[0].classifier
    assert len({FrozenTarget(load_classifier(path), 4).fingerprint() for path in paths}) == 1


def start(settings, out, *more):
    """A fresh process that trains as `train.py` does, for 160 steps."""
    words = [
        *(sys.executable, "-c"),
        "from keras_filtergan import cli; import sys; sys.exit(cli.train_main(sys.argv[1:]))",
        *("--dataset", settings.dataset, "--steps", "160", "--batch-size", "16"),
        *("--latent-dim", "3", "--seed", "3", "--out", str(out), *more),
    ]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_step(run, process, step):
    """Until training is under way: the first logging interval is on disk."""
    deadline = time.monotonic() + 120
    while not any(record["step"] >= step for record in run.read_history()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(scope="module")
def straight(tmp_path_factory, settings):
    """A run that nothing interrupted, in a process of its own."""
    run = RunDirectory(tmp_path_factory.mktemp("straight") / "run")
    process = start(settings, run.path)
    output = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return run


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_process_resumes_to_the_same_bits(straight, tmp_path, settings, how):
    """SIGINT and SIGTERM save at once; after SIGKILL training goes on from the last checkpoint."""
    run = RunDirectory(tmp_path / "broken")
    process = start(settings, run.path)
    wait_for_step(run, process, 100)
    process.send_signal(how)
    _, errors = process.communicate(timeout=120)
    if how != signal.SIGKILL:
        assert process.returncode == 128 + how
        assert "to go on, add --resume" in errors
        assert not run.is_complete
    resumed = start(settings, run.path, "--resume")
    output = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, output
    for one, other in zip(weights(straight), weights(run), strict=True):
        np.testing.assert_array_equal(one, other)
    assert run.read_evaluation() == straight.read_evaluation()
    assert [r["step"] for r in run.read_history()] == [100, 160]
    histories = [(one.path / "history.jsonl").read_bytes() for one in (run, straight)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("step", "logged", "signum"),
    [pytest.param(3, [], signal.SIGTERM, marks=pytest.mark.slow), (7, [7], signal.SIGINT)],
)
def test_a_signal_saves_and_resume_goes_on_bit_for_bit(
    whole, settings, tmp_path, step, logged, signum
):
    """The signal arrives in the middle of a logging interval, or in its last step."""

    class Signal(fitting.DivergenceGuard):
        def on_step(self, logs):
            if self.step == step:
                os.kill(os.getpid(), signum)

    run = RunDirectory(tmp_path / "run")
    plan = training.plan(settings)
    guard, fitting.DivergenceGuard = fitting.DivergenceGuard, Signal
    try:
        with pytest.raises(fitting.Interrupted, match=f"after step {step} of 7") as caught:
            training.train(plan, run, **QUIET)
        assert caught.value.signum == signum
    finally:
        fitting.DivergenceGuard = guard
    assert Checkpoints(run.checkpoints, plan.identity).steps == [0, step]
    assert [record["step"] for record in run.read_history()] == logged
    _, card = training.train(plan, run, **QUIET)
    assert card == whole[2]
    histories = [(one.path / "history.jsonl").read_bytes() for one in (run, whole[0])]
    assert histories[0] == histories[1]  # the means of the whole interval, not of its second part
    for one, other in zip(weights(whole[0]), weights(run), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_kill_between_state_and_history_loses_no_line(whole, settings, tmp_path):
    run = RunDirectory(tmp_path / "run")
    shutil.copytree(whole[0].path, run.path)
    history = (run.path / "history.jsonl").read_bytes()
    (run.path / "history.jsonl").unlink()
    run.evaluation.unlink()
    training.train(training.plan(settings), run, **QUIET)
    assert (run.path / "history.jsonl").read_bytes() == history


def test_a_second_process_is_told_and_changes_nothing(whole, settings):
    run = whole[0]
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with run.locked(), pytest.raises(InputError, match="is worked on by process"):
        training.train(training.plan(settings), run, **QUIET)
    TrainedRun.load(run)  # readers need no lock
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_the_training_of_a_classifier_goes_on_bit_for_bit(tmp_path, monkeypatch):
    """Stopped in the middle of the second epoch."""
    step = 4
    dataset = make_dataset(train=200)  # three steps an epoch

    class Signal(fitting.CheckpointWriter):
        def on_step(self, logs):
            if self.step == step:
                os.kill(os.getpid(), signal.SIGTERM)

    lines = []

    def train(folder):
        path = cached_classifier(dataset, tmp_path / folder, epochs=3, seed=1, say=lines.append)
        assert [one.name for one in path.parent.iterdir()] == [path.name]
        return [np.array(weight) for weight in load_classifier(path).weights]

    with monkeypatch.context() as patched:
        patched.setattr(fitting, "CheckpointWriter", Signal)
        with pytest.raises(fitting.Interrupted, match=f"stopped after step {step} of 9"):
            train("stopped")
    stopped = train("stopped")
    assert f"from step {step} of 9" in lines[1]
    straight = train_classifier(dataset, epochs=3, seed=1).weights
    for one, other in zip(stopped, straight, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nan_stops_training_and_keeps_the_last_good_state(settings, tmp_path):
    """A learning rate far too large; the message names step and term."""
    wild = Settings(**{**settings.to_dict(), "g_learning_rate": 0.99, "steps": 600})
    plan, run = training.plan(wild), RunDirectory(tmp_path / "run")
    build = training.build_gan

    def poisoned(*arguments):
        gan = build(*arguments)
        gan.compile(g_optimizer=keras.optimizers.RMSprop(1e30))
        return gan

    training.build_gan = poisoned
    try:
        with pytest.raises(
            DivergenceError, match=r"step \d+: \w+ is (nan|inf); the state of step 0"
        ):
            training.train(plan, run, **QUIET)
    finally:
        training.build_gan = build
    assert not run.is_complete
    assert not run.generator.exists()
    kept = poisoned(plan, FrozenTarget(plan.classifier, settings.layer))
    assert Checkpoints(run.checkpoints, plan.identity).restore(kept) == 0


def test_layer_and_classifier_are_checked_before_anything_is_written(npz, tmp_path):
    with pytest.raises(InputError, match=r"there are: 1 \(conv1\)"):
        training.plan(Settings(dataset=str(npz), layer=6))
    wrong = build_classifier((16, 16, 1), 3)
    wrong.save(tmp_path / "wrong.keras")
    with pytest.raises(InputError, match=r"\(12, 12, 1\) images in 3 classes, received .*16, 16"):
        training.plan(Settings(dataset=str(npz), classifier=str(tmp_path / "wrong.keras")))
    with pytest.raises(InputError, match="at most the 96 training images"):
        training.plan(Settings(dataset=str(npz), batch_size=97))


def test_a_classifier_of_ones_own_is_taken_as_it_is(npz, tmp_path, classifier):
    classifier.save(tmp_path / "mine.keras")
    settings = Settings(
        dataset=str(npz), classifier=str(tmp_path / "mine.keras"), steps=1, batch_size=8
    )
    run = RunDirectory(tmp_path / "run")
    trained, _ = training.train(training.plan(settings), run, **QUIET)
    for one, other in zip(
        classifier.get_weights(), trained.target.classifier.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def copied(whole, tmp_path) -> RunDirectory:
    run = RunDirectory(tmp_path / "copied")
    run.path.mkdir()
    for path in whole[0].path.glob("*.*"):
        (run.path / path.name).write_bytes(path.read_bytes())
    return run


def test_generator_and_classifier_must_belong_together(copied):
    build_classifier((12, 12, 1), 3, seed=9).save(copied.classifier)
    with pytest.raises(InputError, match="not the classifier this run was trained on"):
        TrainedRun.load(copied)


@pytest.mark.parametrize("player", ["generator", "discriminator", "transformation", "reader"])
def test_all_that_was_trained_must_belong_together(copied, player):
    trained = TrainedRun.load(copied)
    model = getattr(trained, player)
    model.weights[0].assign_add(tf.ones_like(model.weights[0]))
    model.save(getattr(copied, player))
    with pytest.raises(InputError, match=f"is not the {player} that this run trained"):
        TrainedRun.load(copied)


def test_a_run_that_says_nothing_of_its_players_is_refused(copied):
    config = copied.read_config()
    del config["players"]
    copied.config.write_text(json.dumps(config))
    with pytest.raises(InputError, match="a run of another version"):
        TrainedRun.load(copied)


def test_checkpoint_identity_depends_on_settings(settings):
    other = Settings(**{**settings.to_dict(), "seed": 4})
    assert training.plan(settings).identity != training.plan(other).identity
    assert json.dumps(training.plan(settings).config)
