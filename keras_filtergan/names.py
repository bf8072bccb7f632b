"""Things that users choose by name."""

import difflib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, TypeVar

from keras_filtergan.errors import InputError

Thing = TypeVar("Thing")


class Registry(Mapping[str, Any]):
    """Names, and where the things of these names are defined.

    Listing the names imports nothing, so the command line can offer them at once.

    Args:
        places: name → `"module:attribute"`, the module below the package.

    Example:
        >>> methods = Registry({"infogan": "gan.filtergan:FilterGAN"})
        >>> list(methods)
        ['infogan']
        >>> methods["infogan"].__name__
        'FilterGAN'
    """

    def __init__(self, places: dict[str, str]):
        self._places = places

    def __getitem__(self, name: str) -> Any:
        module, attribute = self._places[name].split(":")
        return getattr(import_module(f"keras_filtergan.{module}"), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


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
    check_name(kind, name, known)
    return known[name]


def check_name(kind: str, name: str, known: Mapping[str, Any]) -> None:
    """Refuse a name that is not known; arguments and error as of `by_name`."""
    if isinstance(name, str) and name in known:
        return
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"unknown {kind} {name!r}, expected one of: {', '.join(known)}{hint}")
