"""Where each player moves: the gradients of one step."""

from typing import NamedTuple, Protocol

import keras
import tensorflow as tf

from keras_filtergan.gan.control import Control
from keras_filtergan.gan.replicas import count
from keras_filtergan.gan.rounds import Round
from keras_filtergan.generators.discriminator import Discriminator


class Players(Protocol):
    """What a `FilterGAN` has of players and weights."""

    raw_generator: keras.Model
    discriminator: Discriminator
    transformation: keras.Model
    code_weight: Control
    answer_weight: float
    image_weight: float
    bias_weight: float

    @property
    def q_variables(self) -> list:
        """What Q trains."""
        ...


class Gradients(NamedTuple):
    """Of each player's objective with respect to its variables, at the start of a step."""

    g: list[tf.Tensor]
    d: list[tf.Tensor]
    q: list[tf.Tensor]
    t: list[tf.Tensor]


def gradients(
    gan: Players, tape: tf.GradientTape, seen: Round, d_loss: tf.Tensor, g_loss: tf.Tensor
) -> Gradients:
    """Go backwards through each network as few times as can be.

    Args:
        gan: the players.
        tape: persistent, on which the round was played and the losses were taken.
        seen: the round.
        d_loss, g_loss: of D, and of G against D.
    """
    judge, generator = gan.discriminator, gan.raw_generator.trainable_variables
    of_d, of_verdict = judge.verdict_gradients(tape, (d_loss, g_loss), seen.fake_logits, seen.fake)
    zero = tf.UnconnectedGradients.ZERO
    of_q, *of_code = tape.gradient(
        seen.code_error, (gan.q_variables, seen.fake, seen.other), unconnected_gradients=zero
    )
    # G's objective: its adversarial loss + λ · code error, through D and Q as they are above,
    # + the answer loss + the unexplained share + the bias.
    weight = gan.code_weight.value
    of_g = tape.gradient(
        [seen.fake, seen.other, seen.answer_loss, seen.unexplained, seen.bias],
        generator,
        output_gradients=[
            of_verdict + weight * of_code[0],
            weight * of_code[1],
            tf.constant(gan.answer_weight),
            tf.constant(gan.image_weight),
            tf.constant(gan.bias_weight),
        ],
    )
    of_t = tape.gradient([seen.unexplained, seen.alikeness], gan.transformation.trainable_variables)
    found = Gradients(of_g, of_d, of_q, of_t)
    replicas = count()
    if replicas == 1:
        return found
    # Optimizers add what replicas bring; each loss is a mean over a slice of the batch.
    return Gradients(*([gradient / replicas for gradient in player] for player in found))
