"""Atomic checkpoints from which training goes on bit for bit."""

import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.errors import DivergenceError, InputError

WEIGHTS = "state.weights.h5"


class Checkpoints:
    """States of a model in a folder, one sub-folder `step-00001234` each.

    A state is everything that the next step depends on: all weights and the slots of all
    optimizers. Order of images, latents and noise are functions of the step and need no saving.
    It is written into a hidden folder and renamed when it is whole, so an interruption leaves
    either the old state or the new one. A checksum guards against damage on disk.

    Args:
        folder: where the states live; made on the first save.
        identity: a string that a state must share with the run that loads it (settings and data);
            a state of other optimizers would load without complaint otherwise.
        keep: how many of the latest states to keep.
    """

    def __init__(self, folder: Path, identity: str, keep: int = 2):
        self.folder = Path(folder)
        self.identity = identity
        self.keep = keep

    @property
    def steps(self) -> list[int]:
        """Steps of the states that are there, ascending."""
        names = [path.name.removeprefix("step-") for path in self.folder.glob("step-*")]
        return sorted(int(name) for name in names if name.isdecimal())

    def save(self, model: keras.Model, step: int) -> Path:
        """Write the state of a model after `step` steps.

        Raises:
            DivergenceError: a weight is not finite; the states on disk stay as they are.
        """
        for weight in model.weights:
            if not np.isfinite(weight.numpy()).all():
                raise DivergenceError(f"step {step}: weight {weight.path!r} is not finite")
        whole = self.folder / f"step-{step:08d}"
        aside = self.folder / f".{whole.name}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        model.save_weights(aside / WEIGHTS)
        record = {
            "step": step,
            "identity": self.identity,
            "sha256": _checksum(aside / WEIGHTS),
            "environment": environment(),
        }
        (aside / "checkpoint.json").write_text(json.dumps(record, indent=2) + "\n")
        shutil.rmtree(whole, ignore_errors=True)
        os.replace(aside, whole)
        for old in self.steps[: -self.keep]:
            shutil.rmtree(self.folder / f"step-{old:08d}")
        return whole

    def restore(self, model: keras.Model) -> int:
        """Load the latest state into a compiled model of the same make.

        Returns:
            The number of steps done; 0 if there is no state.

        Raises:
            InputError: the state is damaged or belongs to another run.
        """
        if not self.steps:
            return 0
        folder = self.folder / f"step-{self.steps[-1]:08d}"
        try:
            record = json.loads((folder / "checkpoint.json").read_text())
            damaged = record["sha256"] != _checksum(folder / WEIGHTS)
        except (OSError, ValueError, KeyError):
            record, damaged = {}, True
        if damaged:
            raise InputError(
                f"the checkpoint {str(folder)!r} is damaged; delete it to use the one before"
            )
        if record["identity"] != self.identity:
            raise InputError(
                f"the checkpoint {str(folder)!r} belongs to a run with other settings or data"
            )
        if record["environment"] != environment():
            warnings.warn(
                "the checkpoint was written under other versions, threads or flags: training goes "
                "on, but not bit for bit",
                stacklevel=2,
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Keras warns of optimizer state it cannot place
                model.load_weights(folder / WEIGHTS)
        except (ValueError, UserWarning) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"the checkpoint {str(folder)!r} does not fit the model: {reason}"
            ) from None
        return record["step"]


def environment() -> dict[str, Any]:
    """What decides the last bits of a floating-point result on one machine."""
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads()
        or os.cpu_count(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
