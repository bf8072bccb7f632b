"""How far a study has come, told to whoever wants to know."""

from collections.abc import Callable
from dataclasses import dataclass

# What begins now, how many steps are done, how many there are in all.
Tell = Callable[[str, int, int], None]
Begin = Callable[[str], None]  # what begins now


def nobody(what: str, done: int, total: int) -> None:
    """Take the news and do nothing."""


def quietly(what: str) -> None:
    """Begin without saying so."""


@dataclass
class Steps:
    """The steps of a study; they need not take equally long.

    Args:
        total: how many there are.
        tell: takes each as it begins.

    Example:
        >>> steps = Steps(2, print)
        >>> steps.begin("stability of the trained network")
        stability of the trained network 0 2
    """

    total: int
    tell: Tell = nobody
    done: int = -1

    def begin(self, what: str) -> None:
        """Say what begins now; what began before it is done."""
        self.done += 1
        self.tell(what, self.done, self.total)
