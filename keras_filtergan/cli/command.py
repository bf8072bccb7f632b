"""What makes a function a command: one-line errors, exit codes, a quiet import of TensorFlow."""

import argparse
import errno
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from keras_filtergan.errors import DivergenceError, InputError
from keras_filtergan.files import DISK_FULL
from keras_filtergan.guards.causes import cause_of, is_out_of_memory
from keras_filtergan.guards.memory import limit_memory, parse_size
from keras_filtergan.guards.stops import exit_code, termination_as_interruption
from keras_filtergan.runs.run_directory import RunDirectory, latest_run, open_run

# A path that the user gave, or what stands there, is not what it should be.
UNUSABLE = {
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
    *(errno.ENAMETOOLONG, errno.EROFS),
}

DONE, FAILED, BAD_INPUT = 0, 1, 2


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with the exit code of bad input."""
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see --help)\n")


def run_script(
    parser: Parser,
    add_options: Callable[[argparse.ArgumentParser], None],
    arguments: Sequence[str] | None,
) -> int:
    """Parse the words of a command and do its work.

    Args:
        parser: without options yet.
        add_options: adds them; and sets `work`, options → exit code, and perhaps `saves_memory`.
        arguments: the words; `None` for those of the process.
    """
    add_options(parser)
    for one in _parsers_of_work(parser):
        one.add_argument(
            "--memory-limit",
            type=_size,
            metavar="SIZE",
            help="memory that data or a network may need, such as 16G; default three quarters of "
            "what the machine has",
        )
    options = parser.parse_args(arguments)
    limit_memory(options.memory_limit)

    def work() -> int:
        _import(getattr(options, "imports", []))
        return options.work(options)

    return guarded(work, options.debug, getattr(options, "saves_memory", ""))


def _parsers_of_work(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of the sub-commands, or the parser itself if it has none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return list(action.choices.values())
    return [parser]


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def guarded(work: Callable[[], int], debug: bool, saves_memory: str = "") -> int:
    """Run the work; turn what can go wrong into one line and an exit code.

    The notes of an error (`add_note`) go with it: the step at which training stood, what to do.

    Args:
        work: returns an exit code.
        debug: let errors through, with their traceback.
        saves_memory: what the command needs less memory with.
    """
    try:
        with termination_as_interruption():
            return work()
    except BaseException as error:
        if debug or isinstance(error, SystemExit):
            raise
        code, line = _explain(error, saves_memory)
        print(printable(line), file=sys.stderr)
        return code


def import_tensorflow() -> None:
    """Import TensorFlow without the notes that its C++ part writes to stderr meanwhile.

    An error of the import itself is a Python exception and still comes through.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _explain(error: BaseException, saves_memory: str) -> tuple[int, str]:
    notes = getattr(error, "__notes__", ())
    if isinstance(error, KeyboardInterrupt):
        said = str(error) or "interrupted; files that were finished are kept"
        return exit_code(error), "; ".join([said, *notes])
    if isinstance(error, InputError):
        return BAD_INPUT, f"error: {as_options(str(error))}"
    if isinstance(error, DivergenceError):
        return FAILED, f"error: {as_options(str(error))}"
    if isinstance(error, OSError) and error.errno in UNUSABLE and error.filename is not None:
        return BAD_INPUT, f"error: cannot use {str(error.filename)!r} ({error.strerror})"
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return FAILED, "; ".join([f"error: no space left to write {error.filename!r}", *notes])
    parts = [f"{type(error).__name__}: {cause_of(error)}", *notes]
    if is_out_of_memory(error):
        parts[0] = f"out of memory: {parts[0]}"
        parts += [f"{saves_memory} needs less memory"] if saves_memory else []
    line = "; ".join(" ".join(part.split()) for part in parts)
    return FAILED, f"error: {line} (--debug shows where)"


def printable(line: str, longest: int = 2000) -> str:
    """A message as one line that a terminal only shows, whatever a file's name or content holds.

    Example:
        >>> printable("no run in 'a\\nb'; \\x1b[2J")
        "no run in 'a b'; ?[2J"
    """
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(line.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def as_options(message: str) -> str:
    """A message of the library, which names arguments in backticks, for the command line.

    Example:
        >>> as_options("expected `latent_dim` to be an integer, received 0.5")
        'expected --latent-dim to be an integer, received 0.5'
    """
    return re.sub(r"`([a-z_]+)`", lambda found: "--" + found[1].replace("_", "-"), message)


def say(lines: Iterable[str]) -> None:
    """Print messages of the library, their arguments as options."""
    for line in lines:
        print(as_options(line), flush=True)


def user_path(text: str) -> Path:
    """A path as people write it, with `~` also where the shell has not seen it."""
    return Path(os.path.expanduser(text))


def run_option(parser: argparse.ArgumentParser) -> None:
    """Add `--run`, for `chosen_run`."""
    parser.add_argument(
        "--run", type=user_path, help="run directory; default the latest under runs/"
    )


def chosen_run(options: argparse.Namespace) -> RunDirectory:
    """The finished run that a command is about: that of `--run`, or the latest."""
    return open_run(options.run) if options.run else latest_run(Path("runs"))


def network_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command has that loads a network, and `--debug`."""
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="a Python module that registers the custom layers of the network; it is imported, so "
        "its code runs",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _import(modules: Iterable[str]) -> None:
    """Import what registers custom layers, from where Python finds it or the current folder."""
    for name in modules:
        import_tensorflow()
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise InputError(
                f"cannot import {name!r} ({error}); give the name of a module in {os.getcwd()} or "
                "on PYTHONPATH, without .py"
            ) from None


def pixel_options(parser: argparse.ArgumentParser) -> None:
    """Add what a classifier expects of images."""
    parser.add_argument(
        "--pixel-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="what black and white are to --classifier, such as 0 255 or -1 1; default 0 1",
    )
    parser.add_argument(
        "--preprocessing",
        metavar="NAME",
        help="the family of keras.applications whose preprocess_input --classifier expects, such "
        "as resnet",
    )
    parser.add_argument(
        "--image-size",
        type=int,
        nargs="+",
        metavar=("HEIGHT", "WIDTH"),
        help="resize images when they are read, for instance to what --classifier takes; one "
        "number for both sides",
    )


def data_dir(options: argparse.Namespace) -> str | None:
    """Where TFDS keeps its prepared sets: `--data-dir`, else the environment, else its default."""
    folder = options.data_dir or os.environ.get("TFDS_DATA_DIR")
    return os.path.abspath(os.path.expanduser(folder)) if folder else None
