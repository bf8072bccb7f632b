"""What tests of commands share."""

import contextlib
import functools

import numpy as np
import pytest

from keras_filtergan.runs import gallery

QUICK = ["--steps", "3", "--batch-size", "8", "--latent-dim", "2"]


def write_npz(folder, dataset, name="patterns", **changes):
    """A data set as a file, with other arrays in the place of its own."""
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / f"{name}.npz", **{**arrays, **changes})
    return str(folder / f"{name}.npz")


@contextlib.contextmanager
def few_inversion_steps():
    """Pictures that nobody looks at take few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "Inverter", functools.partial(gallery.Inverter, steps=5))
        yield


def one_line(capsys):
    """The error that a command wrote, which has to be one line."""
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error
