"""What happens beside training: history, checkpoints, interruption, divergence."""

import signal
from collections.abc import Callable
from types import FrameType

import keras
import numpy as np

from keras_filtergan.errors import DivergenceError
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.run_directory import RunDirectory


class StepCounter(keras.callbacks.Callback):
    """Base of callbacks that count the steps of a run, resumed or not."""

    def __init__(self, first_step: int):
        super().__init__()
        self.step = first_step

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Count, then do what the callback is for."""
        self.step += 1
        self.on_step(logs)

    def on_step(self, logs: dict | None) -> None:
        """Hook: after `self.step` steps of the run."""


class DivergenceGuard(StepCounter):
    """Stop at the first step at which a logged term is not finite.

    Raises:
        DivergenceError: with the step and the term.
    """

    def __init__(self, checkpoints: Checkpoints, first_step: int):
        super().__init__(first_step)
        self.checkpoints = checkpoints

    def on_step(self, logs: dict | None) -> None:
        """Look at every term."""
        for name, value in (logs or {}).items():
            if not np.isfinite(value):
                kept = self.checkpoints.steps[-1]
                raise DivergenceError(
                    f"step {self.step}: {name} is {float(value)}; the state of step {kept} is "
                    "kept. Try a larger `batch_size` or another `seed`"
                )


class HistoryWriter(StepCounter):
    """Append the means of each logging interval to `history.jsonl`."""

    def __init__(self, run: RunDirectory, first_step: int):
        super().__init__(first_step)
        self.run = run
        self.begun_at = first_step

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin to count."""
        self.begun_at = self.step

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """One interval is one Keras epoch; one that was broken off is logged when it is whole."""
        if self.step - self.begun_at < self.params["steps"]:
            return
        record = {name: round(float(value), 6) for name, value in (logs or {}).items()}
        self.run.append_history({"step": self.step, **record})


class CheckpointWriter(StepCounter):
    """Save the state every `interval` steps and at the last one."""

    def __init__(self, checkpoints: Checkpoints, first_step: int, last_step: int, interval: int):
        super().__init__(first_step)
        self.checkpoints = checkpoints
        self.last_step = last_step
        self.interval = interval

    def on_step(self, logs: dict | None) -> None:
        """Save when it is time."""
        if self.step % self.interval == 0 or self.step == self.last_step:
            self.checkpoints.save(self.model, self.step)


class Interruption(StepCounter):
    """Turn SIGINT into a stop at the end of the step that is running.

    Use as a context manager around `fit`; `requested` says whether it happened, `step` after which
    step. A second SIGINT interrupts at once.
    """

    def __init__(self, first_step: int):
        super().__init__(first_step)
        self.requested = False

    def __enter__(self) -> "Interruption":
        self._previous: Callable | int | None = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _request(self, signum: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, self._previous)

    def on_step(self, logs: dict | None) -> None:
        """Stop if asked to."""
        if self.requested:
            self.model.stop_training = True
