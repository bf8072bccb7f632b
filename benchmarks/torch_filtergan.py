"""FilterGAN's step in torch: what `FilterGAN.train_step` does, by hand.

    step = TorchFilterGAN(gan)      # one of ours, on layer 4 of the standard classifier
    terms = step(batch)             # one step; the same losses as ours from the same weights
    batch = next(step.stream(images, labels, 64))

With `merged`, gradients are taken with as few backward passes as autograd allows: Q's serves G as
well, and G's serves T. Without, each player's is taken by itself, as ours are.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F
from torch_players import players_of

from keras_filtergan.data import to_unit_interval

TEMPERATURE = 3.0
NAMES = ("d_loss", "g_loss", "code_error", "answer_loss", "unexplained")
NOISES = ("noise_real", "noise_fake", "noise_code")


class TorchFilterGAN:
    """The players of one of our `FilterGAN`, with optimizers like its own.

    Args:
        gan: built, compiled and adapted; its weights are copied and it stays as it is.
        merged: share backward passes.
    """

    def __init__(self, gan, merged: bool = True):
        self.target, self.generator, self.discriminator, self.transformation = players_of(gan)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.merged = merged
        self.answer_weight, self.image_weight = gan.answer_weight, gan.image_weight
        self.averaging = gan.averaging
        controls = (gan.discriminator_noise, gan.code_weight, gan.code_noise)
        self.d_noise, self.code_weight, self.code_noise = (
            torch.tensor(float(control.value)) for control in controls
        )
        self.goals = [(c.goal, c.rate, c.lowest, c.highest) for c in controls]
        self.g, self.d = list(self.generator.parameters()), self.discriminator.d_parameters
        self.q, self.t = self.discriminator.q_parameters, list(self.transformation.parameters())
        slow = {"alpha": 0.9, "eps": 1e-7}
        self.optimizers = [
            torch.optim.RMSprop(self.g, 1e-3, **slow),
            torch.optim.RMSprop(self.d, 5e-4, **slow),
            torch.optim.RMSprop(self.q, 5e-4, **slow),
            torch.optim.Adam(self.t, 3e-3, eps=1e-7),
        ]
        self.steps, self.means = 0, torch.zeros(11)

    def __call__(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """One step; the losses at its start."""
        terms, gradients = self.gradients(batch)
        players = self.g, self.d, self.q, self.t
        for optimizer, parameters, grads in zip(self.optimizers, players, gradients, strict=True):
            for parameter, gradient in zip(parameters, grads, strict=True):
                parameter.grad = gradient
            optimizer.step()
        self._average()
        with torch.no_grad():
            self._balance(terms)
        return terms

    def gradients(self, batch: dict[str, torch.Tensor]) -> tuple[dict, list]:
        """Losses, and the gradients of G, D, Q and T, all at the weights of the start."""
        seen = self._play(batch)
        d_loss = F.softplus(-seen["real"]).mean() + F.softplus(seen["fake"]).mean()
        g_loss = F.softplus(-seen["fake"]).mean()
        losses = (d_loss, g_loss, seen["code_error"], seen["answer_loss"], seen["unexplained"])
        take = self._merged if self.merged else self._by_player
        gradients = take(seen["generated"], *losses)
        terms = dict(zip(NAMES, (loss.detach() for loss in losses), strict=True))
        with torch.no_grad():
            terms["real_accuracy"] = (seen["real"] > 0).float().mean()
            terms["fake_accuracy"] = (seen["fake"] < 0).float().mean()
            terms["activation_variation"] = seen["variation"]
        return terms, gradients

    def _by_player(self, _, d_loss, g_loss, code_error, answer_loss, unexplained) -> list:
        objective = (
            g_loss
            + self.code_weight * code_error
            + self.answer_weight * answer_loss
            + self.image_weight * unexplained
        )
        gradient = torch.autograd.grad
        return [
            gradient(objective, self.g, retain_graph=True),
            gradient(d_loss, self.d, retain_graph=True),
            gradient(code_error, self.q, retain_graph=True),
            gradient(unexplained, self.t),
        ]

    def _merged(self, generated, d_loss, g_loss, code_error, answer_loss, unexplained) -> list:
        gradient = torch.autograd.grad
        d = gradient(d_loss, self.d, retain_graph=True)
        of_code, *q = gradient(code_error, [generated, *self.q], retain_graph=True)
        (of_verdict,) = gradient(g_loss, generated, retain_graph=True)
        rest = self.answer_weight * answer_loss + self.image_weight * unexplained
        upstream = [torch.ones(()), of_verdict + self.code_weight * of_code]
        both = gradient([rest, generated], [*self.g, *self.t], upstream)
        t = [part / self.image_weight for part in both[len(self.g) :]]
        return [both[: len(self.g)], d, q, t]

    def _play(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        target, judge = self.target, self.discriminator
        images, latents = batch["image"], batch["latent"]
        with torch.no_grad():
            features = target.features(images)
            real_maps = target.activations(features)
            real, answer = judge.standardize(real_maps), target.suffix(real_maps)
        kernels = self.generator(latents)
        generated = target.activations(features, kernels)
        other = target.activations(features, kernels.roll(1, 0))
        fake = judge.standardize(generated)
        verdicts = judge.judge(
            real + self.d_noise * batch["noise_real"],
            fake + self.d_noise * batch["noise_fake"],
            fake + self.code_noise * batch["noise_code"],
        )
        moved = target.features(self.transformation(images, latents.roll(1, 0), latents))
        left = judge.standardize(target.activations(moved, kernels)) - judge.standardize(other)
        change = fake - judge.standardize(other)
        answers = (F.log_softmax(a / TEMPERATURE, 1) for a in (target.suffix(generated), answer))
        with torch.no_grad():
            over_latents = (generated - other).square().mean(0).sum() / 2
            variation = over_latents / real_maps.var(0).sum()
        return {
            "generated": generated,
            "real": judge.logits(verdicts[0], batch["label"]),
            "fake": judge.logits(verdicts[1], batch["label"]),
            "code_error": (verdicts[2] - latents).square().mean(),
            "answer_loss": TEMPERATURE**2
            * F.kl_div(*answers, log_target=True, reduction="batchmean"),
            "unexplained": left.square().mean() / change.square().mean(),
            "variation": variation,
        }

    def _average(self) -> None:
        self.steps += 1
        decay = min(self.averaging, (1 + self.steps) / (10 + self.steps))
        for average, raw in zip(self.averaged.parameters(), self.g, strict=True):
            average.lerp_(raw.detach(), 1 - decay)

    def _balance(self, terms: dict[str, torch.Tensor]) -> None:
        """Adjust the three controls, and keep the means that are logged."""
        error = terms["code_error"]
        controls = self.d_noise, self.code_weight, self.code_noise
        self.means += torch.stack([*terms.values(), *controls])
        accuracy = (terms["real_accuracy"] + terms["fake_accuracy"]) / 2
        way = torch.where(error < 0.5, 4.0, 1.0)
        variation = terms["activation_variation"].clamp_max(1.0)
        measured = (accuracy, variation, error.clamp_max(1.0))
        paces = (1.0, (1.0 - error).clamp_min(0.0), way)
        for value, (goal, rate, low, high), found, pace in zip(
            controls, self.goals, measured, paces, strict=True
        ):
            value.mul_(torch.exp(pace * rate * (found - goal))).clamp_(low, high)

    def stream(
        self, images: np.ndarray, labels: np.ndarray, size: int
    ) -> Iterator[dict[str, torch.Tensor]]:
        """Endless batches of bytes `(n, h, w, c)`, with noise from torch's own generator."""
        images = np.ascontiguousarray(np.moveaxis(images, 3, 1))
        labels = torch.tensor(labels, dtype=torch.int64)
        latent_dim = self.generator.latent_in.in_features
        with torch.no_grad():
            first = torch.tensor(to_unit_interval(images[:1]))
            noise = self.target.conv(self.target.features(first)).shape[1:]
        while True:
            order = torch.randperm(len(images))
            for chosen in order.split(size)[: len(images) // size]:
                yield {
                    "image": torch.tensor(to_unit_interval(images[chosen.numpy()])),
                    "label": labels[chosen],
                    "latent": torch.randn(size, latent_dim),
                    **{name: torch.randn(size, *noise) for name in NOISES},
                }


def as_torch(batch: dict) -> dict[str, torch.Tensor]:
    """A batch of `data.training_stream`, channels first."""
    moved = {key: torch.tensor(np.asarray(value)) for key, value in batch.items()}
    moved["label"] = moved["label"].long()
    maps = {key: value.permute(0, 3, 1, 2) for key, value in moved.items() if value.ndim == 4}
    return moved | {key: value.contiguous() for key, value in maps.items()}
