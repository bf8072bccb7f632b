"""README and the page on the card: short, and complete."""

import re

from pages import DOCS, ROOT

from keras_filtergan.evaluation.registry import METRICS


def test_the_readme_is_short_and_its_film_small():
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") <= 120
    assert "docs/figures/walk.gif" in text
    assert (DOCS / "figures" / "walk.gif").stat().st_size < 1_000_000


def test_every_metric_is_on_the_page_that_explains_the_card():
    told = set(re.findall(r"`(\w+)`", (DOCS / "read_the_card.md").read_text()))
    assert not set(METRICS) - told
