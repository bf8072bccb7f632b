"""The `>>>` examples of docstrings are run, and what they show is what comes out.

An example sees its module, the public functions and classes of all others, and by name the small
things of `examples.py`. The long ones are slow; in the others a `fit` ends after one step.
"""

import ast
import contextlib
import doctest
import importlib
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import examples
import keras
import pytest

import keras_filtergan as kfg
from keras_filtergan.data import load_dataset
from keras_filtergan.evaluation import registry
from keras_filtergan.runs import trained, training

PACKAGE = Path(kfg.__file__).parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
SLOW = (
    *("augmentation.augmentation.Augmentation", "instruments.reach.study.ReachStudy"),
    *("instruments.spectra.study.SpectraStudy", "instruments.stability.study.StabilityStudy"),
    *("classifiers.classifier.train_classifier", "evaluation.card.full_card"),
    *("instruments.adversarial.study.adversarial_study", "runs.comparison.compare_layers"),
    *("instruments.maximize.study.maximization_study", "runs.gallery.draw_gallery"),
    *("runs.training.train", "evaluation.known_change_kernels.KnownChangeKernels"),
    "report.report.write_report",
)
# Their numbers are those of a trained run or of other images; all but the decimals is compared.
TRAINED = (
    *("classifiers.natural.NaturalCoordinates", "evaluation.card.full_card"),
    *("instruments.latents.representation.LinearReader", "instruments.maximize.ascent.ascend"),
    *("instruments.reach.study.ReachStudy", "instruments.spectra.study.SpectraStudy"),
    "instruments.spectra.local_deformations.local_stability",
    "instruments.stability.relative_stability.relative_stability",
    *(
        "instruments.stability.smooth_share.smooth_share",
        "instruments.stability.study.StabilityStudy",
    ),
    *("inversion.inversion.Inverter", "runs.run_directory.open_run", "runs.training.train"),
)
NUMBER = re.compile(r"-?(\d+\.\d*|nan|inf)(e[-+]?\d+)?")


@dataclass(frozen=True)
class Docstring:
    """One with an example: what it belongs to, such as `gan.filtergan.FilterGAN`, and the text."""

    module: str
    name: str
    text: str

    @property
    def examples(self) -> list[doctest.Example]:
        return doctest.DocTestParser().get_examples(self.text)


def docstrings(node: ast.AST, module: str, inside: str) -> Iterator[Docstring]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if isinstance(node, kinds) and ">>>" in (text := ast.get_docstring(node) or ""):
        yield Docstring(module, inside, text)
    for child in getattr(node, "body", []):
        if isinstance(child, kinds):
            yield from docstrings(child, module, f"{inside}.{child.name}".lstrip("."))


def defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        found = (name for target in node.targets for name in ast.walk(target))
        return [name.id for name in found if isinstance(name, ast.Name)]
    return []


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_of(file): ast.parse(file.read_text()) for file in sorted(PACKAGE.rglob("*.py"))}
DOCSTRINGS = [
    docstring
    for module, tree in TREES.items()
    for docstring in docstrings(tree, module, module.partition(".")[2])
]
OFFERED = {  # public functions and classes, and other names for them, by name
    name: module
    for module, tree in TREES.items()
    for node in tree.body
    for name in defined(node)
    if not name.startswith("_")
}


@pytest.fixture(scope="module")
def things(tmp_path_factory) -> examples.Things:
    return examples.Things(tmp_path_factory.mktemp("examples"))


@pytest.fixture
def _here(things, monkeypatch):
    """In the folder with the runs, which are on few images and of one step."""
    fit = keras.Model.fit

    def one_step(self, *args, **options):
        self.run_eagerly = True
        return fit(self, *args, **{**options, "steps_per_epoch": 1, "epochs": 1, "verbose": 0})

    def few(name, data_dir=None, image_size=None):
        return things.few if name == "mnist_sample" else load_dataset(name, data_dir, image_size)

    monkeypatch.setattr(keras.Model, "fit", one_step)
    monkeypatch.setattr(training, "load_dataset", few)
    monkeypatch.setattr(trained, "load_dataset", few)
    monkeypatch.setattr(registry, "METRICS", dict(registry.METRICS))
    monkeypatch.setattr(sys, "argv", ["visualize.py"])
    monkeypatch.chdir(things.folder)


def namespace(docstring: Docstring, things: examples.Things) -> dict:
    """What the names of an example mean: things before the package before the module."""
    trees = [ast.parse(example.source) for example in docstring.examples]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in found if isinstance(node.ctx, ast.Store)}
    used = {node.id for node in found} - made
    names = dict(vars(importlib.import_module(docstring.module)))
    for name in used & {*OFFERED} - {*names}:
        names[name] = getattr(importlib.import_module(OFFERED[name]), name)
    return names | {name: getattr(things, name) for name in used if hasattr(type(things), name)}


def shown(example: doctest.Example, names: dict, screen: io.StringIO) -> str:
    """What a session would show; where no result is written down, there must be none."""
    screen.seek(screen.truncate(0))
    values: list[str] = []
    hook, sys.displayhook = (
        sys.displayhook,
        lambda value: None if value is None else values.append(f"{value!r}\n"),
    )
    try:
        with contextlib.redirect_stdout(screen):
            exec(compile(example.source, "<example>", "single"), names)
    finally:
        sys.displayhook = hook
    if not example.want:
        assert not values, f"shows {values[0]}and says nothing of it"
        return ""  # what commands print on the way is not part of the example
    return screen.getvalue() + "".join(values)


def check(examples_of_one: list[doctest.Example], names: dict, decimals: bool) -> None:
    screen = io.StringIO()
    for example in examples_of_one:
        check_one(example, names, decimals, screen)


def check_one(example: doctest.Example, names: dict, decimals: bool, screen: io.StringIO) -> None:
    want = example.want
    try:
        got = shown(example, names, screen)
    except Exception as error:
        if example.exc_msg is None:
            raise
        want, got = example.exc_msg, f"{type(error).__name__}: {error}\n"
    if not decimals:
        want, got = (re.sub(r"\s", "", NUMBER.sub("#", text)) + "\n" for text in (want, got))
    matches = doctest.OutputChecker().check_output(want, got, FLAGS)
    assert matches, f">>> {example.source}expected {want}received {got}"


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "docstring",
    [
        pytest.param(d, id=d.name, marks=[pytest.mark.slow] if d.name in SLOW else [])
        for d in DOCSTRINGS
    ],
)
def test_an_example_shows_what_comes_out(docstring, things):
    things.keep_runs(docstring.text)
    names = namespace(docstring, things)
    check(docstring.examples, names, decimals=docstring.name not in TRAINED)


def test_no_example_is_left_out():
    """Every `>>>` of the package is collected, and what is named above is there."""
    written = sum(
        len(re.findall(r"^\s*>>> ", file.read_text(), re.MULTILINE))
        for file in PACKAGE.rglob("*.py")
    )
    assert written == sum(len(docstring.examples) for docstring in DOCSTRINGS) > 190
    assert {*SLOW, *TRAINED} <= {docstring.name for docstring in DOCSTRINGS}
    assert len(SLOW) < len(DOCSTRINGS) / 10


@pytest.mark.parametrize(
    ("text", "decimals"),
    [
        (">>> 1 + 1\n3\n", True),
        (">>> 1 + 1\n", True),
        (">>> 1 / 0\n", True),
        (">>> (0.5, 2)\n(0.7, 3)\n", False),
        (">>> int('a')\nTraceback (most recent call last):\n    ...\nValueError: other\n", True),
    ],
)
def test_a_wrong_example_is_noticed(text, decimals):
    with pytest.raises((AssertionError, ZeroDivisionError)):
        check(Docstring("", "", text).examples, {}, decimals)


def test_a_right_example_passes():
    text = ">>> print('said'), 2\nsaid\n(None, 2)\n>>> (0.5, 2)\n(0.7, 2)\n>>> x = 1\n"
    check(Docstring("", "", text).examples, {}, decimals=False)
