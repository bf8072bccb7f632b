"""Atomic checkpoints from which training goes on bit for bit."""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.errors import DivergenceError, InputError
from keras_filtergan.files import as_json, folder_in_one_step, remove_leftovers
from keras_filtergan.gan.replicas import copies
from keras_filtergan.guards.hdf5 import check_state
from keras_filtergan.guards.reading import check_plain_file, refusing
from keras_filtergan.guards.records import Each, read_record
from keras_filtergan.private_keras import saved_weights

WEIGHTS = "state.weights.h5"
RECORD = {
    "step": int,
    "identity": str,
    "sha256": str,
    "environment": dict,
    "means?": Each([float]),
}


class Checkpoints:
    """States of a model in a folder, one sub-folder `step-00001234` each.

    A state is everything that the next step depends on: all weights and the slots of all
    optimizers. Order of images, latents and noise are functions of the step and need no saving.
    The running means of what is logged are kept beside it.
    It is written into a hidden folder and renamed when it is whole, so an interruption leaves
    either the old state or the new one. A checksum guards against damage on disk.

    Args:
        folder: where the states live; made on the first save.
        identity: a string that a state must share with the run that loads it (settings and data);
            a state of other optimizers would load without complaint otherwise.
        keep: how many of the latest states to keep.
        say: takes a line about each state that is damaged.

    Attributes:
        means: name → total and count of each running mean in the state that was restored.
    """

    def __init__(
        self, folder: Path, identity: str, keep: int = 2, say: Callable[[str], None] = print
    ):
        self.folder = Path(folder)
        self.identity = identity
        self.keep = keep
        self.say = say
        self.means: dict[str, list[float]] = {}

    @property
    def steps(self) -> list[int]:
        """Steps of the states that are there, ascending."""
        names = [path.name.removeprefix("step-") for path in self.folder.glob("step-*")]
        return sorted(int(name) for name in names if name.isdecimal() and len(name) < 20)

    def save(self, model: keras.Model, step: int) -> Path:
        """Write the state of a model after `step` steps.

        Raises:
            DivergenceError: a weight is not finite; the states on disk stay as they are.
            OSError: there is no space; the same.
        """
        for weight in model.weights:
            if not np.isfinite(weight.numpy()).all():
                raise DivergenceError(f"step {step}: weight {weight.path!r} is not finite")
        whole = self._path(step)
        content = saved_weights(model)
        with folder_in_one_step(whole) as aside:
            (aside / WEIGHTS).write_bytes(content)
            record = {
                "step": step,
                "identity": self.identity,
                "sha256": hashlib.sha256(content).hexdigest(),
                "environment": environment(),
                "means": _means(model),
            }
            (aside / "checkpoint.json").write_text(as_json(record))
        for old in self.steps[: -self.keep]:
            shutil.rmtree(self._path(old))
        return whole

    def restore(self, model: keras.Model, last_step: int | None = None) -> int:
        """Load the latest state that is whole into a compiled model of the same make.

        A damaged one is put aside, as `step-00001234.damaged`, and told of.

        Args:
            model: of the same make.
            last_step: of the run; no state can be of a later one.

        Returns:
            The number of steps done; 0 if there is no state.

        Raises:
            InputError: the state belongs to another run, or to a network of another make.
        """
        remove_leftovers(self.folder)
        for step in reversed(self.steps):
            try:
                record = self.check(step, last_step)
            except InputError as damage:
                self._put_aside(step, str(damage))
                continue
            self.check_identity(step, record)
            self._load(model, step, record["environment"])
            self.means = record.get("means", {})
            return step
        return 0

    def check(self, step: int, last_step: int | None = None) -> dict[str, Any]:
        """The record of a state, if everything is as it was written.

        Args:
            step: of the state.
            last_step: of the run; no state can be of a later one.

        Raises:
            InputError: it is damaged; says how.
        """
        folder = self._path(step)

        def damage(reason: str) -> str:
            return f"the checkpoint {str(folder)!r} is damaged ({reason})"

        with refusing(damage):
            record = self._record(folder, step, last_step)
            check_plain_file(folder / WEIGHTS)
            if record["sha256"] != _checksum(folder / WEIGHTS):
                raise ValueError("its weights are not those that were written")
            with h5py.File(folder / WEIGHTS, "r") as file:
                check_state(file)
        return record

    def check_identity(self, step: int, record: dict[str, Any]) -> None:
        """Refuse a state of another run, however whole it is.

        Args:
            step: of the state.
            record: of it, from `check`.

        Raises:
            InputError: it is of other settings or data.
        """
        if record["identity"] != self.identity:
            raise InputError(
                f"the checkpoint {str(self._path(step))!r} belongs to a run with other settings or "
                "data; remove it"
            )

    def _record(self, folder: Path, step: int, last_step: int | None) -> dict[str, Any]:
        record = read_record(folder / "checkpoint.json", RECORD, "it is of no use")
        if record["step"] != step or (last_step is not None and step > last_step):
            raise ValueError(f"it says that it is of step {record['step']}")
        return record

    def _load(self, model: keras.Model, step: int, held_environment: dict[str, Any]) -> None:
        folder = self._path(step)
        if held_environment != environment():
            warnings.warn(
                "the checkpoint was written under other versions, threads or flags: training goes "
                "on, but not bit for bit",
                stacklevel=3,
            )

        def misfit(reason: str) -> str:
            return f"the checkpoint {str(folder)!r} does not fit the model: {reason}"

        with refusing(misfit), warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras warns of optimizer state it cannot place
            model.load_weights(folder / WEIGHTS)

    def _put_aside(self, step: int, why: str) -> None:
        folder = self._path(step)
        aside = folder.with_name(f"{folder.name}.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(folder, aside)
        before = self.steps
        instead = f"that of step {before[-1]} is used" if before else "training begins again"
        self.say(f"{why}; it is kept as {aside.name}; {instead}")

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"


def identity_of(config: dict[str, Any]) -> str:
    """Hash of settings and data: what a state belongs to.

    Args:
        config: content of `config.json`.
    """
    decisive = [config["settings"], config["made_of"]]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def environment() -> dict[str, Any]:
    """What decides the last bits of a floating-point result on one machine."""
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads() or usable_cpus(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }


def usable_cpus() -> int:
    """Processors that this process may use: as many threads TensorFlow takes by itself."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _means(model: keras.Model) -> dict[str, list[float]]:
    """Total and count of each running mean, exactly; each replica has the same."""
    return {
        mean.name: [float(copies(part)[0]) for part in (mean.total, mean.count)]
        for mean in model.metrics
        if isinstance(mean, keras.metrics.Mean)
    }


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
