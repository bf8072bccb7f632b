"""Everything that is taken from Keras and is not public there, in one place.

Tried with Keras 3.15. `tests/test_private_keras.py` says which of it is gone when Keras changes;
`setup.cfg` bounds the version by what was tried.
"""

from typing import Any

import keras
from keras.src.backend.common.symbolic_scope import in_symbolic_scope

__all__ = ["calls_by_depth", "graph_of", "in_symbolic_scope", "parts_of"]


def graph_of(model: keras.Operation) -> Any:
    """The graph of layers inside a Functional or Sequential model.

    Returns:
        `None` for a plain layer, for a Sequential that is not built, and for a model whose `call`
        is code of its own: what it does cannot be read off a graph.
    """
    home = next((c for c in type(model).__mro__ if "call" in vars(c)), None)
    if home is keras.Sequential:
        return model._functional
    is_functional = home is not None and home.__name__ == "Functional"  # the class is not public
    return model if is_functional and home.__module__.startswith("keras.") else None


def parts_of(layer: keras.Layer) -> list[keras.Layer]:
    """All layers that a layer is made of, those of its parts included."""
    return layer._flatten_layers(include_self=False, recursive=True)


def calls_by_depth(graph: keras.Model) -> dict[int, list]:
    """The calls of a graph (Keras nodes) by their distance from its outputs."""
    return graph._nodes_by_depth
