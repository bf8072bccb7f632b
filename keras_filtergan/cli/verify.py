"""`verify`: whether a run is what it was when it was finished."""

import argparse
import math
from typing import Any

from keras_filtergan.cli.command import (
    DONE,
    chosen_run,
    data_dir,
    import_tensorflow,
    network_options,
    run_option,
)
from keras_filtergan.errors import InputError

# Measured again: of the network, of the kernels in the network, and of the kernels alone.
SAMPLE = ("classifier_accuracy", "swapped_accuracy", "filter_diversity")
ELSEWHERE = 0.01  # what numbers may differ by under other versions, threads or flags


def add_verify(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = commands.add_parser(
        "verify",
        help="check that a run is what it was when it was finished",
        description="Check the hashes of all networks, images and states of a run, that its "
        "history can be read, and a sample of its card by measuring it again. Nothing is written.",
    )
    run_option(parser)
    parser.add_argument("--data-dir", help="where TFDS keeps its prepared sets")
    network_options(parser)
    parser.set_defaults(work=_verify)


def _verify(options: argparse.Namespace) -> int:
    run = chosen_run(options)
    import_tensorflow()
    from keras_filtergan.evaluation import evaluate
    from keras_filtergan.runs.checkpoints import Checkpoints, environment, identity_of
    from keras_filtergan.runs.gallery import missing_pictures
    from keras_filtergan.runs.trained import TrainedRun

    config, card = run.read_config(), run.read_evaluation()
    trained = TrainedRun.load(run, data_dir(options))
    print(f"networks and images: as trained ({', '.join(sorted(config['players']))}, classifier)")
    checkpoints = Checkpoints(run.checkpoints, identity_of(config))
    for step in checkpoints.steps:
        checkpoints.check_identity(step, checkpoints.check(step, trained.settings.steps))
    print(f"states: whole ({', '.join(map(str, checkpoints.steps)) or 'none is kept'})")
    print(f"history: {len(run.read_history())} lines")
    held = config.get("environment", {})
    same = all(held.get(name) == value for name, value in environment().items())
    names = [name for name in SAMPLE if name in card]
    again = evaluate(trained.subject(), names)
    for name in names:
        _compare(name, card[name], again[name], 0.0 if same else ELSEWHERE)
    how = "to the last bit" if same else f"within {ELSEWHERE:.0%}, under other versions or threads"
    print(f"card: {', '.join(names)} measured again, the same {how}")
    missing = missing_pictures(trained)
    if missing:
        print(f"note: {len(missing)} pictures are missing; the command that trained draws them")
    return DONE


def _compare(name: str, held: Any, found: Any, tolerance: float) -> None:
    pairs = zip(_numbers(held), _numbers(found), strict=False)
    if len(_numbers(held)) != len(_numbers(found)) or not all(
        one == other or (None not in (one, other) and math.isclose(one, other, rel_tol=tolerance))
        for one, other in pairs
    ):
        raise InputError(
            f"the card says {name} {held}, measured again it is {found}: the card is not of this "
            "run; fill it in again with the command evaluate"
        )


def _numbers(value: Any) -> list[Any]:
    return [value[key] for key in sorted(value)] if isinstance(value, dict) else [value]
