"""Several devices give the numbers of one; each engine in processes of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import write_npz

from keras_filtergan.distribution.engine import Engine, check_cluster
from keras_filtergan.distribution.loop import check_examples_apart
from keras_filtergan.errors import InputError
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN

SCRIPT = Path(__file__).with_name("distributed.py")
TOLERANCE = 1e-5


def process(*words, **environment):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", **environment}
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def cluster(count=2):
    """`TF_CONFIG` of each worker, on ports that are free."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    workers = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [
        json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}})
        for i in range(count)
    ]


def trained(kind, engine, steps, folder, optimizer="sgd"):
    out = folder / f"{kind}-{engine}.npz"
    if engine == "multi-worker":
        started = [
            process(SCRIPT, kind, engine, optimizer, steps, out, TF_CONFIG=text)
            for text in cluster()
        ]
    else:
        started = [process(SCRIPT, kind, engine, optimizer, steps, out)]
    for one in started:
        _, error = one.communicate(timeout=500)
        assert one.returncode == 0, error[-3000:]
    return dict(np.load(out))


def check_same(found, expected, tolerance=TOLERANCE):
    """The same weights and logs, of two devices and of one."""
    assert expected.pop("moved") > 100 * TOLERANCE
    found.pop("moved")
    assert found.pop("replicas") == 2
    assert expected.pop("replicas") == 1
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["natural", "infogan"])
def test_two_devices_give_the_weights_of_one(kind, tmp_path):
    one, two = (trained(kind, engine, 50, tmp_path) for engine in ("one", "mirrored"))
    check_same(two, one)


@pytest.mark.slow
def test_under_rmsprop_and_adam_two_devices_differ_by_no_more_than_rounding_does(tmp_path):
    """They divide a gradient by its size, so rounding may grow: as much on one device alone.

    There the examples of a batch change places, which changes no number but for rounding. A value
    that is not synchronised would show beside it, and under plain descent.
    """
    one, shuffled, two = (
        trained("natural", engine, 50, tmp_path, "default")
        for engine in ("one", "shuffled", "mirrored")
    )
    rounding = max(np.abs(shuffled[name] - one[name]).max() for name in one)
    assert rounding < 0.1 * one["moved"]
    check_same(two, one, max(TOLERANCE, 10 * rounding))


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(tmp_path):
    one, two = (trained("natural", engine, 50, tmp_path) for engine in ("one", "multi-worker"))
    check_same(two, one)


def test_pairs_stay_together_and_every_example_has_a_place(target):
    gan = NaturalFilterGAN(target, latent_dim=3)
    order = gan.batch_order(12, 3)
    assert order.tolist() == [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
    assert FilterGAN(target, latent_dim=3).batch_order(4, 2).tolist() == [[0, 1], [2, 3]]


def test_an_order_that_keeps_pairs_changes_no_number(target, dataset):
    """The examples of a batch in another order, with their places: the same losses."""
    from keras_filtergan.data import training_stream

    gan = NaturalFilterGAN(target, latent_dim=3)
    gan.compile()
    gan.adapt(dataset.x_train, dataset.y_train)
    [batch] = training_stream(
        dataset.x_train,
        dataset.y_train,
        batch_size=16,
        latent_dim=3,
        noise_shape=target.activation_shape,
        code_shape=gan.code_shape,
        seed=0,
        steps=1,
    )
    half = np.random.default_rng(0).permutation(8)
    order = np.concatenate([half, half + 8])
    other = {
        name: tf.gather(part, order) for name, part in {**batch, "place": tf.range(16)}.items()
    }
    logs, found = gan.test_step(batch), None
    for metric in gan.metrics:
        metric.reset_state()
    found = gan.test_step(other)
    for name, value in logs.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)


def test_batch_norm_is_refused(target):
    gan = NaturalFilterGAN(target, latent_dim=3, architecture="dcgan")
    with pytest.raises(InputError, match="`architecture` without batch norm for a `strategy`"):
        check_examples_apart(gan)
    check_examples_apart(NaturalFilterGAN(target, latent_dim=3))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "it is not set"),
        ("{", "received '{'"),
        ('{"cluster": {"worker": []}, "task": {"type": "worker", "index": 0}}', "task 0 of []"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "task 1 of ['a:1']",
        ),
        (
            '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
            "other types than worker",
        ),
    ],
)
def test_a_cluster_that_is_none_is_told_what_one_looks_like(text, problem, monkeypatch):
    with pytest.raises(InputError) as caught:
        check_cluster(text)
    assert problem in str(caught.value)
    example = str(caught.value).partition("such as ")[2].partition(" in the environment")[0]
    check_cluster(example)
    if text is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
        with pytest.raises(InputError, match="it is not set"):
            Engine.of("multi-worker")


def test_engines_by_name():
    assert Engine.of().replicas == 1
    assert Engine.of().is_chief
    with pytest.raises(InputError, match=r"unknown strategy 'mirored'.*did you mean 'mirrored'"):
        Engine.of("mirored")
    with pytest.raises(InputError, match="`jit_compile` on one device"):
        Engine.of("mirrored", jit_compile=True)


def lines_of(file):
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.slow
def test_a_killed_worker_ends_the_job_and_the_job_resumes(tmp_path, dataset):
    """The command, by two processes: one is killed, the other ends with a line; both go on."""
    out = tmp_path / "run"
    words = ["-m", "keras_filtergan", "train", "--strategy", "multi-worker", "--layer", "2"]
    words += ["--dataset", write_npz(tmp_path, dataset), "--out", out, "--batch-size", "16"]

    def start(steps, *more):
        return [process(*words, "--steps", steps, *more, TF_CONFIG=text) for text in cluster()]

    chief, other = start(1500)
    history = out / "history.jsonl"
    deadline = time.monotonic() + 480
    while len(lines_of(history)) < 7:  # past the checkpoint of step 500
        assert time.monotonic() < deadline
        assert chief.poll() is None, chief.communicate()[1][-3000:]
        time.sleep(0.2)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    _, error = chief.communicate(timeout=240)
    assert chief.returncode == 1, error[-3000:]
    assert "another worker is gone or cannot be reached" in error
    assert "--resume" in error
    assert not (out / "evaluation.json").exists()
    again = start(1500, "--resume")
    for one in again:
        _, error = one.communicate(timeout=400)
        assert one.returncode == 0, error[-3000:]
    assert [json.loads(line)["step"] for line in lines_of(history)] == [*range(100, 1600, 100)]
    assert (out / "evaluation.json").exists()
    assert (out / "figures").is_dir()
