"""A spec elaborated: once where it is closed, option by option and then by lot where it is a space."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from archdsl.elaboration.choices import Answer, Choice, Decide
from archdsl.elaboration.context import ENDING
from archdsl.elaboration.program import Elaborated, Program, first_option
from archdsl.errors import ArchError, Diagnostic
from archdsl.source import Label
from archdsl.space import fixed_decision, options_of, random_decision

MOST_WORK = 30_000  # stages and blocks placed in all trials of a space together
MOST_OPTIONS = 16  # of one choice: of longer ranges both ends and numbers between them
SAMPLES = 16

Decisions = Mapping[str, Answer]


@dataclass(frozen=True, eq=False)
class Trial:
    """One elaboration.

    Attributes:
        decisions: what was decided otherwise than by the first option.
        asked: all choices that were met.
        answers: what they became.
        mistakes: what was wrong with it; `made` is None then.
    """

    program: Program
    decisions: Decisions
    asked: Mapping[str, Choice] = field(default_factory=dict)
    answers: Decisions = field(default_factory=dict)
    mistakes: tuple[Diagnostic, ...] = ()
    made: Elaborated | None = None

    @property
    def decide(self) -> Decide:
        return fixed_decision(self.decisions, first_option)

    @property
    def work(self) -> int:
        """How much there was to do, about."""
        return len(self.asked) + (100 if self.made is None else len(self.made.assembly.builder.items))

    def has(self, diagnostic: Diagnostic) -> bool:
        return any(key_of(mistake) == key_of(diagnostic) for mistake in self.mistakes)


def key_of(diagnostic: Diagnostic) -> tuple[object, ...]:
    """What two trials' diagnostics of one mistake have in common: its code and its place."""
    span = diagnostic.span
    return (diagnostic.code, None if span is None else (id(span.source), span.start, span.end))


def tried(program: Program, decisions: Decisions) -> Trial:
    """An elaboration with some decisions, the others by their first option."""
    return _run(program, fixed_decision(decisions, first_option), decisions)


def _run(program: Program, decide: Decide, decisions: Decisions) -> Trial:
    asked: dict[str, Choice] = {}
    answers: dict[str, Answer] = {}

    def noted(choice: Choice) -> Answer:
        if choice.name not in asked:  # the same again, also where `decide` draws lots
            asked[choice.name] = choice
            answers[choice.name] = decide(choice)
        return answers[choice.name]

    try:
        made = program.elaborate(noted)
        return Trial(program, decisions, asked, answers, (), made)
    except ArchError as error:
        mistakes: Sequence[Diagnostic] = error.diagnostics
        if not any(mistake.code in ENDING for mistake in mistakes):
            mistakes = _collected(program, noted) or mistakes  # all that is wrong, not only the first
    return Trial(program, decisions, asked, answers, tuple(mistakes))


def _collected(program: Program, decide: Decide) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    try:
        program.elaborate(decide, collected=found)
    except ArchError as error:
        found += error.diagnostics
    return found


# ---- options -----------------------------------------------------------------------------------


def explored(program: Program) -> list[Trial]:
    """Every option once, the others at their first; choices inside options too."""
    first = tried(program, {})
    trials, waiting, known = [first], deque([first]), set[str]()
    work = 0
    while waiting:
        trial = waiting.popleft()
        for choice in trial.asked.values():
            if choice.name in known:
                continue
            known.add(choice.name)
            for answer in _others(choice):
                work += trial.work
                if work > MOST_WORK:
                    return trials
                made = tried(program, {**trial.decisions, choice.name: answer})
                trials.append(made)
                waiting.append(made)
    return trials


def sampled(first: Trial) -> list[Trial]:
    """Members drawn by lot, their decisions as drawn; fewer of a space whose `first` member is large."""
    count = min(SAMPLES, MOST_WORK // first.work)
    drawn = (_run(first.program, random_decision(seed), {}) for seed in range(count))
    return [replace(trial, decisions=trial.answers) for trial in drawn]


def _others(choice: Choice) -> Sequence[Answer]:
    """The options of a choice but for its first."""
    options = options_of(choice)
    if len(options) > MOST_OPTIONS:
        step = (len(options) - 1) / (MOST_OPTIONS - 1)
        options = tuple(options[round(step * number)] for number in range(MOST_OPTIONS))
    return options[1:]


# ---- which decisions lead to a mistake ---------------------------------------------------------


class Found(NamedTuple):
    """A mistake, a trial that has it, and the decisions that lead there: an option of each, or several."""

    mistake: Diagnostic
    trial: Trial
    decisions: Mapping[str, tuple[Answer, ...]]


def option_mistakes(trials: Sequence[Trial]) -> list[Found]:
    """The mistakes of all trials, each once."""
    first = trials[0]
    found: list[Found] = []
    for trial, mistake in _distinct(trials):
        failing = [each for each in trials if each.has(mistake)]
        if first in failing:
            decisions = _culprits(trials, failing)
        else:
            trial = min(failing, key=lambda each: len(each.decisions))
            decisions = _alike(trial, failing)
        found.append(Found(mistake, trial, decisions))
    return found


def sample_mistakes(trials: Sequence[Trial]) -> list[Found]:
    """The mistakes of members drawn by lot, each once, with the fewest decisions that lead there."""
    small = ((_reduced(trial, mistake), mistake) for trial, mistake in _distinct(trials))
    return [
        Found(mistake, trial, {name: (answer,) for name, answer in trial.decisions.items()})
        for trial, mistake in small
    ]


def _distinct(trials: Sequence[Trial]) -> Iterator[tuple[Trial, Diagnostic]]:
    seen = set()
    for trial in trials:
        for mistake in trial.mistakes:
            if key_of(mistake) not in seen:
                seen.add(key_of(mistake))
                yield trial, mistake


def _culprits(trials: Sequence[Trial], failing: Sequence[Trial]) -> dict[str, tuple[Answer, ...]]:
    """The first options without which a mistake of the first trial goes away."""
    first = trials[0]
    found: dict[str, tuple[Answer, ...]] = {}
    for trial in trials[1:]:
        if len(trial.decisions) == 1 and trial not in failing:
            (name,) = trial.decisions
            found[name] = (first.answers[name],)
    return found


def _alike(trial: Trial, failing: Sequence[Trial]) -> dict[str, tuple[Answer, ...]]:
    """A trial's decisions; for the last one all options that fail in the same way."""
    *_, last = trial.decisions
    outer = {name: answer for name, answer in trial.decisions.items() if name != last}
    same = [
        each.decisions[last]
        for each in failing
        if {name: answer for name, answer in each.decisions.items() if name != last} == outer
        and last in each.decisions
    ]
    return {**{name: (answer,) for name, answer in outer.items()}, last: tuple(same)}


def _reduced(trial: Trial, mistake: Diagnostic) -> Trial:
    """The fewest decisions of a member that still lead to a mistake."""
    for name in trial.answers:
        fewer = {key: answer for key, answer in trial.decisions.items() if key != name}
        again = tried(trial.program, fewer)
        if again.has(mistake):
            trial = again
    return trial


def under(diagnostic: Diagnostic, trial: Trial, decisions: Mapping[str, tuple[Answer, ...]]) -> Diagnostic:
    """A diagnostic that says which decisions lead to it, in words and by labels at the choices."""
    if not decisions:
        return diagnostic
    told = [
        f"`{name}={answers[0]}`" + "".join(f" or `{answer}`" for answer in answers[1:])
        for name, answers in decisions.items()
    ]
    labels = [
        Label(trial.asked[name].span, f"`{answers[0]}` is taken here", primary=False)
        for name, answers in decisions.items()
        if name in trial.asked and not _shows(diagnostic, trial.asked[name])
    ]
    return replace(
        diagnostic,
        message=f"{diagnostic.message}, with {' and '.join(told)}",
        labels=(*diagnostic.labels, *labels),
    )


def _shows(diagnostic: Diagnostic, choice: Choice) -> bool:
    """Whether the place of a choice is marked already."""
    return any(label.span == choice.span for label in diagnostic.labels)
