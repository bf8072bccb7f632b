"""What happens beside training: history, checkpoints, interruption, divergence."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.errors import DivergenceError
from keras_filtergan.files import in_one_step
from keras_filtergan.gan.replicas import copies
from keras_filtergan.guards.stops import StopRequest
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.run_directory import RunDirectory

PROGRESS_GRID, PROGRESS_SPAN = 5, 2.0  # of the pictures that are drawn meanwhile

Tell = Callable[[str, int, int, str], None]


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
    """Append the means of each logging interval to `history.jsonl`.

    Args:
        run: takes them.
        first_step: steps done.
        means: name → total and count of the running means after these steps; without them an
            interval that was broken off is logged with the means of its second part.
    """

    def __init__(
        self, run: RunDirectory, first_step: int, means: Mapping[str, Sequence[float]] | None = None
    ):
        super().__init__(first_step)
        self.run = run
        self.begun_at = first_step
        self.means = dict(means or {})

    def complete(self) -> None:
        """Log the interval that ends where the run goes on, if it had not come to that."""
        held = [record["step"] for record in self.run.read_history()]
        if self.means and self.step and self.step not in held:
            means = self.means.items()
            one = np.float32  # the precision of a running mean
            self._append({name: one(total) / one(count or 1) for name, (total, count) in means})
        self.means = {}

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin to count, or go on where an interval was broken off."""
        self.begun_at = self.step
        self._go_on_with(self.model)
        self.means = {}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """One interval is one Keras epoch; one that was broken off is logged when it is whole."""
        if self.step - self.begun_at < self.params["steps"]:
            return
        self._append(logs or {})

    def _go_on_with(self, model: keras.Model) -> None:
        for mean in model.metrics:
            if mean.name in self.means:
                for part, value in zip(
                    (mean.total, mean.count), self.means[mean.name], strict=True
                ):
                    for copy in copies(part):
                        copy.assign(value)

    def _append(self, logs: Mapping[str, Any]) -> None:
        record = {name: round(float(value), 6) for name, value in sorted(logs.items())}
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


class StepTeller(StepCounter):
    """Tell after every step how far training is, with the figures that matter.

    Args:
        tell: takes what is done, steps done, steps in all, and the figures as a text.
        first_step, last_step: of the run.
        what: is done.
        figures: what is logged → the figures as a text; the four of FilterGAN if not given.
    """

    def __init__(
        self,
        tell: Tell,
        first_step: int,
        last_step: int,
        what: str = "training FilterGAN",
        figures: Callable[[dict[str, float]], str] | None = None,
    ):
        super().__init__(first_step)
        self.tell = tell
        self.last_step = last_step
        self.what = what
        self.figures = four_figures if figures is None else figures

    def on_step(self, logs: dict | None) -> None:
        """Tell."""
        self.tell(self.what, self.step, self.last_step, self.figures(logs or {}))


def four_figures(logs: dict[str, float]) -> str:
    """The figures of training that matter, as far as they are logged.

    Example:
        >>> four_figures({"activation_variation": 0.2, "real_accuracy": 0.7, "fake_accuracy": 0.8})
        'variation 0.20, D right 75 %'
    """
    shown = []
    for name, term in (("variation", "activation_variation"), ("code error", "code_error")):
        if term in logs:
            shown.append(f"{name} {logs[term]:.2f}")
    if {"real_accuracy", "fake_accuracy"} <= logs.keys():
        right = (logs["real_accuracy"] + logs["fake_accuracy"]) / 2
        shown.append(f"D right {right:.0%}".replace("%", " %"))
    if "unexplained" in logs:
        shown.append(f"unexplained {logs['unexplained']:.2f}")
    return ", ".join(shown)


def accuracy_figure(logs: dict[str, float]) -> str:
    """The accuracy of a classifier in training, as far as it is logged.

    Example:
        >>> accuracy_figure({"accuracy": 0.971, "loss": 0.1})
        'right on 97.1 %'
    """
    return f"right on {100 * logs['accuracy']:.1f} %" if "accuracy" in logs else ""


def each_metric(names: list[str], tell: Tell | None) -> Callable[[str], None] | None:
    """Takes a line a metric from evaluation, and tells how many there have been.

    Args:
        names: of the metrics.
        tell: as of `StepTeller`; there is nothing to do without it.
    """
    if tell is None:
        return None
    done = itertools.count(1)
    return lambda line: tell("evaluating", next(done), len(names), line)


class ProgressPictures(StepCounter):
    """Every so many steps what T makes of one image over fixed latents, as a PNG file.

    Args:
        folder: where `step_000500.png` goes, made when it is needed.
        image: x, `(h, w, c)` in [0, 1], the same each time.
        first_step: of the run.
        interval: steps from picture to picture.
        board: takes the same as images of TensorBoard, if given.
    """

    def __init__(
        self, folder: Path, image: np.ndarray, first_step: int, interval: int, board: Any = None
    ):
        super().__init__(first_step)
        self.folder = folder
        self.image = image
        self.interval = interval
        self.board = board

    def on_step(self, logs: dict | None) -> None:
        """Draw when it is time."""
        if self.step % self.interval == 0:
            sheet = self.sheet()
            self.folder.mkdir(parents=True, exist_ok=True)
            with in_one_step(self.folder / f"step_{self.step:06d}.png") as aside:
                keras.utils.save_img(aside, 255 * sheet, scale=False)
            if self.board is not None:
                with self.board.as_default():
                    tf.summary.image("one image over fixed latents", sheet[None], self.step)

    def sheet(self) -> np.ndarray:
        """The pictures side by side, three times as large, in [0, 1]; the middle is x."""
        model, (h, w, c) = self.model, self.image.shape
        steps = np.linspace(-PROGRESS_SPAN, PROGRESS_SPAN, PROGRESS_GRID)
        latents = np.zeros((PROGRESS_GRID, PROGRESS_GRID, model.latent_dim), "float32")
        latents[..., 0] = steps
        if model.latent_dim > 1:
            latents[..., 1] = steps[:, None]
        rows = latents[:1] if model.latent_dim == 1 else latents
        flat = rows.reshape(-1, model.latent_dim)
        same = np.repeat(self.image[None], len(flat), axis=0)
        found = model.transformation((same, np.zeros((1, model.latent_dim), "float32"), flat))
        tiles = np.asarray(found).reshape(len(rows), PROGRESS_GRID, h, w, c)
        sheet = np.moveaxis(tiles, 2, 1).reshape(len(rows) * h, PROGRESS_GRID * w, c)
        return sheet.repeat(3, axis=0).repeat(3, axis=1)


class Interruption(StepCounter):
    """Turn SIGINT and SIGTERM into a stop at the end of the step that is running.

    Use as a context manager around `fit`; `request` says whether it happened, `step` after which
    step. A second signal interrupts at once.
    """

    def __init__(self, first_step: int):
        super().__init__(first_step)
        self.request = StopRequest()

    def __enter__(self) -> "Interruption":
        self.request.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.request.__exit__(*exception)

    def on_step(self, logs: dict | None) -> None:
        """Stop if asked to."""
        if self.request:
            self.model.stop_training = True
