"""Graphs that end with their run: everything that is taken from TensorFlow and is not public there.

Tried with TensorFlow 2.21. Where it is not found, memory grows from run to run and all else is the
same; `tests/test_growth.py` says so when TensorFlow changes.
"""

import contextlib
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.eager.polymorphic_function import polymorphic_function
from tensorflow.python.framework import ops

__all__ = ["begin_afresh", "forget_traces", "let_go_of_graphs"]

_KEPT = "_keras_filtergan_gradients"  # of a graph: the gradients that live as long as it does


def let_go_of_graphs() -> None:
    """Have each graph keep its custom gradients, so that it ends when nobody needs it any more.

    TensorFlow registers the gradient of each call that it traces of a `tf.custom_gradient`
    (`tf.nn.silu` is one) for as long as the process lives. With it stays the whole graph, and all
    constants in it: some 30 MB of a training. After this the registry has weak references to them.
    It can be called at any time, and changes no number.

    Example:
        >>> network = tf.function(tf.nn.silu)
        >>> network(tf.constant([0.0])).numpy()
        array([0.], dtype=float32)
        >>> let_go_of_graphs()
        >>> del network  # and its graph is gone
    """
    entries = getattr(ops.gradient_registry, "_registry", {})
    for name, entry in list(entries.items()):
        gradient = entry["type"]
        if not name.startswith("CustomGradient-") or isinstance(gradient, _OfLivingGraph):
            continue
        graph = _graph_of(gradient)
        if graph is not None:
            setattr(graph, _KEPT, [*getattr(graph, _KEPT, []), gradient])
            entry["type"] = _OfLivingGraph(gradient)
            weakref.finalize(gradient, entries.pop, name, None).atexit = False


def forget_traces() -> None:
    """Have TensorFlow count from here on how often a function is traced.

    It counts by the code of a function, and warns of the fifth trace. Networks that come one after
    the other have functions of their own, which are traced once each: nothing to warn of.

    Example:
        >>> forget_traces()
    """
    manager = getattr(polymorphic_function, "_frequent_tracing_detector_manager", None)
    getattr(manager, "_detectors", {}).clear()


def begin_afresh() -> None:
    """Have TensorFlow forget what is left of runs that are over: traces, and compiled kernels.

    Its cache of kernels has one for each function of `tf.data` that there ever was: 3 MB a run.
    """
    forget_traces()
    kernels = context.context()
    if kernels is not None:
        kernels.clear_kernel_cache()


class _OfLivingGraph:
    """A registered gradient that does not keep its graph."""

    def __init__(self, gradient: Callable[..., Any]):
        self._held = weakref.ref(gradient)

    def __call__(self, op: tf.Operation, *upstream: tf.Tensor) -> Any:
        gradient = self._held()
        if gradient is None:
            raise LookupError(f"the graph of {op.name} is gone, and its gradient with it")
        return gradient(op, *upstream)


def _graph_of(gradient: Callable[..., Any]) -> Any:
    """The graph in which a custom gradient was traced; `None` if it cannot be found."""
    with contextlib.suppress(KeyError, TypeError):
        inner = inspect.getclosurevars(gradient).nonlocals["tape_grad_fn"]
        result = inspect.getclosurevars(inner).nonlocals["result"]
        for tensor in tf.nest.flatten(result, expand_composites=True):
            if tf.is_symbolic_tensor(tensor):
                return tensor.graph
    return None
