"""What a study leaves for people: the winner, the page, the table, the plots, the lines on the way."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from archdsl import api
from archdsl.formatter import format_spec
from archdsl.source import Source
from archdsl.studies.candidates import Candidate
from archdsl.studies.display import Clock, Lines, Standing, duration
from archdsl.studies.report import write_report
from archdsl.studies.report.tables import csv_table, option_table
from archdsl.studies.results import TrialResult
from archdsl.studies.study import Study
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED, Trial, best_of, ended, pareto_front
from archdsl.studies.winner import winner_text
from archdsl.training import Epoch

STUDY = Study(
    space=Path("space.arch"),
    data=Path("/data/cells & <more>"),
    name="blocks",
    question="Which <block>\n& where?",
    threads=1,
    learning_rate=3e-4,
)


def trial(number: int, state: str, score: float | None, macs: int = 10**6, **choices: str) -> Trial:
    candidate = Candidate("conv 1x1 8\n", f"identity{number}", choices, 1000, macs)
    reason = "it <diverged>" if state == FAILED else ""
    return Trial(number, state, candidate, score, ((1, score or 0.0),), 2.5, reason=reason)


TRIALS = (
    trial(0, COMPLETE, 0.5, 3 * 10**6, up="bilinear"),
    trial(1, FAILED, None, up="<b>"),
    trial(2, COMPLETE, 0.7, 2 * 10**6, up="transpose", expand="3"),
    trial(3, PRUNED, 0.1, 10**6, up="bilinear"),
    trial(4, COMPLETE, 0.6, 10**6, up="bilinear"),
    trial(5, COMPLETE, 0.7, 9 * 10**6, up="transpose", expand="6"),
)


def test_the_best_is_the_first_of_the_highest() -> None:
    best = best_of(TRIALS)
    assert best is not None
    assert best.number == 2
    assert best_of(TRIALS[1:2]) is None


def test_the_front_holds_what_nothing_cheaper_beats() -> None:
    assert [found.number for found in pareto_front(TRIALS)] == [4, 2]


def test_a_trial_that_is_repeated_has_not_ended() -> None:
    again = replace(trial(6, COMPLETE, 0.2), retry_of=1)
    assert [found.number for found in ended((*TRIALS, again))] == [0, 2, 3, 4, 5, 6]


# ---- the winner ----------------------------------------------------------------------------------


def test_the_winner_is_a_formatted_spec_that_says_where_it_comes_from() -> None:
    result = TrialResult("identity2", COMPLETE, 0.7, device="cuda:0")
    text = winner_text(STUDY, TRIALS[2], result)
    assert format_spec(Source("winner.arch", text)) == text
    assert api.load(Source("winner.arch", text)).identity == api.load("conv 1x1 8").identity
    comments = [line for line in text.splitlines() if line.startswith("#")]
    for fact in (
        "study blocks",
        "trial 2",
        "score: 0.7 ",
        "/data/cells & <more>",
        "Which <block> & where?",
        "seed: 0",
        "epochs: 10",
        "size: 128",
        "batch: 8",
        "learning rate: 0.0003",
        "threads: 1",
        "device: cuda:0",
        "archdsl ",
        "torch ",
    ):
        assert any(fact in comment for comment in comments), fact


def test_the_winner_s_command_is_one_that_the_command_line_takes() -> None:
    from archdsl.commands.train import command

    line = winner_text(STUDY, TRIALS[2], None).split("# archdsl ", 1)[1].splitlines()[0]
    name, *arguments = line.split()
    context = command.make_context(name, arguments)
    assert context.params["spec"] == "winner.arch"
    recipe = {
        key: context.params[key] for key in ("epochs", "size", "batch", "seed", "learning_rate", "threads")
    }
    assert recipe == {key: getattr(STUDY, key) for key in recipe}


# ---- the report ----------------------------------------------------------------------------------


class Page(HTMLParser):
    """The texts of a page's cells, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.files: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.files += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_report_has_a_page_a_table_and_plots(tmp_path: Path) -> None:
    write_report(tmp_path, STUDY, TRIALS, "every trial is done", "conv 1x1 8\n")
    page = Page((tmp_path / "index.html").read_text("utf-8"))
    assert all((tmp_path / name).is_file() for name in page.files)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("index.html", "trials.csv", "history.png", "history.svg", "score-macs.png", "score-macs.svg")
    }
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    assert ET.parse(tmp_path / "score-macs.svg").getroot().tag.endswith("svg")


def test_what_a_user_wrote_is_text_on_the_page(tmp_path: Path) -> None:
    write_report(tmp_path, STUDY, TRIALS, "every trial is done", "# <script>\nconv 1x1 8\n")
    page = Page((tmp_path / "index.html").read_text("utf-8"))
    assert not {"script", "more", "block", "b", "diverged"} & set(page.tags)
    assert "<b>" in page.texts
    assert "failed: it <diverged>" in page.texts


@pytest.mark.parametrize(
    "trials", [(), TRIALS[:1], TRIALS[1:2], TRIALS[3:4]], ids=["none", "one", "failed", "pruned"]
)
def test_a_report_can_be_written_of_little(tmp_path: Path, trials: tuple[Trial, ...]) -> None:
    write_report(tmp_path, STUDY, trials, "it was asked to", "")
    assert len(list(csv.reader(io.StringIO((tmp_path / "trials.csv").read_text())))) == 1 + len(trials)


def test_the_table_has_a_column_for_each_choice() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table(TRIALS))))
    assert [row["up"] for row in rows] == [
        "bilinear",
        "<b>",
        "transpose",
        "bilinear",
        "bilinear",
        "transpose",
    ]
    assert [row["expand"] for row in rows] == ["", "", "3", "", "", "6"]
    assert [row["score"] for row in rows] == ["0.5", "", "0.7", "0.1", "0.6", "0.7"]
    assert rows[1]["reason"] == "it <diverged>"


def test_options_are_compared_by_their_complete_trials() -> None:
    rows = {
        (row.choice, row.option): (row.trials, round(row.mean, 9), row.best) for row in option_table(TRIALS)
    }
    assert rows == {
        ("up", "transpose"): (2, 0.7, 0.7),
        ("up", "bilinear"): (2, 0.55, 0.6),
        ("expand", "3"): (1, 0.7, 0.7),
        ("expand", "6"): (1, 0.7, 0.7),
    }


# ---- on the way ----------------------------------------------------------------------------------


def test_a_log_gets_a_line_for_each_trial_that_starts_and_ends() -> None:
    stream = io.StringIO()
    with Lines(stream) as lines:
        lines.started(TRIALS[0], Standing(0, 2, None))
        lines.passed(TRIALS[0], Epoch(1, 0.5, 0.5, 1.0))
        lines.ended(TRIALS[0], Standing(1, 2, TRIALS[0]))
        lines.ended(TRIALS[1], Standing(2, 2, TRIALS[0]))
    first, second, third = stream.getvalue().splitlines()
    assert first == "trial 0: 1K parameters, 3M MACs, up=bilinear"
    assert second.startswith("trial 0: 0.5000; 1 of 2 done, best 0.5000 (trial 0), about ")
    assert third == "trial 1: failed: it <diverged>; 2 of 2 done, best 0.5000 (trial 0)"


def test_the_time_left_is_that_of_the_trials_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    clock = Clock(began=0.0)
    assert clock.left(Standing(10, 20, None)) is None  # ten were done by an earlier run
    now = 60.0
    assert clock.left(Standing(12, 20, None)) == 240.0
    clock.partly = 0.5
    assert clock.left(Standing(12, 20, None)) == pytest.approx(60 / 2.5 * 7.5)


@pytest.mark.parametrize(
    ("seconds", "told"), [(3.2, "3 s"), (89, "89 s"), (90, "2 min"), (5000, "83 min"), (6000, "1.7 h")]
)
def test_durations_are_rounded_as_people_say_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told
