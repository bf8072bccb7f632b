"""The command that makes a run again, from its settings."""

import dataclasses
import shlex
from typing import Any

from keras_filtergan.runs.presets import PRESETS
from keras_filtergan.runs.settings import Settings

OPTIONS = (  # settings that train.py has an option for
    *("layer", "dataset", "classifier", "pixel_range", "preprocessing", "method", "architecture"),
    *("steps", "batch_size", "latent_dim", "variation_goal", "seed"),
)


def repeat_command(settings: dict[str, Any]) -> str:
    """What to type to train with these settings.

    Args:
        settings: of a run, as in its `config.json`.

    Returns:
        A command line, by the preset that needs the fewest options; or Python, where a setting
        has no option.

    Example:
        >>> repeat_command(Settings(layer=2, seed=3).to_dict())
        'python train.py --layer 2 --seed 3'
    """
    wanted = Settings.from_dict(settings).to_dict()
    method = wanted["method"]
    starts = {name: make() for name, make in PRESETS.items()}
    starts = {"": Settings.of_method(method), **starts}
    changes = {name: _changes(start.to_dict(), wanted) for name, start in starts.items()}
    told = {name: one for name, one in changes.items() if set(one) <= set(OPTIONS)}
    if not told:
        names = {field.name: field.default for field in dataclasses.fields(Settings)}
        others = ", ".join(f"{k}={v!r}" for k, v in _changes(names, wanted).items())
        return f'kfg.train(kfg.Settings({others}), "runs/again")'
    preset = min(told, key=lambda name: len(told[name]) + bool(name))
    words = ["--preset", preset] if preset else ["--layer", str(wanted["layer"])]
    if not preset and method != Settings.method:
        words += ["--method", method]
    for name, value in told[preset].items():
        if name != "layer" or preset:
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *(str(one) for one in values)]
    return shlex.join(["python", "train.py", *words])


def _changes(start: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if value != start.get(name)}
