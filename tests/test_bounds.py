"""Every package that an installation needs has a lower bound, which `tools/try_bounds.py` tries."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tool():
    return runpy.run_path(str(ROOT / "tools" / "try_bounds.py"))


def test_every_requirement_has_a_lower_bound_that_is_met_here(tool):
    from importlib.metadata import version

    needed = tool["requirements"]((ROOT / "setup.cfg").read_text(encoding="utf-8"))
    for pin in tool["lowest"](needed):
        name, _, lowest = pin.partition("==")
        here = [int(part) for part in version(name).split(".")[:2]]
        assert here >= [int(part) for part in lowest.split(".")[:2]], pin


def test_the_range_of_keras_is_bounded_at_both_ends(tool):
    needed = tool["requirements"]((ROOT / "setup.cfg").read_text(encoding="utf-8"))
    [keras] = [text for text in needed if text.startswith("keras>")]
    assert ",<4" in keras


def test_a_requirement_without_a_bound_is_named(tool):
    with pytest.raises(ValueError, match=r"no lower bound in setup\.cfg: scipy"):
        tool["lowest"](["numpy>=1.26", "scipy"])
