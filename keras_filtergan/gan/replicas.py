"""What the devices of a `tf.distribute` strategy have to tell each other within a step.

Each replica plays its slice of the batch. Means over examples need nothing: gradients are averaged
over replicas. Whatever else runs over the whole batch comes from here; on one device, and outside
of a strategy, all of it is the identity.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def count() -> int:
    """How many replicas play this step.

    Example:
        >>> count()
        1
    """
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def total(sums: tf.Tensor) -> tf.Tensor:
    """Sums over a slice of the batch → sums over the batch.

    Its gradient is a sum over replicas as well. So what is computed from totals is the same on each
    of R replicas, and a gradient through it is R times the share of the replica, as if it were the
    mean of R losses.

    Example:
        >>> float(total(tf.constant(3.0)))
        3.0
    """
    if count() == 1:
        return sums
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, sums)


def mean(values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Means over a slice of the batch → means over the batch, by one message for all of them.

    Args:
        values: numbers `()`.
    """
    if count() == 1:
        return list(values)
    context = tf.distribute.get_replica_context()
    return tf.unstack(context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.stack(values)))


def before(values: tf.Tensor) -> tf.Tensor:
    """Row i - 1 of the batch at the place of row i; the last row comes before the first.

    Args:
        values: `(m, …)`, of a slice.

    Example:
        >>> before(tf.constant([1, 2, 3])).numpy()
        array([3, 1, 2], dtype=int32)
    """
    if count() == 1:
        return tf.roll(values, 1, axis=0)
    context = tf.distribute.get_replica_context()
    lasts = context.all_gather(values[-1:], axis=0)  # (R, …)
    place = (context.replica_id_in_sync_group - 1) % context.num_replicas_in_sync
    return tf.concat([lasts[place][None], values[:-1]], axis=0)


def assign(variables: Sequence[keras.Variable], values: Sequence[tf.Tensor]) -> None:
    """Give variables values that are the same on each replica."""
    if count() == 1:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return

    def update(strategy: tf.distribute.Strategy, held: Sequence[Any]) -> None:
        for variable, value in zip(variables, held, strict=True):
            strategy.extended.update(
                variable.value, lambda one, new: one.assign(new), args=(value,), group=False
            )

    tf.distribute.get_replica_context().merge_call(update, args=(list(values),))


def copies(variable: keras.Variable) -> tuple[tf.Variable, ...]:
    """What the replicas of this process hold of a variable; it alone on one device.

    Reading a running mean of several processes as a whole takes all of them.

    Example:
        >>> len(copies(keras.Variable(1.0)))
        1
    """
    return getattr(variable.value, "values", (variable.value,))
