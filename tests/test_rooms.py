"""The rooms of the package and the order in which they may import one another."""

import ast
import importlib
from pathlib import Path

import pytest

import keras_filtergan

PACKAGE = Path(keras_filtergan.__file__).parent
# Each room imports from those before it and from itself, and from none after it.
ORDER = (
    *("lazy", "doors", "errors", "names", "files", "private_keras"),
    "guards",
    "precision",
    *("processor", "window", "convolution", "displacement"),
    *("data", "generators", "classifiers", "images"),
    *("gan", "distribution", "inversion", "layers", "plots", "evaluation", "runs"),
    *("augmentation", "instruments", "report"),
    *("cli", "__main__"),
)
# Within a room of rooms, a study imports no other study but those above it.
INSTRUMENTS = ("reach", "stability", "spectra", "maximize", "adversarial", "latents", "uncertainty")


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imported(module: str, text: str) -> set[str]:
    """Modules of the package that a file names in its imports, wherever they stand."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                found.add(whole if whole in MODULES else node.module)
    return {name for name in found if name in MODULES and name not in (module, "keras_filtergan")}


def room(module: str) -> str:
    return module.split(".")[1]


GRAPH = {
    module: imported(module, file.read_text())
    for module, file in MODULES.items()
    if module != "keras_filtergan"
}


def test_every_room_has_its_place_in_the_order():
    assert {room(module) for module in GRAPH} == set(ORDER)


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_imports_only_go_up_the_list(module):
    for other in GRAPH[module]:
        assert ORDER.index(room(other)) <= ORDER.index(room(module)), f"{other} is below"


def test_no_instrument_imports_one_below_it():
    for module, others in GRAPH.items():
        parts = module.split(".")
        if parts[1] != "instruments" or len(parts) < 4:
            continue
        for other in others:
            names = other.split(".")
            if names[1] == "instruments" and len(names) > 3:
                assert INSTRUMENTS.index(names[2]) <= INSTRUMENTS.index(parts[2]), (module, other)


def test_no_module_imports_itself_by_way_of_others():
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != 1, " → ".join((*path, module))
        if module in state:
            return
        state[module] = 1
        for other in sorted(GRAPH.get(module, ())):
            visit(other, (*path, module))
        state[module] = 2

    for module in GRAPH:
        visit(module, ())


def test_the_walk_sees_an_import_wherever_it_stands():
    text = "def f():\n    from keras_filtergan.cli import module\n    import keras_filtergan.runs\n"
    assert imported("keras_filtergan.data.stratify", text) == {
        "keras_filtergan.cli.module",
        "keras_filtergan.runs",
    }


def test_no_folder_is_crowded():
    for folder in {file.parent for file in MODULES.values()}:
        assert len(list(folder.glob("*.py"))) <= 14, folder


def test_names_of_the_package_exist():
    for name in keras_filtergan.__all__:
        assert getattr(keras_filtergan, name) is not None
    for name in MODULES:
        if not name.endswith("__main__"):
            importlib.import_module(name)


def lines_of_code(function: ast.FunctionDef) -> int:
    """From its first line to its last, without the docstring."""
    total = function.end_lineno - function.lineno + 1
    text = function.body[0] if ast.get_docstring(function) else None
    return total - (text.end_lineno - text.lineno + 1 if text else 0)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_files_and_functions_fit_a_screen_or_a_few(module):
    text = MODULES[module].read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert lines_of_code(node) <= 50, node.name


def test_lines_of_code_leave_the_docstring_out():
    [function] = ast.parse('def f():\n    """One\n\n    two."""\n    x = 1\n    return x\n').body
    assert lines_of_code(function) == 3
