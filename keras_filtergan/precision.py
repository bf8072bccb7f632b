"""What this package computes with: single precision, whatever the policy of Keras is meanwhile."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """Make layers of single precision, as a context or as a decorator of a function.

    Under `keras.mixed_precision.set_global_policy("mixed_float16")` every layer that is not told
    otherwise computes in half precision. The players of a GAN must not: gradients of a game vanish
    there, and a generator that was trained so would be another one. A layer that is given a
    `dtype=` keeps it.

    Example:
        >>> with single_precision():
        ...     layer = keras.layers.Dense(3)
        >>> layer.compute_dtype
        'float32'
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def made_single(init: Callable[..., None]) -> Callable[..., None]:
    """Decorates the `__init__` of a layer: all that it makes is in single precision.

    Keras reads the arguments of an `__init__` off its signature, which is kept.

    Example:
        >>> class Head(keras.layers.Layer):
        ...     @made_single
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        >>> Head().compute_dtype
        'float32'
    """

    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        with single_precision():
            init(self, *args, **kwargs)

    wrapped.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]
    return wrapped
