"""A process that takes steps of FilterGAN when it is told to; `train_step.py` starts several.

    python benchmarks/step_worker.py ours|torch SETTINGS      # not by hand

Its lines in are names of turns, its lines out JSON: first the turns that it offers, then the
milliseconds that each one took. Two checkouts, or oneDNN off and on, cannot share a process.
"""

import importlib
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import contest
import numpy as np

SIZE = 1024  # of the matrices whose product shows the peak

MODULES = ("classifiers.classifier", "classifiers.target", "gan.filtergan", "runs.settings")


class Worker:
    """The other end: a process with its turns.

    Args:
        kind: `"ours"` or `"torch"`.
        settings: what `run` reads.
        onednn: value of `TF_ENABLE_ONEDNN_OPTS`.
        checkout: whose package is measured.
    """

    def __init__(self, kind: str, settings: dict, onednn: str, checkout: Path = contest.ROOT):
        command = [sys.executable, __file__, kind, json.dumps(settings)]
        environment = contest.environment(onednn, checkout)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=environment, text=True, bufsize=1, **pipes)
        self.offer = self._answer()

    def turns(self, name: str) -> dict[str, contest.Turn]:
        """Its turns as contestants: "name: turn" → a callable."""

        def turn(word: str) -> contest.Turn:
            return lambda: self._ask(word)["ms"]

        return {f"{name}: {word}": turn(word) for word in self.offer.get("turns", [])}

    def memory(self) -> float:
        """The most that it has had so far, in megabytes."""
        return self._ask("memory")["memory"]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, word: str) -> dict:
        print(word, file=self._process.stdin, flush=True)
        answer = self._answer()
        if "error" in answer:
            raise SystemExit(f"a worker stopped at its turn {word!r}: {answer['error']}")
        return answer

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"error": "the process has ended; see above"}


def run(kind: str, settings: dict) -> None:
    """Offer turns, then take them one by one as the lines come in."""
    # Answers alone go to stdout, whatever libraries print.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(**content) -> None:
        print(json.dumps(content), file=answers, flush=True)

    contest.use_threads(settings["threads"])
    try:
        turns, about = {"ours": turns_of_ours, "torch": turns_of_torch}[kind](settings)
    except Exception as error:  # such as the gradient that TensorFlow lacks without oneDNN
        answer(error=contest.cause(error))
        return
    answer(turns=list(turns), commit=contest.commit(Path(os.environ["PYTHONPATH"])), **about)
    for line in sys.stdin:
        word = line.strip()
        answer(**({"memory": memory()} if word == "memory" else {"ms": turns[word]()}))


def made(side: int = 28, channels: int = 32, latent_dim: int | None = None, count: int = 4096):
    """A FilterGAN on layer 4, and as many images as are asked for, black but for a fifth."""
    classifier, target_module, filtergan, settings = map(_module, MODULES)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, side, side, 1), dtype=np.uint8)
    images *= random.uniform(size=images.shape) < 0.2
    labels = random.integers(0, 10, count)
    widths = classifier.STANDARDS[1].widths
    widths = (*widths[:2], channels, channels, widths[-1])  # what layer 4 reads and makes
    network = classifier.build_classifier((side, side, 1), 10, widths)
    target = target_module.FrozenTarget(network, 4)
    gan = filtergan.FilterGAN(target, latent_dim or settings.Settings().latent_dim)
    gan.compile()
    gan.adapt(images[:512], batch_size=16)
    return gan, images, labels


def _module(name: str) -> ModuleType:
    """A module of the package, in its room or, in a checkout from before there were any, flat."""
    try:
        return importlib.import_module(f"keras_filtergan.{name}")
    except ModuleNotFoundError:
        return importlib.import_module(f"keras_filtergan.{name.rpartition('.')[2]}")


def memory() -> float:
    """The largest resident memory of this process so far, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def stream_of(gan, images, labels, size: int) -> Iterator[dict]:
    from keras_filtergan.data import training_stream

    noise = gan.target.activation_shape
    return iter(
        training_stream(
            images, labels, batch_size=size, latent_dim=gan.latent_dim, noise_shape=noise, seed=0
        )
    )


def turns_of_ours(settings: dict) -> tuple[dict[str, contest.Turn], dict]:
    import tensorflow as tf

    sizes = {key: settings[key] for key in ("side", "channels", "latent_dim") if key in settings}
    gan, images, labels = made(**sizes, count=min(4096, 4 * settings["batch"]))
    stream = stream_of(gan, images, labels, settings["batch"])
    step = tf.function(gan.train_step, jit_compile=settings.get("jit", False))
    kept = [next(stream) for _ in range(4)]
    about = {"memory": memory(), "weights": gan.discriminator.count_params()}
    step(kept[0])
    matrix = tf.random.normal([SIZE, SIZE])
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    return _turns(step, kept, stream, product, settings["steps"]), about


def turns_of_torch(settings: dict) -> tuple[dict[str, contest.Turn], dict]:
    """Both ways of taking gradients; and the operations of a step in products and convolutions."""
    torch = contest.torch_with(settings["threads"])
    import torch_filtergan
    from torch.utils.flop_counter import FlopCounterMode

    gan, images, labels = made()
    step = torch_filtergan.TorchFilterGAN(gan, settings["merged"])
    stream = step.stream(images, labels, settings["batch"])
    kept = [next(stream) for _ in range(4)]
    mine = {torch.ops.aten.convolution_backward: _backward_flop}
    with FlopCounterMode(display=False, custom_mapping=mine) as counter:
        step(kept[0])
    matrix = torch.randn(SIZE, SIZE)
    turns = _turns(step, kept, stream, lambda: matrix @ matrix, settings["steps"])
    return turns, {"flop": counter.get_total_flops()}


def _backward_flop(upstream, images, kernels, *rest, out_shape=None) -> int:
    """Of a convolution, for each gradient that is wanted; torch's own count is wrong of groups."""
    output_mask = rest[-1]
    one = 2 * upstream[0] * math.prod(upstream[2:]) * math.prod(kernels)
    return one * sum(output_mask[:2])


def _turns(step: Callable, kept: list, stream: Iterator, product: Callable, steps: int) -> dict:
    """Steps on batches that are there, with their making, and the product of two matrices."""

    def with_stream() -> None:
        for _ in range(steps):
            step(next(stream))

    def streamed() -> float:
        # A stream works ahead. Two steps first bring it to its pace, and after the turn it fills up
        # at nobody's cost.
        for _ in range(2):
            step(next(stream))
        ms = contest.timed(with_stream)() / steps
        time.sleep(0.1)
        return ms

    def bare() -> None:
        for i in range(steps):
            step(kept[i % len(kept)])

    return {
        "step": lambda: contest.timed(bare)() / steps,
        "with stream": streamed,
        "product": contest.timed(product, repeat=3),
    }


if __name__ == "__main__":
    run(sys.argv[1], json.loads(sys.argv[2]))
