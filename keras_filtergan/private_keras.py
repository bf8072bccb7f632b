"""Everything that is taken from Keras and is not public there, in one place.

Tried with Keras 3.15. `tests/test_private_keras.py` says which of it is gone when Keras changes;
`setup.cfg` bounds the version by what was tried.
"""

import io
from typing import Any

import keras
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from keras.src.saving import saving_lib

__all__ = ["calls_by_depth", "graph_of", "in_symbolic_scope", "parts_of", "saved_weights"]


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


def saved_weights(model: keras.Model) -> bytes:
    """What `save_weights` writes into a file, in memory.

    Where the disk is full, HDF5 leaves an open file that it cannot close, and the process dies of
    that when it ends.
    """
    content = io.BytesIO()
    store = saving_lib.H5IOStore(content, mode="w")
    try:
        saving_lib._save_state(
            model, weights_store=store, assets_store=None, inner_path="", visited_saveables=set()
        )
    finally:
        store.close()
    return content.getvalue()
