"""Training at 224 × 224 pixels fits into 4 GB, whichever layer is followed."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

STEP = """
import json, resource, sys
import keras, numpy as np
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import training_stream
from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN

keras.utils.set_random_seed(0)
network = keras.applications.MobileNetV2(weights=None, classes=10, classifier_activation=None)
images = np.random.default_rng(0).integers(0, 256, (96, 224, 224, 3), "uint8")
labels = np.arange(96) % 10
gan = NaturalFilterGAN(FrozenTarget(network, int(sys.argv[1])), 2, rank=8)
gan.compile()
gan.adapt(images[:48], labels[:48], batch_size=16)
stream = training_stream(images, labels, batch_size=16, latent_dim=2, seed=0,
                         noise_shape=gan.target.activation_shape, code_shape=gan.code_shape)
history = gan.fit(stream, steps_per_epoch=3, epochs=1, shuffle=False, verbose=0).history
del stream  # its thread would wait for the interpreter, which ends
weights = sum(int(np.prod(w.shape)) for w in gan.discriminator.trainable_weights)
print(json.dumps({"gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                  "d_loss": float(history["d_loss"][0]), "weights": weights}))
"""


@pytest.mark.parametrize("layer", [4, 12, 30])  # maps of 112², 28² and 14² places
def test_a_step_of_a_wide_layer(layer):
    command = [sys.executable, "-c", STEP, str(layer)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["gigabytes"] < 4
    assert found["weights"] < 4e6
    assert 0 < found["d_loss"] < 100
