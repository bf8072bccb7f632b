import io
import time

import pytest

from keras_filtergan.cli.progress import StepProgress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def tell_of_three_steps(stream, monkeypatch):
    clock = iter([0.0, 10.0, 40.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = StepProgress(stream)
    for what, done in (("first", 0), ("second", 1), ("second", 2)):
        progress(what, done, 12)
    progress.close()
    return stream.getvalue()


def test_one_line_on_a_terminal_with_the_time_left(monkeypatch):
    """By hand: 10 s a step leave 110 s, 20 s a step 200 s."""
    said = tell_of_three_steps(Terminal(), monkeypatch)
    assert said.split("\r\x1b[K") == [
        "",
        "first: 0 of 12 steps",
        "second: 1 of 12 steps, 2 min left",
        "second: 2 of 12 steps, 3 min left",
        "",
    ]


def test_elsewhere_a_line_when_something_else_begins(monkeypatch):
    assert tell_of_three_steps(io.StringIO(), monkeypatch) == "first\nsecond\n"


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_nothing_is_said_of_nothing(kind):
    stream = kind()
    StepProgress(stream).close()
    assert stream.getvalue() == ""
