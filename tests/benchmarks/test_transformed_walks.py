import numpy as np
import pytest
from transformed_walks import GRID, _even, examined


def test_the_even_part_of_a_change():
    """Of s it is 0, of s² 1, of a sum the share of the squares."""
    s = np.linspace(-1, 1, GRID)[None, :, None] * np.ones((2, 1, 3))
    assert _even(5 + s) == pytest.approx(0)
    assert _even(5 + s**2) == pytest.approx(1)
    odd, even = np.square(s).sum(), np.square(s**2).sum()
    assert _even(s + s**2) == pytest.approx(even / (odd + even))


def test_of_a_run_with_a_t_that_does_nothing_nothing_is_explained(trained):
    kernel = trained.transformation.strengths.layers[-1].kernel
    kernel.assign(0 * kernel)
    deviation = trained.generator.deviation.kernel
    deviation.assign(deviation + 0.1)
    found = examined(trained)
    assert found["span 3"]["explained"] == pytest.approx(0, abs=1e-5)
    assert len(found["dimensions"]) == 3
    for row in found["dimensions"]:
        assert 0 <= row["even in G's activations"] <= 1
        assert np.isnan(row["even in real activations"])
