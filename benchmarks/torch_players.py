"""The networks of FilterGAN's step in torch: frozen classifier, G, D with Q, and T.

Each is made of one of ours and takes over its weights. Images are `(m, c, h, w)`, kernels
`(m, cout, cin, kh, kw)`, as torch has them; weights are permuted once, here. The frozen parts and D
compute channels last, which is a tenth to a half faster on a CPU.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from keras_filtergan.displacement import _splines
from keras_filtergan.gan.transformation import REACH, TAPS

LAST = torch.channels_last


def tensor(weight) -> torch.Tensor:
    """A weight of ours, as it is."""
    return torch.tensor(np.asarray(weight))


def convolution_of(layer) -> nn.Conv2d:
    """A Keras convolution, 3×3 with the padding "same" on odd sides or with stride 1."""
    kernel = tensor(layer.kernel).permute(3, 2, 0, 1)
    conv = nn.Conv2d(*kernel.shape[1::-1], kernel.shape[2:], stride=layer.strides, padding=1)
    conv.weight.data.copy_(kernel)
    conv.bias.data.copy_(tensor(layer.bias))
    return conv


def norm_of(layer) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(layer.gamma.shape[0], eps=layer.epsilon)
    norm.weight.data.copy_(tensor(layer.gamma))
    norm.bias.data.copy_(tensor(layer.beta))
    norm.running_mean.copy_(tensor(layer.moving_mean))
    norm.running_var.copy_(tensor(layer.moving_variance))
    return norm


def dense_of(layer, maps: tuple[int, int, int] | None = None) -> nn.Linear:
    """A dense layer; its inputs may be flattened maps `(h, w, c)`, which are `(c, h, w)` here."""
    kernel = tensor(layer.kernel)
    if maps is not None:
        kernel = kernel.reshape(*maps, -1).permute(2, 0, 1, 3).flatten(0, 2)
    dense = nn.Linear(*kernel.shape, bias=layer.use_bias)
    dense.weight.data.copy_(kernel.T)
    if layer.use_bias:
        dense.bias.data.copy_(tensor(layer.bias))
    return dense


class Target(nn.Module):
    """The standard classifier, split at its fourth convolution and frozen."""

    def __init__(self, target):
        super().__init__()
        layer = target.classifier.get_layer

        def block(number: int, pooled: bool) -> list[nn.Module]:
            parts = [convolution_of(layer(f"conv{number}")), norm_of(layer(f"norm{number}"))]
            return [*parts, nn.ReLU(), *[nn.MaxPool2d(2)] * pooled]

        self.prefix = nn.Sequential(*block(1, True), *block(2, True), *block(3, False))
        maps = target.classifier.get_layer("pool5").output.shape[1:]
        flat = [nn.Flatten(), dense_of(layer("logits"), tuple(maps))]
        self.suffix = nn.Sequential(norm_of(layer("norm4")), nn.ReLU(), *block(5, True), *flat)
        self.conv = convolution_of(layer("conv4"))
        self.eval().requires_grad_(False).to(memory_format=LAST)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return self.prefix(images)

    def activations(
        self, features: torch.Tensor, kernels: torch.Tensor | None = None
    ) -> torch.Tensor:
        if kernels is None:
            return self.conv(features)
        return own_kernels(features, kernels) + self.conv.bias[:, None, None]


def own_kernels(images: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """One grouped convolution, of torch's forms the fastest at the shapes of this step."""
    m, _, h, w = images.shape
    _, cout, depth, side, _ = kernels.shape
    folded = images.reshape(1, -1, h, w)
    groups = folded.shape[1] // depth
    return F.conv2d(folded, kernels.flatten(0, 1), padding=side // 2, groups=groups).view(
        m, cout, h, w
    )


class Generator(nn.Module):
    """G: its taps are numbered `(cin, kh, kw)`, so that kernels come out as torch takes them."""

    def __init__(self, generator):
        super().__init__()
        kh, kw, cin, cout = generator.kernel_shape
        order = torch.arange(kh * kw * cin).reshape(kh, kw, cin).permute(2, 0, 1).flatten()
        self.shape = cout, cin, kh, kw
        self.gain, self.scale = generator.mean_learning_rate, generator.scale
        self.latent_in = dense_of(generator.latent_in)
        self.hidden, self.deviation = dense_of(generator.hidden), dense_of(generator.deviation)
        self.deviation.weight.data = self.deviation.weight.data[order].contiguous()
        self.deviation.bias.data = self.deviation.bias.data[order].contiguous()
        self.channel = nn.Parameter(tensor(generator.channel))
        self.mean = nn.Parameter(tensor(generator.mean)[:, order].contiguous())

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        x = F.silu(self.latent_in(latents)[:, None] + self.channel)  # (m, cout, width)
        deviations = self.deviation(F.silu(self.hidden(x)))
        return (self.scale * (self.gain * self.mean + deviations)).view(-1, *self.shape)


class Discriminator(nn.Module):
    """D with its code head Q."""

    def __init__(self, discriminator):
        super().__init__()
        convs = [o for o in discriminator.trunk.layers if hasattr(o, "kernel")]
        first, second, dense = convs
        leaky = nn.LeakyReLU(0.2)
        maps = tuple(second.output.shape[1:])
        self.trunk = nn.Sequential(
            *(convolution_of(first), leaky, convolution_of(second), leaky),
            *(nn.Flatten(), dense_of(dense, maps), leaky),
        ).to(memory_format=LAST)
        self.verdict, self.code = dense_of(discriminator.verdict), dense_of(discriminator.code)
        standard = discriminator.standardize
        self.mean = tensor(standard.mean).reshape(-1, 1, 1)
        self.deviation = tensor(standard.variance).sqrt().clamp_min(1e-7).reshape(-1, 1, 1)

    def standardize(self, activations: torch.Tensor) -> torch.Tensor:
        return (activations - self.mean) / self.deviation

    def judge(self, real, fake, code) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Verdicts of real and fake, and codes.

        Three passes: one of all would be as fast forward, but each loss would go back through all.
        """
        return (
            self.verdict(self._features(real)),
            self.verdict(self._features(fake)),
            self.code(self._features(code)),
        )

    def _features(self, activations: torch.Tensor) -> torch.Tensor:
        return self.trunk(activations.contiguous(memory_format=LAST))

    @staticmethod
    def logits(verdicts: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return verdicts[:, 0] + verdicts[:, 1:].gather(1, labels[:, None])[:, 0]

    @property
    def d_parameters(self) -> list[nn.Parameter]:
        return [*self.trunk.parameters(), *self.verdict.parameters()]

    @property
    def q_parameters(self) -> list[nn.Parameter]:
        return [*self.trunk.parameters(), *self.code.parameters()]


class ClipInward(torch.autograd.Function):
    """Clip to [0, 1]; only what leads further out has no gradient."""

    @staticmethod
    def forward(ctx, values):
        ctx.save_for_backward(values)
        return values.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx, upstream):
        (values,) = ctx.saved_tensors
        outward = ((values < 0) & (upstream > 0)) | ((values > 1) & (upstream < 0))
        return upstream.masked_fill(outward, 0.0)


class Transformation(nn.Module):
    """T: spline field, bilinear sampling, a small convolution and a gain."""

    def __init__(self, transformation, image_shape: tuple[int, int, int]):
        super().__init__()
        h, w, _ = image_shape
        grid = transformation.grid
        first, second, last = (dense_of(layer) for layer in transformation.strengths.layers)
        self.strengths = nn.Sequential(first, nn.SiLU(), second, nn.SiLU(), last)
        rows, columns = (torch.tensor(_splines(n, grid).numpy()) for n in (h, w))
        self.splines = torch.einsum("hi,wj->hwij", rows, columns).reshape(h, w, grid**2)
        places = (torch.linspace(-1.0, 1.0, n) for n in (w, h))
        self.places = torch.stack(torch.meshgrid(*places, indexing="xy"), -1)  # (h, w, 2), x first
        # grid_sample measures in halves of a side, ours in pixels, rows first
        self.reach = REACH * max(h, w) * torch.tensor([2 / (w - 1), 2 / (h - 1)])

    def forward(self, images, origins, latents) -> torch.Tensor:
        m, c, _, _ = images.shape
        strengths = self.strengths(latents) - self.strengths(origins)
        bend = strengths.shape[1] - TAPS**2 - 1
        lattice, taps, gain = strengths.split([bend, TAPS**2, 1], 1)
        field = self.splines @ lattice.view(m, 1, -1, 2).flip(-1)  # (m, h, w, 2), x first
        bent = F.grid_sample(
            images, self.places + self.reach * field, padding_mode="border", align_corners=True
        )
        kernels = taps.reshape(m, 1, 1, TAPS, TAPS).expand(m, c, 1, TAPS, TAPS)
        return ClipInward.apply(
            (bent + own_kernels(bent, kernels)) * (1.0 + gain[:, :, None, None])
        )


def players_of(gan) -> tuple[Target, Generator, Discriminator, Transformation]:
    """Target, G, D and T of a `FilterGAN` on layer 4 of the standard classifier."""
    if gan.target.layer_name != "conv4" or math.prod(gan.target.layer.strides) != 1:
        raise SystemExit(
            f"expected layer 4 of the standard classifier, got {gan.target.layer_name}"
        )
    return (
        Target(gan.target),
        Generator(gan.raw_generator),
        Discriminator(gan.discriminator),
        Transformation(gan.transformation, gan.target.image_shape),
    )
