"""Every default of training, in one place."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Hyperparameters:
    """What the game between G, D, Q and T is played with.

    `FilterGAN`, `Settings` and the command line take their defaults from here.

    Attributes:
        latent_dim: length d of a latent.
        rank: natural directions that Q sees; without meaning for `infogan`.
        conditional: give D one more logit a class.
        generator_loss: `"non_saturating"` or `"saturating"`.
        code_weight: λ, or its first value if `variation_goal` is given.
        variation_goal: V_z / V_x of the activations at which λ holds it; `None`: fixed λ.
        code_noise: σ of the noise on Q's input; `None`: from `adapt`, held where Q can read.
        discriminator_noise: σ of the noise on D's inputs, or its first value.
        accuracy_goal: accuracy of D at which its noise is held; `None`: fixed noise.
        answer_weight: weight of the answer loss in G's objective.
        image_weight: weight of the unexplained share in G's objective.
        bias_weight: weight of the bias in G's objective: how far G's mean kernels take activations
            from the real ones.
        averaging: decay of the averaged generator, per step.
        architecture: which networks play, of `architectures.ARCHITECTURES`.
        g_learning_rate, dq_learning_rate, t_learning_rate: of RMSprop for G, and for D and Q, and
            of Adam for T.

    Example:
        >>> INFOGAN.variation_goal
        0.45
    """

    latent_dim: int = 4
    rank: int = 50
    conditional: bool = True
    generator_loss: str = "non_saturating"
    code_weight: float = 5.0
    variation_goal: float | None = 0.22
    code_noise: float | None = None
    discriminator_noise: float = 1.0
    accuracy_goal: float | None = 0.75
    answer_weight: float = 8.0
    image_weight: float = 20.0
    bias_weight: float = 10.0
    averaging: float = 0.998
    architecture: str = "linear"
    g_learning_rate: float = 1e-3
    dq_learning_rate: float = 5e-4
    t_learning_rate: float = 3e-3


NATURAL = Hyperparameters()
INFOGAN = Hyperparameters(
    variation_goal=0.45, answer_weight=3.0, image_weight=5.0, bias_weight=0.0, architecture="shared"
)
# What every method's players take; the rest is the optimizers' or a method's own.
OF_PLAYERS = (
    *("latent_dim", "conditional", "generator_loss", "code_weight", "variation_goal"),
    *("code_noise", "discriminator_noise", "accuracy_goal", "answer_weight", "image_weight"),
    *("bias_weight", "averaging", "architecture"),
)
