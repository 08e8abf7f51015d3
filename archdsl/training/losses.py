"""What training makes small: cross-entropy, and for masks the soft Dice loss beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from archdsl.data import Description
from archdsl.errors.data import OutputsDoNotFit

_LEAST = 1e-7  # a probability of 0 or 1 has no logit

_LOGITS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda logits: logits,
    "sigmoid": lambda chances: chances.clamp(_LEAST, 1 - _LEAST).logit(),
    "softmax": lambda chances: chances.clamp(min=_LEAST).log(),
}

_SMOOTH = 1.0  # a pixel: a class that is neither there nor found has a Dice of 1, not 0/0


def class_logits(
    output: Tensor | Sequence[Tensor],
    description: Description,
    size: tuple[int, ...],
    name: str = "out",
    activation: str = "",
) -> Tensor:
    """A network's output as a logit for each class: batch x classes (x height x width).

    Probabilities, of a head with `activation` sigmoid or softmax, are turned back into logits. One
    logit for two classes is that of the second against a first of zero, so that softmax is its sigmoid.
    An output coarser than the masks is resized to `size`, bilinearly.

    Raises:
        OutputsDoNotFit: the number of channels or of dimensions is another.
    """
    if not isinstance(output, Tensor):  # a network without a head gives its maps
        raise OutputsDoNotFit(name, (), description.task, description.classes)
    dimensions = 4 if description.task == "segmentation" else 2
    channels = output.shape[1] if output.ndim > 1 else 0
    single = channels == 1 and description.classes == 2
    if output.ndim != dimensions or not (single or channels == description.classes):
        raise OutputsDoNotFit(name, tuple(output.shape[1:]), description.task, description.classes)
    output = _LOGITS[activation](output.float())
    if output.shape[2:] != size:
        output = F.interpolate(output, size, mode="bilinear", align_corners=False)
    return torch.cat((torch.zeros_like(output), output), dim=1) if single else output


def segmentation_loss(logits: Tensor, target: Tensor, ignore_index: int | None = None) -> Tensor:
    """Cross-entropy, averaged over pixels, plus one minus the mean soft Dice of the foreground classes.

    The sum is that of nnU-Net (Isensee et al. 2021); soft Dice is V-Net's (Milletari et al. 2016) without the
    squares, pooled over the batch: a class that is rare in one image is not so in eight.

    Args:
        logits: batch x classes x height x width.
        target: batch x height x width, class numbers; pixels of `ignore_index` do not count.
    """
    kept = torch.ones_like(target, dtype=torch.bool) if ignore_index is None else target != ignore_index
    classes = torch.arange(logits.shape[1], device=logits.device).view(1, -1, 1, 1)
    truth = ((target.unsqueeze(1) == classes) & kept.unsqueeze(1)).float()
    log_probabilities = logits.log_softmax(dim=1)
    # Written out, because on a GPU the library's cross-entropy of maps adds up in no fixed order.
    cross_entropy = -(truth * log_probabilities).sum() / kept.sum().clamp(min=1)
    found = (log_probabilities.exp() * kept.unsqueeze(1))[:, 1:]
    truth, pixels = truth[:, 1:], (0, 2, 3)
    common = (found * truth).sum(pixels)
    dice = (2 * common + _SMOOTH) / (found.sum(pixels) + truth.sum(pixels) + _SMOOTH)
    return cross_entropy + 1 - dice.mean()


def classification_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy, averaged over images; `logits` batch x classes, `target` class numbers."""
    return F.cross_entropy(logits, target)


def training_loss(
    outputs: Tensor | dict[str, Tensor],
    target: Tensor,
    description: Description,
    weights: Mapping[str, float],
    activations: Mapping[str, str] = MappingProxyType({}),
) -> Tensor:
    """The loss of what a module gives in training: one output, or several by name with their weights.

    `activations` names those that are probabilities.
    """
    named = outputs if isinstance(outputs, dict) else {"out": outputs}
    total = target.new_zeros((), dtype=torch.float32)
    for name, output in named.items():
        logits = class_logits(output, description, tuple(target.shape[1:]), name, activations.get(name, ""))
        if description.task == "segmentation":
            loss = segmentation_loss(logits, target, description.ignore_index)
        else:
            loss = classification_loss(logits, target)
        total = total + weights.get(name, 1.0) * loss
    return total
