"""The name of a command as its user has it: a script of the checkout, or an installed program."""

import os
import shlex
import sys
from pathlib import Path

PROGRAM = "keras-filtergan"
SCRIPTS = ("train", "visualize")


def command(name: str, *words: str | os.PathLike) -> str:
    """How the command of that name is called by whoever called this one, to be pasted.

    Args:
        name: of a command, such as `train` or `evaluate`.
        words: what follows it, quoted where a shell would take it apart.

    Example:
        >>> command("train", "--dataset", "my digits")  # in a program begun as `visualize.py`
        "python train.py --dataset 'my digits'"
    """
    door = Path(sys.argv[0]).stem
    if door == PROGRAM:
        start = [PROGRAM, name]
    elif door in SCRIPTS and name in SCRIPTS:
        start = ["python", f"{name}.py"]
    else:
        start = ["python", "-m", "keras_filtergan", name]
    return shlex.join([*start, *(str(word) for word in words)])
