"""The run directory: what a training run leaves behind, and where."""

import dataclasses
import difflib
import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_filtergan.errors import InputError

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """Paths of one run, and the only code that writes its JSON files.

    Files are written aside and renamed, so that a reader never sees half of one.

    Example:
        >>> run = RunDirectory(Path("runs/mnist_sample-layer4-seed0"))
        >>> run.read_config()["settings"]["layer"]
        4
    """

    path: Path

    @property
    def config(self) -> Path:
        """Settings, versions and fingerprints."""
        return self.path / "config.json"

    @property
    def classifier(self) -> Path:
        """The frozen network."""
        return self.path / "classifier.keras"

    @property
    def generator(self) -> Path:
        """The averaged generator, the one that inference uses."""
        return self.path / "generator.keras"

    @property
    def discriminator(self) -> Path:
        """D with its code head Q."""
        return self.path / "discriminator.keras"

    @property
    def transformation(self) -> Path:
        """The image transformation that goes with each latent."""
        return self.path / "transformation.keras"

    @property
    def checkpoints(self) -> Path:
        """Folder of the states that `--resume` continues from."""
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        """Folder of the pictures."""
        return self.path / "figures"

    @property
    def is_complete(self) -> bool:
        """Whether training has ended and the card is written."""
        return (self.path / "evaluation.json").exists() and self.generator.exists()

    def create(self, config: dict[str, Any]) -> None:
        """Make the directory and write `config.json`.

        Raises:
            InputError: the directory holds a run with other settings, holds something else, or
                cannot be written. Nothing is changed then.
        """
        self.check(config)
        self.path.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            write_json(self.config, config)

    def check(self, config: dict[str, Any]) -> None:
        """Refuse a directory that belongs to something else.

        Raises:
            InputError: see `create`.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{str(self.path)!r} is a file; choose another --out")
        check_writable(self.path)
        if not self.path.exists() or not any(self.path.iterdir()):
            return
        if not (self.config).exists():
            raise InputError(
                f"{str(self.path)!r} is not empty and holds no run; choose another --out"
            )
        held, wanted = (
            {**one["settings"], **{f"fingerprint of {k}": v for k, v in one["made_of"].items()}}
            for one in (self.read_config(), config)
        )
        other = [key for key in {**held, **wanted} if held.get(key) != wanted.get(key)]
        if other:
            changes = ", ".join(f"{k} {held.get(k)!r} → {wanted.get(k)!r}" for k in sorted(other))
            raise InputError(
                f"{str(self.path)!r} holds a run with other settings ({changes}); "
                "choose another --out"
            )

    def read_config(self) -> dict[str, Any]:
        """Settings, versions and fingerprints of the run.

        Raises:
            InputError: there is none, or it is damaged.
        """
        config = _read_json(self.config)
        if not {"settings", "made_of"} <= config.keys():
            raise InputError(f"{str(self.config)!r} holds no settings of a run; train it again")
        return config

    def read_evaluation(self) -> dict[str, Any]:
        """The card."""
        return _read_json(self.path / "evaluation.json")

    def write_evaluation(self, card: dict[str, Any]) -> None:
        """Replace the card."""
        write_json(self.path / "evaluation.json", card)

    def read_history(self) -> list[dict[str, float]]:
        """One dict a logging step, in order of steps."""
        try:
            lines = (self.path / "history.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        records = []
        for line in lines:
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:  # the run was killed while it wrote its last line
                break
        return records

    def append_history(self, record: dict[str, float]) -> None:
        """Add one logging step."""
        with open(self.path / "history.jsonl", "a") as file:
            file.write(json.dumps(record) + "\n")

    def truncate_history(self, step: int) -> None:
        """Forget the logging steps after `step`: a resumed run will log them again."""
        kept = [record for record in self.read_history() if record["step"] <= step]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        _write_aside(self.path / "history.jsonl", text)


def latest_run(root: Path) -> RunDirectory:
    """The complete run under `root` that was finished last.

    Raises:
        InputError: there is none.
    """
    cards = sorted(root.glob("*/evaluation.json"), key=lambda path: path.stat().st_mtime)
    if not cards:
        raise InputError(
            f"no finished run under {str(root)!r}; train one with: python train.py --layer 4"
        )
    return RunDirectory(cards[-1].parent)


def open_run(path: Path) -> RunDirectory:
    """A complete run by its path.

    Raises:
        InputError: there is no finished run; the message names the nearest one.
    """
    run = RunDirectory(path)
    if run.is_complete:
        return run
    if (path / "config.json").exists():
        raise InputError(f"the run in {str(path)!r} is not finished; continue it with --resume")
    near = [str(card.parent) for card in path.parent.glob("*/evaluation.json")]
    close = difflib.get_close_matches(str(path), near, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; train one: python train.py --layer 4"
    raise InputError(f"no run in {str(path)!r}{hint}")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step: a reader sees the old one or the new one."""
    _write_aside(path, json.dumps(content, indent=2) + "\n")


def plain(value: Any) -> Any:
    """What JSON can hold of a number or a dict of numbers: it has no NaN and no NumPy.

    Returns:
        An int as it is, a float, `None` for one that is not finite, or a dict of these.
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, int):
        return value
    return float(value) if math.isfinite(value) else None


def save_figure(figure: "Figure", path: Path) -> None:
    """Save a picture in one step, as `save_model` does."""
    aside = path.with_name(f".{os.getpid()}-{path.name}")  # matplotlib goes by the ending
    figure.savefig(aside, dpi=130)
    os.replace(aside, path)


def save_model(model: "keras.Model", path: Path) -> None:
    """Save a `.keras` file in one step: a reader sees the old one, the new one or none."""
    aside = path.with_name(f".{os.getpid()}-{path.name}")  # Keras goes by the ending
    model.save(aside)
    os.replace(aside, path)


def check_writable(path: Path) -> None:
    """Try to write where the path will be; leaves nothing.

    Raises:
        InputError: it cannot be written.
    """
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=nearest):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write to {str(path)!r} ({error.strerror}); choose another --out"
        ) from None


def _write_aside(path: Path, text: str) -> None:
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(aside, 0o644)
    os.replace(aside, path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(
            f"expected a run with {path.name}, there is none in {path.parent}"
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(f"{str(path)!r} is damaged ({error}); train the run again") from None
