"""Settings that are worth a name. Each says how long it takes and what it reaches."""

from keras_filtergan.names import by_name
from keras_filtergan.runs.settings import Settings


def paper_layer4() -> Settings:
    """The paper's network and layer 4 (its Fig. 3, high-level) on MNIST, by the natural method.

    11 minutes of one CPU core: `python train.py --preset paper-layer4`. What it reaches is in
    docs/results.md.
    """
    return Settings(layer=4, dataset="mnist", steps=4000)


def paper_layer2() -> Settings:
    """The paper's network and layer 2 (its Fig. 4, low-level) on MNIST, by the natural method.

    `python train.py --preset paper-layer2`: its steps take 12 to 13 minutes of one CPU core. What
    it reaches is in docs/results.md.
    """
    return Settings(layer=2, dataset="mnist", steps=4000)


def infogan() -> Settings:
    """The paper's Q, which reads activations, on layer 4 of the bundled sample.

    About 10 minutes on 2 CPU cores: `python train.py --preset infogan`. G then varies what no image
    varies by (docs/results.md).
    """
    return Settings.of_method("infogan", steps=4000)


def infogan_layer4() -> Settings:
    """The same on layer 4 of a network trained on MNIST.

    11 to 12 minutes on 2 CPU cores: `python train.py --preset infogan-layer4`. Mean of three seeds:
    classifier 0.9946, with generated kernels 0.9932 (the worst of 100 latents 0.982, in the worst
    run 0.978) at a variation of 0.49, code R² 0.88 (docs/results_infogan.md).
    """
    return Settings.of_method("infogan", layer=4, dataset="mnist", steps=6000)


def infogan_layer2() -> Settings:
    """The same on layer 2 of a network trained on MNIST.

    About 15 minutes on 2 CPU cores: `python train.py --preset infogan-layer2`. Mean of three seeds:
    classifier 0.9946, with generated kernels 0.9912 (the worst of 100 latents 0.938, in the worst
    run 0.902) at a variation of 0.45, code R² 0.81 (docs/results_infogan.md).
    """
    return Settings.of_method("infogan", layer=2, dataset="mnist", steps=6000)


def quick() -> Settings:
    """A smoke run on the bundled sample: does everything work here? The figures mean nothing yet.

    About a minute on 2 CPU cores: `python train.py --preset quick`.
    """
    return Settings(classifier_epochs=1, steps=300)


PRESETS = {
    "paper-layer4": paper_layer4,
    "paper-layer2": paper_layer2,
    "infogan": infogan,
    "infogan-layer4": infogan_layer4,
    "infogan-layer2": infogan_layer2,
    "quick": quick,
}


def preset(name: str) -> Settings:
    """Look a preset up by its name.

    Raises:
        InputError: there is none of that name; the message lists them.

    Example:
        >>> preset("paper-layer2").layer
        2
    """
    return by_name("preset", name, PRESETS)()
