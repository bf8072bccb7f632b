"""The name of a command as its user has it: a script of the checkout, or an installed program."""

import sys
from pathlib import Path

PROGRAM = "keras-filtergan"
SCRIPTS = ("train", "visualize")


def command(name: str) -> str:
    """How the command of that name is called by whoever called this one.

    Args:
        name: of a command, such as `train` or `evaluate`.

    Example:
        >>> command("train")        # in a program begun as `python visualize.py`
        'python train.py'
    """
    door = Path(sys.argv[0]).stem
    if door == PROGRAM:
        return f"{PROGRAM} {name}"
    if door in SCRIPTS and name in SCRIPTS:
        return f"python {name}.py"
    return f"python -m keras_filtergan {name}"
