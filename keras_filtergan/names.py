"""Things that users choose by name."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from keras_filtergan.errors import InputError

Thing = TypeVar("Thing")


def by_name(kind: str, name: str, known: Mapping[str, Thing]) -> Thing:
    """Look a thing up by its name.

    Args:
        kind: what it is, for the message.
        name: what the user wrote.
        known: all names with their things.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.

    Example:
        >>> by_name("colour", "blu", {"blue": 1})
        Traceback (most recent call last):
            ...
        InputError: unknown colour 'blu', expected one of: blue; did you mean 'blue'?
    """
    if name in known:
        return known[name]
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"unknown {kind} {name!r}, expected one of: {', '.join(known)}{hint}")
