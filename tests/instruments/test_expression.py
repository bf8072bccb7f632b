import time

import numpy as np
import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.maximize.expression import parse_objective
from keras_filtergan.instruments.maximize.objectives import (
    channel,
    class_logit,
    class_probability,
    layer,
    unit,
)

A, B, C = channel("conv4", 3), class_logit(7), unit("a/b c", 1, 2, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('0.2 * channel("conv4", 3) - class_logit(7)', 0.2 * A - B),
        ("channel('conv4',3)", A),
        ('  -class_logit( 7 )+channel("conv4",3)  ', A - B),
        ('unit("a/b c", 1, 2, 3) / 4', C / 4),
        ("2 * (class_logit(7) - (1 + 2) * class_logit(1)) / 2", B - 3 * class_logit(1)),
        ("--class_logit(7)", B),
        ("- + - - class_logit(7)", -B),
        ("class_logit(7) * 1e-3 + .5 * layer('b')", 1e-3 * B + 0.5 * layer("b")),
        ("class_logit(7) - 2 * 3 * class_logit(1) - class_logit(2)",
         B - 6 * class_logit(1) - class_logit(2)),
        (r'layer("quo\"te\\")', layer('quo"te\\')),
        ('layer("Schicht\\u00fc")', layer("Schichtü")),
        ("12 / 2 / 3 * class_logit(0)", 2 * class_logit(0)),
    ],
)  # fmt: skip
def test_expressions(text, expected):
    found = dict((part, weight) for weight, part in parse_objective(text).weighted())
    wanted = dict((part, weight) for weight, part in expected.weighted())
    assert found == pytest.approx(wanted)


def test_the_name_of_an_objective_parses_to_the_equal_objective():
    generator = np.random.default_rng(0)
    names = ["conv4", "a/b", 'with "quotes"', "back\\slash", "tab\t", "Größe", "it's", "x#2", ""]
    for _ in range(300):
        kinds = [
            unit(str(generator.choice(names)), *map(int, generator.integers(0, 99, 3))),
            channel(str(generator.choice(names)), int(generator.integers(0, 99))),
            layer(str(generator.choice(names))),
            class_logit(int(generator.integers(0, 99))),
            class_probability(int(generator.integers(0, 99))),
        ]
        total = kinds[int(generator.integers(0, 5))]
        for kind in generator.permutation(5)[: int(generator.integers(0, 5))]:
            weight = float(generator.choice([1, -1, 2, 0.1, -1e-30, 1e20, generator.normal()]))
            total = total * float(generator.uniform(-3, 3)) + weight * kinds[kind]
        assert parse_objective(str(total)) == total


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a number or an objective at column 1, the expression ends there"),
        ("class_logit(7) + ", "a number or an objective at column 18, the expression ends"),
        ("class_logit(7) + * 2", "a number or an objective at column 18, near '\\* 2'"),
        ("class_logit(7) 2", "at column 16, near '2'"),
        ("class_logit(7", '"\\)" after class_logit\\(number\\) at column 14'),
        ("class_logit(7))", "the end at column 15, near '\\)'"),
        ("(class_logit(7)", '"\\)" at column 16'),
        ("class_logit 7", '"\\(" at column 13'),
        ("class_logit(-1)", "a whole number from 0 on as number in class_logit\\(number\\) at col"),
        ("class_logit(1.5)", "whole number from 0 on"),
        ('class_logit("7")', "whole number from 0 on"),
        ("channel(conv4, 3)", "a layer in quotes in channel\\(layer, channel\\) at column 9, near"),
        ('channel("conv4")', '"," in channel\\(layer, channel\\) at column 16'),
        ('channel("conv4", 3, 4)', '"\\)" after channel\\(layer, channel\\) at column 19'),
        ('layer("conv4)', "a number, an objective or a sign at column 7, near"),
        ('layer("\\q")', "quotes as in JSON at column 7"),
        ("foo(7)", "unknown objective 'foo', expected one of: unit, channel, .* \\(column 1\\)"),
        ("2 * class_logits(7)", "did you mean 'class_logit'\\? \\(column 5\\)"),
        ("class_logit(1) * class_logit(2)", "expected a number beside '\\*' at column 16"),
        ("1 / class_logit(2)", "expected a number beside '/' at column 3"),
        ("class_logit(1) / 0", "other than 0 after '/' at"),
        ("class_logit(1) / (1 - 1)", "other than 0 after '/' at"),
        ("class_logit(1) + 3", "two objectives or two numbers around '\\+' at column 16"),
        ("3 + 4", "expected an objective, received the number 3 \\+ 4"),
        ("1e999 * class_logit(1)", "a finite number at column 1"),
        ("1e300 * 1e300 * class_logit(1)", "finite"),
        ("class_logit(1) - class_logit(1)", "not all 0"),
        ("class_logit(1) ** 9 ** 9 ** 9", "at column 17, near"),
        ("__import__('os')", "unknown objective '__import__'"),
        ("class_logit(7) + __import__('os').system('true')", 'at column 34, near "\.system'),
        ("class_logit(1).real", "at column 15, near '.real'"),
        ("class_logit(1); 2", "at column 15, near ';"),
        ("[class_logit(1)]", "column 1, near"),
        ("class_logit(1)\nfoo\n\n", "at column 16, near 'foo'"),
    ],
)  # fmt: skip
def test_one_line_that_points_at_the_place(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_objective(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 400 + "class_logit(1)" + ")" * 400,
        "-" * 990 + "class_logit(",
        "9" * 100_000,
        "1+" * 499,
        "(" * 990,
        "9" * 999,
        "class_logit(" + "9" * 900 + ",",
        '"' + "\\" * 998,
        "\x00class_logit(1)",
        " " * 1000,
        "1e" + "9" * 900 + "*class_logit(1)",
    ],
    ids=range(12),
)
def test_hostile_expressions_are_refused_at_once(text):
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        parse_objective(text)
    assert time.process_time() - start < 0.5
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1300


def test_the_longest_and_deepest_that_are_allowed():
    assert parse_objective("(" * 20 + "class_logit(7)" + ")" * 20) == B
    long = "+".join(["class_logit(7)"] * 66)
    assert parse_objective(long) == 66 * B
    assert parse_objective("-" * 986 + "class_logit(7)") == B
