"""The two ways a run can stop on purpose, each with its exit code."""


class InputError(ValueError):
    """Bad arguments or bad input (exit code 2).

    The message is one line: what was expected, what was received, what to do next. It names
    arguments in backticks, which the command line shows as its options.
    """

    # Keras wraps what a layer raises in a page about the call, unless it takes it for wrapped.
    _keras_call_info_injected = True

    # AutoGraph, as in tf.data.map, raises a type of its own instead of one whose constructor is not
    # Exception's: `except InputError` would miss it.
    __init__ = Exception.__init__


class DivergenceError(RuntimeError):
    """Training produced a NaN or an infinite number (exit code 1).

    The message names the step and the term; the last good checkpoint is kept.
    """
