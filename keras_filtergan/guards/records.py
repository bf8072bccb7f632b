"""JSON files, read by one reader that trusts nothing and checks what it has read."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_filtergan.errors import InputError
from keras_filtergan.guards.reading import read_plain_file, reason_of

LARGEST_RECORD = 2**24  # bytes: a thousand times what a card has

LONGEST_NUMBER = 40  # digits of a whole number

# What a value may be: one kind or several (`None` for null), an object with fields, a list whose
# items are alike, or `Each`, an object whose values are alike.
Kind = Any


@dataclass(frozen=True)
class Each:
    """An object of any names whose values are of one kind."""

    kind: Kind
    but: Mapping[str, Kind] = field(default_factory=dict)  # these fields, as of an object


def read_record(path: Path, kind: Kind, advice: str, largest: int = LARGEST_RECORD) -> Any:
    """Reads a JSON file of ours.

    Args:
        path: of the file.
        kind: what it must hold; see `mismatch`.
        advice: what to do about a damaged one, the end of the message.
        largest: bytes that it may have.

    Raises:
        InputError: it is no plain file, too large, not UTF-8, no JSON, nested too deeply, holds
            numbers that are not finite, or something of another kind.
        FileNotFoundError: there is none, for callers that know what this means.

    Example:
        >>> write_json(Path("record.json"), {"step": 500})
        >>> read_record(Path("record.json"), {"step": int, "note?": str}, "delete it")
        {'step': 500}
    """
    content = read_plain_file(path, largest)
    try:
        return parse_record(content, kind)
    except ValueError as error:
        raise InputError(f"{str(path)!r} is damaged ({error}); {advice}") from None


def parse_record(content: bytes | str, kind: Kind) -> Any:
    """A JSON text of ours.

    Args:
        content: UTF-8.
        kind: what it must hold; see `mismatch`.

    Raises:
        ValueError: it is none; says why in a few words.
    """
    try:
        value = json.loads(
            content if isinstance(content, str) else content.decode(),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(reason_of(error)) from None
    problem = mismatch(value, kind)
    if problem:
        raise ValueError(problem)
    return value


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a value from JSON, however deep; not by recursion, which has an end.

    Example:
        >>> sorted(len(one) for one in objects([{"a": {}}, [{"b": 1, "c": 2}]]))
        [0, 1, 2]
    """
    stack = [value]
    while stack:
        held = stack.pop()
        if isinstance(held, list):
            stack += held
        elif isinstance(held, dict):
            stack += held.values()
            yield held


def mismatch(value: Any, kind: Kind, where: str = "it") -> str | None:
    """What is wrong with a value, or `None`.

    Args:
        value: from JSON.
        kind: a type, or a tuple of types in which `None` stands for null; a whole number passes
            for `float`, `True` for no number. A dict: an object with these fields, those optional
            whose names end in `?`; more may be there. A list of one kind: a list of such. `Each`.
        where: what to call the value.

    Example:
        >>> mismatch({"step": "12"}, {"step": int})
        "step is '12', expected a whole number"
        >>> mismatch({"step": 12, "seen": [1, None]}, {"step": int, "seen": [(int, None)]})
    """
    if isinstance(kind, Each):
        if not isinstance(value, dict):
            return _wrong(value, "an object", where)
        others = {name.removesuffix("?") for name in kind.but}
        rest = [(key, one) for key, one in value.items() if key not in others]
        return mismatch(value, kind.but, where) or _first(rest, kind.kind, where)
    if isinstance(kind, Mapping):
        if not isinstance(value, dict):
            return _wrong(value, "an object", where)
        for name, one in kind.items():
            key = name.removesuffix("?")
            if key in value:
                problem = mismatch(value[key], one, _inside(where, key))
                if problem:
                    return problem
            elif key == name:
                return f"{_inside(where, key)} is missing"
        return None
    if isinstance(kind, list):
        if not isinstance(value, list):
            return _wrong(value, "a list", where)
        return _first(enumerate(value), kind[0], where)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if any(_is_of(value, one) for one in kinds):
        return None
    return _wrong(value, " or ".join(dict.fromkeys(map(_called, kinds))), where)


def _first(items: Any, kind: Kind, where: str) -> str | None:
    problems = (mismatch(value, kind, _inside(where, key)) for key, value in items)
    return next((problem for problem in problems if problem), None)


def _is_of(value: Any, kind: Any) -> bool:
    if kind is None:
        return value is None
    if isinstance(kind, Mapping | list | Each):
        return mismatch(value, kind) is None
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _called(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    names |= {dict: "an object", list: "a list", None: "null"}
    if isinstance(kind, Mapping | Each):
        return "an object of another form"
    return "a list of another form" if isinstance(kind, list) else names[kind]


def _inside(where: str, key: object) -> str:
    name = str(key)
    name = name if len(name) <= 40 else f"{name[:39]}…"
    return name if where == "it" else f"{where}.{name}"


def _wrong(value: Any, expected: str, where: str) -> str:
    shown = repr(value)
    shown = {"None": "null", "True": "true", "False": "false"}.get(shown, shown)
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return f"{where} is {shown}, expected {expected}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"it holds {name}, which is no JSON")


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"it holds a number of {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it holds the number {text[:20]}, which is too large")
    return number
