"""Many runs in one process: nothing of a run stays when it is over."""

import ctypes
import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import write_npz
from patterns import make_dataset
from tensorflow.python.framework.func_graph import FuncGraph

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.guards.graphs import let_go_of_graphs
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.training import train

RUNS, SETTLED = 24, 3


def living_graphs():
    """Numbers of the graphs among all objects that Python knows."""
    gc.collect()
    return {id(graph) for graph in gc.get_objects() if type(graph) is FuncGraph}


def test_a_graph_with_a_custom_gradient_ends_with_its_function():
    """TensorFlow alone keeps it, which is the control; its gradient is there while it lives."""
    before = living_graphs()

    def traced():
        function = tf.function(lambda x: tf.nn.silu(3.0 * x))
        function(tf.constant(1.0))  # traced without a gradient, which is looked up later
        return function

    traced()
    kept = living_graphs() - before
    assert kept, "TensorFlow lets go of graphs by itself now: let_go_of_graphs is not needed"
    function = traced()
    let_go_of_graphs()
    assert not kept & living_graphs()
    x = tf.constant(0.7)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    sigma = 1 / (1 + np.exp(-2.1))
    assert float(tape.gradient(y, x)) == pytest.approx(
        3 * sigma * (1 + 2.1 * (1 - sigma)), rel=1e-5
    )
    del function, tape, y
    let_go_of_graphs()
    assert living_graphs() - before == set()


def test_no_graph_outlives_its_gan(classifier, make_stream, monkeypatch):
    """Traced without computing: the step is in the graph, its gradients taken."""
    before = living_graphs()

    def trace():
        gan = FilterGAN(FrozenTarget(classifier, layer=4), latent_dim=2)
        gan.compile()
        gan.adapted = True
        stream = make_stream(4, 2)
        step = tf.function(gan.train_step, autograph=False)
        step.get_concrete_function(stream.element_spec)
        assert len(living_graphs() - before) >= 1
        return stream

    trace()
    assert living_graphs() - before == set()


def run_again_and_again(folder):
    """Says how much memory the process has after each run."""
    npz = write_npz(folder, make_dataset(train=24, test=12))
    how = {"layer": 1, "steps": 3, "batch_size": 4, "latent_dim": 2}
    for number in range(RUNS):
        run = folder / str(number)
        metrics = ["classifier_accuracy", "swapped_accuracy"]
        train(Settings(dataset=npz, **how), run, 0, lambda line: None, metrics)
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        print(json.dumps(pages * os.sysconf("SC_PAGE_SIZE") / 2**20), flush=True)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_twenty_four_runs_take_no_more_memory_than_three(tmp_path):
    ended = subprocess.run(
        [sys.executable, __file__, tmp_path], capture_output=True, text=True, check=True
    )
    sizes = [float(line) for line in ended.stdout.split()]
    assert len(sizes) == RUNS
    assert "retracing" not in ended.stderr
    assert max(sizes[SETTLED:]) <= 1.02 * sizes[SETTLED - 1], sizes


if __name__ == "__main__":
    run_again_and_again(Path(sys.argv[1]))
