"""Objectives as the command line writes them: `0.2 * channel("conv4", 3) - class_logit(7)`."""

import dataclasses
import json
import math
import re
from typing import Any, NamedTuple

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.maximize.objectives import OBJECTIVES, Objective
from keras_filtergan.names import by_name

LENGTH = 1000  # characters of an expression, at most
DEPTH = 20  # parentheses within each other, at most

_TOKENS = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<text>"(?:[^"\\]|\\.)*"|'[^'\\]*')
      | (?P<sign>[-+*/(),])
      | (?P<end>$)
    )""",
    re.VERBOSE,
)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int  # from 1


def parse_objective(text: str) -> Objective:
    """The objective that an expression describes. Nothing in it is ever executed.

        sum    = product {("+" | "-") product}      product = signed {("*" | "/") signed}
        signed = {"-" | "+"} (number | objective | "(" sum ")")
        objective = name "(" argument {"," argument} ")", an argument a whole number or a "layer"

    Args:
        text: at most 1000 characters; layers in double quotes, as in JSON, or in single ones.

    Raises:
        InputError: an expression that does not parse, with the column where it stops doing so; or
            one that is a number.

    Example:
        >>> parse_objective('0.2 * channel("conv4", 3) - class_logit(7)').weighted()
        ((0.2, Channel(layer='conv4', channel=3)), (-1.0, ClassLogit(number=7)))
    """
    if len(text) > LENGTH:
        raise InputError(f"expected an objective of at most {LENGTH} characters, not {len(text)}")
    found = _Reader(text).whole()
    if not isinstance(found, Objective):
        raise InputError(
            f"expected an objective, received the number {text.strip()}; "
            f"there are: {', '.join(OBJECTIVES)}"
        )
    return found


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str):
        self._text = text
        self._tokens = _split(text)
        self._depth = 0

    def whole(self) -> float | Objective:
        value = self._sum()
        if self._tokens[0].kind != "end":
            raise self._error('"+", "-", "*" or the end')
        return value

    def _sum(self) -> Any:
        value = self._product()
        while sign := self._taken("+", "-"):
            other = self._product()
            if isinstance(value, Objective) is not isinstance(other, Objective):
                raise InputError(
                    f"expected two objectives or two numbers around {sign.text!r} at column "
                    f"{sign.column}: a constant changes no optimum"
                )
            value = value + other if sign.text == "+" else value - other
        return value

    def _product(self) -> Any:
        value = self._signed()
        while sign := self._taken("*", "/"):
            other = self._signed()
            if isinstance(other, Objective) and (sign.text == "/" or isinstance(value, Objective)):
                raise InputError(
                    f"expected a number beside {sign.text!r} at column {sign.column}: "
                    "objectives are added up, and multiplied and divided by numbers"
                )
            if sign.text == "/" and other == 0:
                raise InputError(f"expected a number other than 0 after '/' at {sign.column}")
            value = value * other if sign.text == "*" else value / other
        return value

    def _signed(self) -> Any:
        sign = 1.0
        while taken := self._taken("-", "+"):
            sign = -sign if taken.text == "-" else sign
        value = self._atom()
        return -value if sign < 0 else value

    def _atom(self) -> Any:
        token = self._tokens[0]
        if token.kind == "number":
            return _finite(self._tokens.pop(0))
        if token.kind == "name":
            return self._objective()
        if not self._taken("("):
            raise self._error("a number or an objective")
        self._depth += 1
        if self._depth > DEPTH:
            raise InputError(
                f"expected at most {DEPTH} parentheses within each other, "
                f"received one more at column {token.column}"
            )
        value = self._sum()
        self._expect(")")
        self._depth -= 1
        return value

    def _objective(self) -> Objective:
        name = self._tokens.pop(0)
        try:
            kind = by_name("objective", name.text, OBJECTIVES)
        except InputError as error:
            raise InputError(f"{error} (column {name.column})") from None
        names = [field.name for field in dataclasses.fields(kind)]
        usage = f"{name.text}({', '.join(names)})"
        self._expect("(")
        arguments = []
        for position, argument in enumerate(names):
            if position and not self._taken(","):
                raise self._error(f'"," in {usage}')
            arguments.append(self._argument(argument, usage))
        if not self._taken(")"):
            raise self._error(f'")" after {usage}')
        return kind(*arguments)

    def _argument(self, name: str, usage: str) -> str | int:
        token = self._tokens[0]
        if name == "layer":
            if token.kind != "text":
                raise self._error(f"a layer in quotes in {usage}")
            return _unquoted(self._tokens.pop(0))
        if token.kind != "number" or not token.text.isdecimal():
            raise self._error(f"a whole number from 0 on as {name} in {usage}")
        return int(self._tokens.pop(0).text)

    def _taken(self, *signs: str) -> _Token | None:
        """The next token if it is one of the signs, which is then behind us."""
        token = self._tokens[0]
        return self._tokens.pop(0) if token.kind == "sign" and token.text in signs else None

    def _expect(self, sign: str) -> None:
        if not self._taken(sign):
            raise self._error(f'"{sign}"')

    def _error(self, expected: str) -> InputError:
        return _misread(expected, self._text, self._tokens[0].column)


def _split(text: str) -> list[_Token]:
    tokens, place = [], 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKENS.match(text, place)
        if match is None:
            column = place + len(text[place:]) - len(text[place:].lstrip()) + 1
            raise _misread("a number, an objective or a sign", text, column)
        kind = match.lastgroup or ""  # every alternative has a name
        tokens.append(_Token(kind, match[kind], match.start(kind) + 1))
        place = match.end()
    return tokens


def _misread(expected: str, text: str, column: int) -> InputError:
    rest = " ".join(text[column - 1 :].split())
    if not rest:
        return InputError(f"expected {expected} at column {column}, the expression ends there")
    near = rest if len(rest) <= 12 else f"{rest[:12]}…"
    return InputError(f"expected {expected} at column {column}, near {near!r}")


def _finite(token: _Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise InputError(f"expected a finite number at column {token.column}: {token.text}")
    return value


def _unquoted(token: _Token) -> str:
    if token.text.startswith("'"):
        return token.text[1:-1]
    try:
        return json.loads(token.text)
    except json.JSONDecodeError:
        raise InputError(
            f"expected a layer in quotes as in JSON at column {token.column}: {token.text}"
        ) from None
