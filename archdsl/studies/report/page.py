"""The report as one page of HTML, the plots beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from archdsl.analyses.summary import abbreviated
from archdsl.studies.display import outcome
from archdsl.studies.report.tables import choice_names, option_table
from archdsl.studies.study import Study
from archdsl.studies.trials import Trial, best_of

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #333; max-width: 1100px; margin: 2rem auto }
h1, h2 { font-weight: 600 } h2 { margin-top: 2.5rem; font-size: 1.1rem }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; border-radius: 4px }
table { border-collapse: collapse; font-size: 13px } .wide { overflow-x: auto }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid #e6e6e6; white-space: nowrap }
td.number { text-align: right; font-variant-numeric: tabular-nums }
tr.best td { background: #fdf3ec; font-weight: 600 }
.plots { display: flex; flex-wrap: wrap; gap: 1rem } .plots img { flex: 1 1 420px; max-width: 540px }
.question { font-size: 1.15rem } .note { color: #777 }
"""


def page(study: Study, trials: Sequence[Trial], ending: str, winner: str) -> str:
    """The whole page; whatever a user wrote is escaped."""
    best = best_of(trials)
    parts = [
        f"<h1>{escape(study.name)}</h1>",
        f'<p class="question">{escape(study.question)}</p>' if study.question else "",
        f"<p>{escape(_summary(study, trials, ending))}</p>",
        f"<h2>The winner</h2><pre>{escape(winner)}</pre>" if winner else "",
        '<h2>Plots</h2><div class="plots"><img src="history.svg" alt="Score by trial">'
        '<img src="score-macs.svg" alt="Score against multiply-adds"></div>',
        _options(trials),
        _trials(trials, best),
    ]
    body = "\n".join(part for part in parts if part)
    title = escape(f"{study.name} - archdsl")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _summary(study: Study, trials: Sequence[Trial], ending: str) -> str:
    best = best_of(trials)
    score = f" The best score is {best.score:.4f} (trial {best.number})." if best else ""
    recipe = f"{study.epochs} epochs at {study.size}x{study.size}, batch {study.batch}, seed {study.seed}"
    return f"{len(trials)} trials, {recipe}, on {study.data}. It ended because {ending}.{score}"


def _options(trials: Sequence[Trial]) -> str:
    rows = [
        [_cell(choice), _cell(option), _number(str(count)), _number(f"{mean:.4f}"), _number(f"{best:.4f}")]
        for choice, option, count, mean, best in option_table(trials)
    ]
    note = "Complete trials only. Other choices differ between them too: a hint, not a proof."
    table = _table(["choice", "option", "trials", "mean score", "best score"], rows)
    return f'<h2>By option</h2><p class="note">{note}</p>{table}'


def _trials(trials: Sequence[Trial], best: Trial | None) -> str:
    names = choice_names(trials)
    rows = []
    for trial in sorted(trials, key=lambda trial: -(trial.score or 0.0)):
        candidate = trial.candidate
        rows.append(
            [
                _number(str(trial.number)),
                _number("" if trial.score is None else f"{trial.score:.4f}"),
                _cell(outcome(trial) if trial.reason else trial.state),
                _number(abbreviated(candidate.params)),
                _number(abbreviated(candidate.macs)),
                _number("" if trial.seconds is None else f"{trial.seconds:.0f}"),
                *(_cell(candidate.choices.get(name, "")) for name in names),
            ]
        )
    best_row = 0 if best is not None else None
    head = ["trial", "score", "state", "params", "MACs", "seconds", *names]
    return f"<h2>Trials</h2>{_table(head, rows, best_row)}"


def _table(head: Iterable[str], rows: Sequence[Sequence[str]], best: int | None = None) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = [
        f'<tr class="best">{"".join(row)}</tr>' if number == best else f"<tr>{''.join(row)}</tr>"
        for number, row in enumerate(rows)
    ]
    return f'<div class="wide"><table><tr>{titles}</tr>\n' + "\n".join(lines) + "</table></div>"


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'
