"""Two plots: the score trial by trial, and the score against what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from archdsl.files import atomic_path
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED, Trial, best_of, pareto_front

# Told apart by the colour-blind too (Okabe and Ito 2008).
BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#9A9A9A", "#333333"

_SCORE = "score on the validation images"

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titlepad": 12,
    "font.size": 10,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "svg.hashsalt": "archdsl",  # the same plot gives the same file
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def write_plots(folder: Path, trials: Sequence[Trial]) -> None:
    """history.png and .svg, score-macs.png and .svg."""
    with matplotlib.rc_context(_STYLE):
        _write(history(trials), folder / "history")
        _write(score_against_macs(trials), folder / "score-macs")


def history(trials: Sequence[Trial]) -> Figure:
    """Scores in the order of the trials, and the best so far."""
    figure, axes = _figure("Score by trial", "trial", _SCORE)

    def of(state: str) -> tuple[list[int], list[float]]:
        chosen = [
            (place, trial.score or 0.0) for place, trial in enumerate(trials, 1) if trial.state == state
        ]
        return [place for place, _ in chosen], [score for _, score in chosen]

    at, scores = of(COMPLETE)
    if at:
        best = list(accumulate(scores, max))
        axes.step([*at, len(trials)], [*best, best[-1]], where="post", color=ORANGE, label="best so far")
        axes.scatter(at, scores, color=BLUE, label="complete", zorder=3)
    at, scores = of(PRUNED)
    if at:
        axes.scatter(at, scores, facecolors="none", edgecolors=GREY, label="stopped early", zorder=3)
    at, _ = of(FAILED)
    if at:
        floor = axes.get_xaxis_transform()
        axes.scatter(at, [0.02] * len(at), transform=floor, color=GREY, marker="x", label="failed", zorder=3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_if_any(axes)
    return figure


def score_against_macs(trials: Sequence[Trial]) -> Figure:
    """Each complete trial by its multiply-adds; the front is what nothing cheaper beats."""
    figure, axes = _figure("Score against cost", "multiply-adds of one image", _SCORE)
    complete = [trial for trial in trials if trial.state == COMPLETE and trial.score is not None]
    best = best_of(complete)
    if best is not None:
        front = pareto_front(complete)
        others = [trial for trial in complete if trial not in front]
        axes.step(*_points(front), where="post", color=ORANGE, zorder=2)
        axes.scatter(*_points(others), color=BLUE, label="complete", zorder=3)
        axes.scatter(*_points(front), color=ORANGE, label="no cheaper one is better", zorder=4)
        axes.scatter(*_points([best]), s=180, facecolors="none", edgecolors=INK, label="winner", zorder=5)
        for trial in front:
            axes.annotate(
                str(trial.number), _point(trial), xytext=(6, -12), textcoords="offset points", fontsize=9
            )
        costs = [trial.candidate.macs for trial in complete]
        if max(costs) > 10 * max(1, min(costs)):
            axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    _legend_if_any(axes)
    return figure


def _figure(title: str, across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(True, zorder=0)
    axes.set_axisbelow(True)
    return figure, axes


def _legend_if_any(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")


def _point(trial: Trial) -> tuple[float, float]:
    return trial.candidate.macs, trial.score or 0.0


def _points(trials: Sequence[Trial]) -> tuple[list[float], list[float]]:
    return [_point(trial)[0] for trial in trials], [_point(trial)[1] for trial in trials]


def _write(figure: Figure, path: Path) -> None:
    for suffix, metadata in ((".png", None), (".svg", {"Date": None})):
        with atomic_path(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, dpi=144, metadata=metadata)
