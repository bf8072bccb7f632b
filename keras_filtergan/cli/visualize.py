"""`visualize.py`: the pictures of a finished run."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_filtergan.cli.command import (
    DONE,
    Parser,
    data_dir,
    import_tensorflow,
    network_options,
    run_script,
    user_path,
)
from keras_filtergan.files import check_writable
from keras_filtergan.images.choices import PARAMETRIZATIONS, WALK_PRIORS
from keras_filtergan.runs.run_directory import latest_run, open_run
from keras_filtergan.runs.view import View

DESCRIPTION = "Draw the figures of a finished run."


def visualize_main(arguments: Sequence[str] | None = None) -> int:
    """`visualize.py`: the pictures of a finished run."""
    parser = Parser(prog="visualize.py", description=DESCRIPTION)
    return run_script(parser, _add_options, arguments)


def add_visualize(commands: "argparse._SubParsersAction[Any]") -> None:
    """The same as a sub-command."""
    _add_options(commands.add_parser("visualize", help="its pictures", description=DESCRIPTION))


def _add_options(parser: argparse.ArgumentParser) -> None:
    add, defaults = parser.add_argument, View()
    add("--run", type=user_path, help="run directory; default the latest under runs/")
    add("--images", type=int, nargs="+", metavar="I", help="numbers of test images; default four")
    add(
        "--grid",
        type=int,
        default=defaults.grid,
        help="pictures along each side, odd; default %(default)s",
    )
    add(
        "--span",
        type=float,
        default=defaults.span,
        help="reach of the grid from its centre, in standard deviations; default %(default)s",
    )
    add(
        "--dims",
        type=_dims,
        default=defaults.dims,
        metavar="random|principal|I,J",
        help="two latent dimensions: drawn by the run's seed, those that images explain best, or "
        "given; default %(default)s",
    )
    add(
        "--parametrization",
        default=defaults.parametrization,
        choices=PARAMETRIZATIONS,
        help="coordinates in which the images are optimised; default %(default)s",
    )
    add(
        "--prior",
        default=defaults.prior,
        choices=WALK_PRIORS,
        help="default %(default)s",
    )
    add(
        "--jitter",
        type=int,
        default=defaults.jitter,
        metavar="PIXELS",
        help="shift images at random by up to so much while they are sought; default %(default)s",
    )
    add("--out", type=user_path, help="folder for the figures; default <run>/figures")
    add("--data-dir", help="where TFDS keeps its prepared sets; default as in training")
    network_options(parser)
    parser.set_defaults(work=_visualize, saves_memory="a smaller --grid")


def _visualize(options: argparse.Namespace) -> int:
    run = open_run(options.run) if options.run else latest_run(Path("runs"))
    folder = options.out or run.figures
    check_writable(folder)
    import_tensorflow()
    from keras_filtergan.runs import gallery
    from keras_filtergan.runs.trained import TrainedRun

    view = View(
        images=tuple(options.images) if options.images else None,
        grid=options.grid,
        span=options.span,
        dims=options.dims,
        parametrization=options.parametrization,
        prior=options.prior,
        jitter=options.jitter,
    )
    trained = TrainedRun.load(run, data_dir(options))
    gallery.draw_gallery(trained, view, folder)
    return DONE


def _dims(text: str) -> str | tuple[int, int]:
    """`random`, `principal`, or two latent dimensions as I,J."""
    if text in ("random", "principal"):
        return text
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(
            f"expected random, principal or two numbers as I,J, received {text!r}"
        )
    return int(parts[0]), int(parts[1])
