"""What is left of a real error of TensorFlow or Keras: one line with its cause, and where."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.guards.causes import cause_of, is_out_of_memory


class Adding(keras.layers.Layer):
    """A layer whose operation does not fit; only when it is called is that noticed."""

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape)

    def call(self, x):
        return x + tf.zeros([3, 7])


def model(layer):
    image = keras.Input((4, 4, 1))
    return keras.Model(image, layer(image))


def assertion_in_a_graph():
    @tf.function
    def run(x):
        with tf.name_scope("printer"):
            tf.debugging.assert_less(x, 1.0, message="no more paper")
        return x

    run(tf.constant(2.0))


def assertion_now():
    tf.debugging.assert_less(tf.constant(2.0), 1.0, message="no more paper")


def layer_now():
    model(Adding())(tf.zeros([2, 4, 4, 1]))


def layer_in_a_graph():
    tf.function(model(Adding(name="sum")))(tf.zeros([2, 4, 4, 1]))


def operation_now():
    tf.gather([1, 2, 3], [7])


def stream():
    def images():
        yield np.zeros(3, "float32")
        raise RuntimeError("the disk is gone")

    list(tf.data.Dataset.from_generator(images, output_signature=tf.TensorSpec([3])))


def python_in_a_stream():
    def read(number):
        raise ValueError("seven is no image")

    numbers = tf.data.Dataset.range(3)
    list(numbers.map(lambda number: tf.py_function(read, [number], tf.float32)))


def no_gradient():
    shrink = model(keras.layers.Resizing(3, 3, interpolation="area"))

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(shrink(x))
        return tape.gradient(value, x)

    gradient(tf.ones([2, 4, 4, 1]))


def unknown_layer():
    keras.layers.deserialize({**keras.layers.serialize(model(Adding(name="sum")))})


def memory_in_a_graph():
    @tf.function
    def run(n):
        return tf.reduce_sum(tf.random.normal([n, 10**7]))

    run(tf.constant(10**6))


def memory_of_numpy():
    np.zeros((10**8, 10**8))


@pytest.mark.parametrize(
    ("work", "cause", "where"),
    [
        (assertion_in_a_graph, "assertion failed: [no more paper]", "(at printer/assert_less/"),
        (assertion_now, "no more paper Condition x < y did not hold", ""),
        (layer_now, "Incompatible shapes: [2,4,4,1] vs. [3,7]", "(in Adding.call())"),
        (layer_in_a_graph, "Dimensions must be equal, but are 4 and 3 for ", "sum_1/add with"),
        (operation_now, "indices[0] = 7 is not in [0, 3)", "(in GatherV2)"),
        (stream, "RuntimeError: the disk is gone", "(at PyFunc)"),
        (python_in_a_stream, "ValueError: seven is no image", "(at EagerPyFunc)"),
        (no_gradient, "LookupError: gradient registry has no entry for: ResizeArea", ""),
        (unknown_layer, "Could not locate class 'Adding'", ""),
        pytest.param(  # TensorFlow tries for ten seconds
            *(memory_in_a_graph, "OOM when allocating tensor", "(at random_normal/"),
            marks=pytest.mark.slow,
        ),
        (memory_of_numpy, "Unable to allocate", ""),
    ],
)
def test_the_cause_is_one_line(work, cause, where):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        work()
    line = cause_of(raised.value)
    assert cause in line
    assert where in line
    assert len(line) < 600
    noise = (
        "\n",
        "\x1b",
        "Graph execution",
        "most recent call",
        "File ",
        "{{",
        "[[",
        "[Op:",
        "/job:",
    )
    assert not [word for word in (*noise, "Arguments received", "Hint:") if word in line]
    assert is_out_of_memory(raised.value) == work.__name__.startswith("memory")


def test_of_several_causes_the_first():
    """As TensorFlow writes them when two operations fail at once."""
    text = """Graph execution error:

Detected at node left/Assert defined at (most recent call last):
<stack traces unavailable>
Detected at node right/Assert defined at (most recent call last):
<stack traces unavailable>
2 root error(s) found.
  (0) INVALID_ARGUMENT:  assertion failed: [no ink]
\t [[{{node left/Assert}}]]
\t [[left/_2]]
  (1) INVALID_ARGUMENT:  assertion failed: [no paper]
\t [[{{node right/Assert}}]]
0 successful operations.
0 derived errors ignored. [Op:__inference_run_12]"""
    error = tf.errors.InvalidArgumentError(None, None, text)
    assert cause_of(error) == "assertion failed: [no ink] (at left/Assert)"


def test_an_error_without_a_word_is_told_by_its_origin():
    error = RuntimeError()
    error.__cause__ = KeyError("scale")
    assert cause_of(error) == "KeyError: 'scale'"
    assert cause_of(AssertionError()) == ""
