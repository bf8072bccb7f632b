"""On what a training runs: one device, all GPUs of a machine, or several machines."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.names import check_name

STRATEGIES = ("one", "mirrored", "multi-worker")


@dataclasses.dataclass(frozen=True)
class Engine:
    """How steps are computed; what they compute is the same on each engine, up to rounding.

    Attributes:
        strategy: of tf.distribute; `None` for one device.
        jit_compile: let XLA compile the step; on one device only.

    Raises:
        InputError: both.

    Example:
        >>> Engine().replicas
        1
    """

    strategy: tf.distribute.Strategy | None = None
    jit_compile: bool = False

    def __post_init__(self):
        if self.strategy is not None and self.jit_compile:
            raise InputError("expected `jit_compile` on one device, received a `strategy` as well")

    @classmethod
    def of(cls, strategy: str = "one", jit_compile: bool = False) -> "Engine":
        """The engine of that name; to be made before anything else is done with TensorFlow.

        Args:
            strategy: `one`, `mirrored` (all GPUs of this machine) or `multi-worker` (the machines
                that the environment variable `TF_CONFIG` names).
            jit_compile: as of the class.

        Raises:
            InputError: an unknown name, or no `TF_CONFIG` with workers.

        Example:
            >>> Engine.of("one", jit_compile=True).jit_compile
            True
        """
        check_name("strategy", strategy, dict.fromkeys(STRATEGIES))
        if strategy == "one":
            return cls(None, jit_compile)
        if strategy == "mirrored":
            return cls(tf.distribute.MirroredStrategy(), jit_compile)
        check_cluster(os.environ.get("TF_CONFIG"))
        return cls(tf.distribute.MultiWorkerMirroredStrategy(), jit_compile)

    @property
    def replicas(self) -> int:
        """On how many devices each step is computed."""
        return 1 if self.strategy is None else self.strategy.num_replicas_in_sync

    @property
    def workers(self) -> int:
        """How many processes take part."""
        resolver = None if self.strategy is None else self.strategy.cluster_resolver
        return len(resolver.cluster_spec().as_dict().get("worker", [0])) if resolver else 1

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes."""
        resolver = None if self.strategy is None else self.strategy.cluster_resolver
        return resolver is None or not resolver.task_id

    def scope(self) -> contextlib.AbstractContextManager:
        """Where everything that is trained has to be made."""
        return contextlib.nullcontext() if self.strategy is None else self.strategy.scope()

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.strategy is None or self.workers == 1:
            return

        @tf.function
        def meet() -> tf.Tensor:
            def one() -> tf.Tensor:
                context = tf.distribute.get_replica_context()
                return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(1.0))

            assert self.strategy is not None
            return self.strategy.experimental_local_results(self.strategy.run(one))[0]

        with naming_lost_workers():
            float(meet())


class LostWorkerError(RuntimeError):
    """Another process of the training is gone (exit code 1)."""


LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


@contextlib.contextmanager
def naming_lost_workers() -> Iterator[None]:
    """Say in one line that another process is gone, where TensorFlow says it in a page.

    Raises:
        LostWorkerError: see above.

    Example:
        >>> with naming_lost_workers():
        ...     raise tf.errors.UnavailableError(None, None, "Collective ops is aborted by: …")
        Traceback (most recent call last):
            ...
        LostWorkerError: another worker is gone or cannot be reached; start all again with --resume
    """
    try:
        yield
    except LOST as error:
        raise LostWorkerError(
            "another worker is gone or cannot be reached; start all again with --resume"
        ) from error


def check_cluster(text: str | None) -> None:
    """Refuse a `TF_CONFIG` that names no workers, or not this one.

    Args:
        text: of the variable.

    Raises:
        InputError: see above; the message has an example.

    Example:
        >>> check_cluster('{"cluster": {"worker": ["a:1", "b:1"]}, '
        ...               '"task": {"type": "worker", "index": 1}}')
    """
    example = (
        '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
        '"task": {"type": "worker", "index": 0}}'
    )
    problem = _problem(text)
    if problem:
        raise InputError(
            f"expected TF_CONFIG such as {example} in the environment of each worker, {problem}"
        )


def _problem(text: str | None) -> str | None:
    if not text:
        return "it is not set"
    try:
        config: Any = json.loads(text)
        kinds, task = set(config["cluster"]), config["task"]
        workers, kind, index = config["cluster"]["worker"], task["type"], task["index"]
    except (ValueError, KeyError, TypeError):
        return f"received {text!r}"
    if kinds != {"worker"} or kind != "worker":
        return "received tasks of other types than worker"
    if not isinstance(workers, list) or not workers or index not in range(len(workers)):
        return f"received task {index!r} of {workers!r}"
    return None
