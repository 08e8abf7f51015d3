"""Two plots: the score trial by trial, and the score against what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator

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
        scored = state != FAILED
        chosen = [trial for trial in trials if trial.state == state and (trial.score is not None) == scored]
        return [trial.number for trial in chosen], [trial.score or 0.0 for trial in chosen]

    last = max((trial.number for trial in trials), default=0)
    at, scores = of(COMPLETE)
    if at:
        best = list(accumulate(scores, max))
        axes.step([*at, last], [*best, best[-1]], where="post", color=ORANGE, label="best so far")
        axes.scatter(at, scores, color=BLUE, label="complete", zorder=3)
    at, scores = of(PRUNED)
    if at:
        axes.scatter(at, scores, facecolors="none", edgecolors=GREY, label="stopped early", zorder=3)
    at, _ = of(FAILED)
    if at:
        floor = axes.get_xaxis_transform()
        axes.scatter(at, [0.02] * len(at), transform=floor, color=GREY, marker="x", label="failed", zorder=3)
    axes.set_xlim(-0.5, last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _legend(axes)
    return figure


def score_against_macs(trials: Sequence[Trial]) -> Figure:
    """Each complete trial by its multiply-adds, where known; the front is what nothing cheaper beats."""
    figure, axes = _figure("Score against cost", "multiply-adds of one image", _SCORE)
    front = pareto_front(trials)
    known = [t for t in trials if t.state == COMPLETE and t.candidate.macs is not None]
    others = [trial for trial in known if trial not in front]
    if others:
        axes.scatter(*_points(others), color=BLUE, label="complete", zorder=3)
    if front:
        axes.step(*_points(front), where="post", color=ORANGE)
        axes.scatter(*_points(front), color=ORANGE, label="no cheaper one is better", zorder=4)
        best = best_of(trials)
        winner = [trial for trial in front if trial is best]
        axes.scatter(*_points(winner), s=180, facecolors="none", edgecolors=INK, label="winner", zorder=5)
        for trial in front:
            place = (trial.candidate.macs or 0, trial.score or 0.0)
            axes.annotate(str(trial.number), place, xytext=(6, -13), textcoords="offset points", fontsize=9)
    else:
        axes.set_axis_off()
        reason = "multiply-adds are not known" if best_of(trials) else "no training was completed"
        axes.text(0.5, 0.5, reason, ha="center", transform=axes.transAxes)
    costs = [trial.candidate.macs or 0 for trial in known]
    if costs and max(costs) > 10 * max(1, min(costs)):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    _legend(axes)
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


def _legend(axes: Axes) -> None:
    """Above the plot, beside the title, where it hides no point."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.3, ncols=len(labels))


def _points(trials: Sequence[Trial]) -> tuple[list[float], list[float]]:
    return [trial.candidate.macs or 0 for trial in trials], [trial.score or 0.0 for trial in trials]


def _write(figure: Figure, path: Path) -> None:
    for suffix, metadata in ((".png", None), (".svg", {"Date": None})):
        with atomic_path(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, dpi=144, metadata=metadata)
