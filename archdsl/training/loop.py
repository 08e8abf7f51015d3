"""The training loop: a module and data in, trained weights and a score out."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import cos, isfinite, nan, pi
from typing import TypeAlias

import torch
from torch import Tensor, nn

from archdsl.data.loading import Batch, Data, random_numbers
from archdsl.emitters.torch_module import is_out_of_memory
from archdsl.errors.commands import NoSuchDevice
from archdsl.errors.data import OutOfMemory
from archdsl.training.losses import class_logits, training_loss
from archdsl.training.metrics import accuracy, confusion, mean_dice
from archdsl.training.recipe import Epoch, Outcome, Recipe
from archdsl.training.reproducible import deterministic, seeded

Report: TypeAlias = Callable[[Epoch], bool]

_WARM_UP = 0.1  # of the steps


def fit(
    module: nn.Module, data: Data, recipe: Recipe, device: str = "auto", report: Report | None = None
) -> Outcome:
    """Train a module in place; it ends in evaluation mode, on the device.

    With the same module, data and recipe, on the same machine's CPU with the same number of threads, the
    weights and the scores are the same bits, whatever random numbers were drawn before. All is float32.

    Args:
        module: gives logits, or probabilities where its `activations` say so; in training it may give a dict
            of them, weighted by its `loss_weights`.
        data: loaded in the recipe's size.
        device: `auto` (a CUDA device if there is one, else the CPU), `cpu`, `cuda`, `cuda:1`, `mps`.
        report: told of each epoch as it ends; True stops the training.

    Raises:
        NoSuchDevice: there is none of that name.
        OutOfMemory: the device does not hold a batch.
        OutputsDoNotFit: the module's output is not one of this data's.
    """
    if data.size != recipe.size:
        raise ValueError(f"the data was loaded in crops of {data.size}, the recipe says {recipe.size}")
    place = chosen_device(device)
    # Channels beside each other make convolutions on a CPU a sixth faster, and are what tensor cores want.
    module.to(place).to(memory_format=torch.channels_last)
    # Its own stream, so that dropout does not repeat the numbers that initialised the weights.
    stream = random_numbers(recipe.seed).initial_seed()
    try:
        with deterministic(recipe.threads), seeded(stream, place):
            return _run(module, data.on(place), recipe, place, report)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(str(place), recipe.batch, recipe.size) from None
    finally:
        module.to(memory_format=torch.contiguous_format)
        module.eval()


def evaluate(module: nn.Module, data: Data, *, batch: int = 8) -> float:
    """The score of a module on the validation images, 0 to 1, on the device where it is.

    Mean Dice of the foreground classes over all validation pixels together, or the share of images classified
    rightly; not a number when a logit is none.
    """
    description = data.description
    table = torch.zeros(description.classes, description.classes, dtype=torch.int64)
    finite = torch.tensor(True)
    activation = getattr(module, "activations", {}).get("out", "")
    module.eval()
    with torch.inference_mode():
        for images, targets in data.validation(batch=batch):
            images, targets = _moved(Batch(images, targets), _device_of(module))
            size = tuple(targets.shape[1:])
            logits = class_logits(module(images), description, size, activation=activation)
            finite = finite.to(logits.device) & logits.isfinite().all()
            counts = confusion(logits.argmax(1), targets, description.classes, description.ignore_index)
            table = table.to(logits.device) + counts
    if not finite:
        return nan
    return mean_dice(table.cpu()) if description.task == "segmentation" else accuracy(table)


def chosen_device(name: str) -> torch.device:
    """`auto` is a CUDA device if there is one, else the CPU.

    Raises:
        NoSuchDevice: this machine has none of that name.
    """
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    others = ["mps"] if torch.backends.mps.is_available() else []
    names = {"auto": gpus[0] if gpus else "cpu", "cpu": "cpu", **{gpu: gpu for gpu in gpus + others}}
    if gpus:
        names["cuda"] = gpus[torch.cuda.current_device()]
    if name not in names:
        raise NoSuchDevice(name)
    return torch.device(names[name])


def learning_rate_factor(step: int, steps: int) -> float:
    """The share of the highest learning rate at a step (from 0): up in a line, then down a half cosine."""
    rising = max(1, round(_WARM_UP * steps))
    if step < rising:
        return (step + 1) / rising
    return (1 + cos(pi * (step - rising + 1) / (steps - rising + 1))) / 2


def _run(
    module: nn.Module, data: Data, recipe: Recipe, place: torch.device, report: Report | None
) -> Outcome:
    optimizer = _optimizer(module, recipe)
    steps = recipe.epochs * data.steps(recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps))
    epochs: list[Epoch] = []
    stopped, failure = False, ""
    while len(epochs) < recipe.epochs and not stopped:
        number, started = len(epochs) + 1, time.perf_counter()
        loss = _train_epoch(module, data, recipe, number, optimizer, schedule)
        score = evaluate(module, data, batch=recipe.batch) if isfinite(loss) else nan
        if not isfinite(score):
            failure = f"the network diverged: in epoch {number} the loss or an output was no finite number"
            break
        epochs.append(Epoch(number, loss, score, time.perf_counter() - started))
        stopped = report is not None and bool(report(epochs[-1])) and number < recipe.epochs
    score = 0.0 if failure else epochs[-1].score
    return Outcome(score, tuple(epochs), stopped, failure, torch.get_num_threads(), str(place))


def _train_epoch(
    module: nn.Module,
    data: Data,
    recipe: Recipe,
    number: int,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
) -> float:
    """One pass over the training images; the mean loss of its batches."""
    weights: dict[str, float] = getattr(module, "loss_weights", {})
    activations: dict[str, str] = getattr(module, "activations", {})
    losses: list[Tensor] = []
    module.train()
    for batch in data.epoch(number, batch=recipe.batch, seed=recipe.seed):
        images, targets = _moved(batch, _device_of(module))
        loss = training_loss(module(images), targets, data.description, weights, activations)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
    # Read once an epoch: on a GPU every look at a number waits for all work before it.
    return float(torch.stack(losses).cpu().double().mean())


def _optimizer(module: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; biases and the vectors of normalisations are not pulled to zero."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def _device_of(module: nn.Module) -> torch.device:
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))


def _moved(batch: Batch, device: torch.device) -> Batch:
    images = batch.images.to(device, non_blocking=True, memory_format=torch.channels_last)
    return Batch(images, batch.targets.to(device, non_blocking=True))
