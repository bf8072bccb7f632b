"""What the commands of the instruments share: what they are put on, and what they write."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.command import (
    DONE,
    chosen_run,
    data_dir,
    import_tensorflow,
    network_options,
    pixel_options,
    say_first_look,
    user_path,
)
from keras_filtergan.cli.progress import StepProgress
from keras_filtergan.errors import InputError
from keras_filtergan.files import check_writable

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell

Use = Callable[["Specimen", argparse.Namespace, "Tell"], "Findings"]


def add_instrument(
    commands: "argparse._SubParsersAction[Any]", name: str, use: Use, **texts: Any
) -> argparse.ArgumentParser:
    """Add the command of an instrument, which writes `NAME.json` and `NAME.png`.

    Args:
        commands: those of the module.
        name: of the instrument.
        use: a specimen, the options, and who is told of each step → what was found.
        texts: `help` and `description` of the command.

    Returns:
        The parser, to which the instrument adds options of its own.
    """
    parser = commands.add_parser(name, **texts)
    add = parser.add_argument
    network = parser.add_mutually_exclusive_group()
    network.add_argument(
        "--run", type=user_path, help="run directory; default the latest under runs/"
    )
    network.add_argument(
        "--classifier",
        type=user_path,
        metavar="FILE",
        help="a network without a generator (.keras)",
    )
    add("--layer", help="convolution of --classifier, by number or name; default 1")
    pixel_options(parser)
    add("--dataset", help="images, by name or path; default those of the run")
    add(
        "--out",
        type=user_path,
        help="folder to write to; default <run>/instruments, or runs/instruments/<FILE>",
    )
    add("--seed", type=_count(0), default=0, help="of all that is drawn; default %(default)s")
    add("--data-dir", help="where TFDS keeps its prepared sets; default as in training")
    network_options(parser)
    parser.set_defaults(work=lambda options: _apply(name, use, options))
    return parser


def images_option(parser: argparse.ArgumentParser, default: int) -> None:
    """Add `--images N`: how many test images are looked at."""
    parser.add_argument(
        "--images",
        type=_count(1),
        default=default,
        metavar="N",
        help="test images to look at; default %(default)s",
    )


def _apply(name: str, use: Use, options: argparse.Namespace) -> int:
    if options.classifier:
        if not options.dataset:
            raise InputError("expected --dataset beside --classifier: the images that it is of")
        run, out = None, options.out or Path("runs/instruments") / options.classifier.stem
    else:
        for own in ("layer", "pixel_range", "preprocessing", "image_size"):
            if getattr(options, own) is not None:
                raise InputError(f"`{own}` goes with --classifier; a run has its own")
        run = chosen_run(options)
        out = options.out or run.path / "instruments"
    check_writable(out)
    import_tensorflow()
    from keras_filtergan.instruments.specimen import Specimen

    folder = data_dir(options)
    if run is None:
        layer = options.layer or 1
        pixels = options.pixel_range, options.preprocessing, options.image_size
        specimen = Specimen.of_classifier(
            options.classifier, options.dataset, layer, folder, *pixels
        )
    else:
        specimen = Specimen.of_run(run, options.dataset, folder)
    say_first_look(specimen)
    progress = StepProgress()
    try:
        findings = use(specimen, options, progress)
    finally:
        progress.close()
    findings.write(out, name)
    print(findings.table)
    return DONE


def _count(least: int) -> Callable[[str], int]:
    """A whole number of at least so much."""

    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"expected a whole number of at least {least}, received {text!r}"
            )
        return int(text)

    return parse
