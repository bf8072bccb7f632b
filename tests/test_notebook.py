"""The notebook of the guide, top to bottom, in a kernel of its own."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "use_your_own_network.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    return notebook


def printed(notebook) -> str:
    """What the cells print."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs if output.get("name") == "stdout")


def number(text: str, after: str) -> float:
    return float(re.search(rf"{after}\s+([0-9.]+)", text)[1])


@pytest.mark.slow
def test_it_runs_and_generated_kernels_keep_the_network_working(executed):
    text = printed(executed)
    real = number(text, "real kernels")
    assert real > 0.97
    assert number(text, "one latent") > real - 0.03
    assert number(text, "mean of ten") > real - 0.01
    assert number(text, "100 labels: real kernels") > 0.8
    assert number(text, "generated kernels in training") > 0.8


@pytest.mark.slow
def test_the_activations_vary_and_pictures_explain_some_of_it(executed):
    assert number(printed(executed), "'activation_variation':") > 0.1
    figures = [o for c in executed.cells for o in c.get("outputs", []) if "image/png" in str(o)]
    assert len(figures) == 2


def test_it_is_kept_with_what_it_shows():
    kept = nbformat.read(NOTEBOOK, as_version=4)
    assert "real kernels" in printed(kept)
    assert not [o for c in kept.cells for o in c.get("outputs", []) if o.get("name") == "stderr"]


TOUR = NOTEBOOK.with_name("tour.ipynb")


@pytest.fixture(scope="module")
def toured(tmp_path_factory):
    notebook = nbformat.read(TOUR, as_version=4)
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("tour"))}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    return notebook


@pytest.mark.slow
def test_the_tour_tells_speckle_from_what_is_natural(toured):
    text = printed(toured)
    images = number(text, "two pictures of a class:")
    natural = number(text, "the natural method:")
    speckle = number(text, "the paper's code head:")
    assert speckle < 0.2 < 0.4 < natural < images
    assert number(text, "right with generated ones:") > 0.9


def test_the_tour_is_kept_with_what_it_shows():
    kept = nbformat.read(TOUR, as_version=4)
    assert "the natural method" in printed(kept)
    outputs = [output for cell in kept.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in str(output) for output in outputs) == 3
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert TOUR.stat().st_size < 1_000_000
