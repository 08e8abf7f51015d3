"""One supervisor, scripted trainings: what is tried, what is kept, what is done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from archdsl.errors.commands import Unwritable
from archdsl.errors.studies import AllFailed, NothingFeasible
from archdsl.files import write_atomically
from archdsl.studies.display import outcome
from archdsl.studies.executor import Interrupted, Job, WorkerDied
from archdsl.studies.folder import StudyFolder
from archdsl.studies.interrupts import Interrupts
from archdsl.studies.results import TrialResult, write_result
from archdsl.studies.supervisor import Ending
from archdsl.studies.trials import COMPLETE, FAILED, PRUNED, Trial, best_of, ended
from tests.studies.conftest import Runner
from tests.studies.fakes import FakeSpace, categorical

WIDE = FakeSpace([categorical("a", *"123456"), categorical("b", *"123456")])


class Kill(BaseException):
    """Stands for kill -9: nothing of the supervisor runs after it."""


def score_of(job: Job) -> tuple[float, ...]:
    score = int(job.candidate.choices["a"]) / 10 + int(job.candidate.choices["b"]) / 100
    return (score / 3, score / 2, score)


def test_a_study_trains_as_many_distinct_candidates_as_it_wants(runner: Runner) -> None:
    ending, trials = runner.run(WIDE, score_of)
    assert ending is Ending.DONE
    assert [trial.state for trial in trials] == [COMPLETE] * 6
    assert len(set(runner.trained)) == 6


def test_more_trials_extend_a_study(runner: Runner) -> None:
    runner.run(WIDE, score_of, trials=4)
    _, trials = runner.run(WIDE, score_of, trials=9)
    assert len(runner.executor.trained) == 5
    assert len({trial.candidate.identity for trial in trials}) == 9


def test_a_history_that_is_lost_is_made_again_from_the_results_alone(runner: Runner) -> None:
    def killed_once(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 3:
            raise Kill
        return score_of(job)

    with pytest.raises(Kill):
        runner.run(WIDE, killed_once, trials=9)
    _, before = runner.run(WIDE, score_of, trials=9)
    runner.folder.history.unlink()
    _, after = runner.run(WIDE, score_of, trials=10)
    assert len(runner.executor.trained) == 1

    def told(trials: Sequence[Trial]) -> list[tuple[object, ...]]:
        return [(t.candidate, t.state, t.score, t.curve) for t in ended(trials)]

    assert told(after)[:9] == told(before)
    best = best_of(after[:9])
    assert best is not None
    kept = runner.folder.trial(best.number).weights.read_bytes()
    assert kept == b"weights of " + best.candidate.identity.encode()


def test_results_of_a_lost_history_wait_where_nothing_overwrites_them(runner: Runner) -> None:
    runner.run(WIDE, score_of)
    runner.folder.history.unlink()

    def killed(job: Job) -> tuple[float, ...]:
        raise Kill

    (runner.folder.path / "trials" / "0" / "result.json").unlink()
    with pytest.raises(Kill):
        runner.run(WIDE, killed)
    assert len(list(runner.folder.path.glob("trials.lost/*/result.json"))) == 5
    runner.run(WIDE, score_of)
    assert len(runner.executor.trained) == 1


def test_a_study_that_has_ended_trains_nothing(runner: Runner) -> None:
    runner.run(WIDE, score_of)
    ending, _ = runner.run(WIDE, score_of)
    assert (ending, runner.executor.trained) == (Ending.DONE, [])


def test_candidates_depend_on_the_seed_alone(runner: Runner) -> None:
    _, whole = runner.run(WIDE, score_of, trials=12)
    runner.folder = StudyFolder(runner.folder.path.parent / "pieces")
    for trials in (4, 12):
        _, pieces = runner.run(WIDE, score_of, trials=trials)
    assert [trial.candidate.identity for trial in pieces] == [trial.candidate.identity for trial in whole]
    runner.folder = StudyFolder(runner.folder.path.parent / "other")
    _, other = runner.run(WIDE, score_of, trials=3, seed=1)
    assert [trial.candidate.identity for trial in other] != [trial.candidate.identity for trial in whole[:3]]


def test_members_that_are_the_same_network_are_trained_once(runner: Runner) -> None:
    space = FakeSpace(WIDE.choices, same=lambda decided: decided["a"])
    ending, _ = runner.run(space, score_of, trials=20)
    assert ending is Ending.EXHAUSTED
    assert sorted(runner.trained) == list("123456")


def test_the_same_network_from_other_weights_is_another_candidate(runner: Runner) -> None:
    space = FakeSpace([categorical("weights", "imagenet", "advprop")], same=lambda decided: "network")
    runner.run(space, lambda job: (0.5,))
    assert sorted(runner.trained) == ["network encoder=advprop", "network encoder=imagenet"]


def test_members_that_break_a_requirement_are_never_trained(runner: Runner) -> None:
    def broken(decided: Mapping[str, str]) -> tuple[str, ...]:
        return () if decided["a"] in "12" else ("params < 1K",)

    space = FakeSpace(WIDE.choices, broken=broken, same=lambda decided: decided["a"] + decided["b"])
    ending, _ = runner.run(space, score_of, trials=20)
    assert ending is Ending.EXHAUSTED
    assert sorted(runner.trained) == sorted(a + b for a in "12" for b in "123456")


def test_decisions_that_make_no_network_are_never_trained(runner: Runner) -> None:
    space = FakeSpace(WIDE.choices, impossible=lambda decided: decided["b"] != "3", same=lambda d: d["a"])
    ending, _ = runner.run(space, score_of, trials=20)
    assert ending is Ending.EXHAUSTED
    assert sorted(runner.trained) == list("123456")


@pytest.mark.parametrize("members", [None, 10**6])
def test_a_space_without_a_feasible_member_says_which_requirement_fails_how_often(
    runner: Runner, members: int | None
) -> None:
    def broken(decided: Mapping[str, str]) -> tuple[str, ...]:
        return ("macs < 1M", "depth < 3") if decided["a"] == "1" else ("macs < 1M",)

    with pytest.raises(NothingFeasible) as caught:
        runner.run(FakeSpace(WIDE.choices, broken=broken, members=members), score_of)
    mistake = caught.value
    counts = dict(mistake.failures)
    assert counts["macs < 1M"] == mistake.tried
    assert 0 < counts["depth < 3"] < mistake.tried
    assert mistake.complete == (members is None)
    assert f"macs < 1M ({mistake.tried} of {mistake.tried})" in mistake.help()


def test_conditional_choices_are_decided_where_they_exist(runner: Runner) -> None:
    space = FakeSpace(
        [categorical("block", "plain", "mbconv")],
        {
            ("block", "mbconv"): [categorical("expand", "3", "6")],
            ("block", "plain"): [categorical("expand", "1")],
        },
    )
    _, trials = runner.run(space, lambda job: (0.1,), trials=9)
    assert sorted(tuple(trial.candidate.choices.values()) for trial in trials) == [
        ("mbconv", "3"),
        ("mbconv", "6"),
        ("plain", "1"),
    ]


# ---- what goes wrong -----------------------------------------------------------------------------


def test_a_killed_study_keeps_what_was_done_and_repeats_what_was_cut_off(runner: Runner) -> None:
    def killed_in_the_third(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 3:
            raise Kill
        return score_of(job)

    with pytest.raises(Kill):
        runner.run(WIDE, killed_in_the_third)
    cut_off = runner.trained[-1]
    ending, trials = runner.run(WIDE, score_of)
    assert ending is Ending.DONE
    assert len(ended(trials)) == 6
    assert all(trial.state == COMPLETE for trial in ended(trials))
    assert {name: runner.trained.count(name) for name in set(runner.trained)}[cut_off] == 2
    assert sum(runner.trained.count(name) for name in set(runner.trained)) == 7


def test_a_result_that_was_written_but_not_told_is_kept(runner: Runner) -> None:
    def killed_after_writing(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 2:
            write_result(job.folder.result, TrialResult(job.candidate.identity, COMPLETE, 0.99))
            raise Kill
        return score_of(job)

    with pytest.raises(Kill):
        runner.run(WIDE, killed_after_writing)
    _, trials = runner.run(WIDE, score_of)
    assert trials[1].score == 0.99
    assert len(runner.trained) == len(set(runner.trained)) == 6


def test_a_torn_result_is_as_good_as_none(runner: Runner) -> None:
    def killed_while_writing(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 2:
            job.folder.result.write_text('{"identity": "')
            raise Kill
        return score_of(job)

    with pytest.raises(Kill):
        runner.run(WIDE, killed_while_writing)
    _, trials = runner.run(WIDE, score_of)
    assert [trial.state for trial in trials].count(FAILED) == 1
    assert [trial.state for trial in ended(trials)] == [COMPLETE] * 6
    assert len(runner.trained) == 7


def test_the_result_of_another_candidate_is_no_result(runner: Runner) -> None:
    def killed_beside_an_old_result(job: Job) -> tuple[float, ...]:
        write_result(job.folder.result, TrialResult("another", COMPLETE, 1.0))
        raise Kill

    with pytest.raises(Kill):
        runner.run(WIDE, killed_beside_an_old_result)
    _, trials = runner.run(WIDE, score_of)
    assert max(trial.score or 0 for trial in trials) < 1


def test_a_study_that_is_killed_again_and_again_comes_to_its_end(runner: Runner) -> None:
    def killed_in_every_second(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 2:
            raise Kill
        return score_of(job)

    for _ in range(6):
        try:
            ending, trials = runner.run(WIDE, killed_in_every_second)
        except Kill:
            continue
    assert ending is Ending.DONE
    assert [trial.state for trial in ended(trials)] == [COMPLETE] * 6
    assert len({trial.candidate.identity for trial in trials}) == 6


def test_a_candidate_whose_worker_died_is_tried_once_more(runner: Runner) -> None:
    def dies_first(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 1:
            raise WorkerDied("the worker was killed (SIGKILL)")
        return score_of(job)

    _, trials = runner.run(WIDE, dies_first)
    assert runner.trained[0] == runner.trained[1]
    assert [trial.state for trial in ended(trials)] == [COMPLETE] * 6


def test_a_candidate_that_kills_two_workers_has_failed(runner: Runner) -> None:
    def deadly(job: Job) -> tuple[float, ...]:
        if job.candidate.identity == runner.executor.trained[0]:
            raise WorkerDied("the worker was killed (SIGKILL)")
        return score_of(job)

    _, trials = runner.run(WIDE, deadly)
    assert runner.trained.count(runner.trained[0]) == 2
    (failed,) = [trial for trial in ended(trials) if trial.state == FAILED]
    assert failed.reason == "the worker was killed (SIGKILL)"
    assert len(ended(trials)) == 6


def test_a_candidate_that_fails_keeps_its_reason_and_is_not_repeated(runner: Runner) -> None:
    def one_diverges(job: Job) -> tuple[float, ...] | str:
        return "the network diverged" if len(runner.executor.trained) == 2 else score_of(job)

    _, trials = runner.run(WIDE, one_diverges)
    assert [trial.reason for trial in trials if trial.state == FAILED] == ["the network diverged"]
    assert len(set(runner.trained)) == len(runner.trained) == 6


def test_a_study_in_which_everything_fails_gives_up_and_says_why(runner: Runner) -> None:
    with pytest.raises(AllFailed) as caught:
        runner.run(WIDE, lambda job: "the disk is on fire", trials=20)
    assert "the disk is on fire" in str(caught.value)
    assert len(runner.trained) == caught.value.count == 5


def test_a_study_that_is_asked_to_stop_goes_on_later(runner: Runner) -> None:
    interrupts = Interrupts()

    def asked_in_the_third(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 3:
            interrupts.requested = True
            raise Interrupted
        return score_of(job)

    ending, trials = runner.run(WIDE, asked_in_the_third, interrupts)
    assert ending is Ending.INTERRUPTED
    assert len(ended(trials)) == 2
    ending, trials = runner.run(WIDE, score_of)
    assert (ending, len(ended(trials)), len(set(runner.trained))) == (Ending.DONE, 6, 6)


def test_a_full_disk_stops_the_study_and_loses_nothing(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills_the_disk(job: Job) -> tuple[float, ...]:
        if len(runner.executor.trained) == 3:
            monkeypatch.setattr("archdsl.studies.results.write_atomically", refuse)
        return score_of(job)

    def refuse(path: object, content: bytes) -> None:
        raise Unwritable(str(path), "No space left on device")

    with pytest.raises(Unwritable, match="No space left on device"):
        runner.run(WIDE, fills_the_disk)
    monkeypatch.setattr("archdsl.studies.results.write_atomically", write_atomically)
    ending, trials = runner.run(WIDE, score_of)
    assert (ending, len(ended(trials)), len(runner.trained)) == (Ending.DONE, 6, 7)


# ---- pruning and weights -------------------------------------------------------------------------


def test_a_bad_learning_curve_is_stopped(runner: Runner) -> None:
    def last_is_bad(job: Job) -> tuple[float, ...]:
        rank = len(runner.executor.trained)
        return (0.1, 0.1, 0.1, 0.1) if rank == 10 else tuple(0.1 * rank * epoch / 4 for epoch in range(1, 5))

    _, trials = runner.run(WIDE, last_is_bad, trials=10, epochs=4)
    assert [trial.state for trial in trials] == [COMPLETE] * 9 + [PRUNED]
    assert len(trials[-1].curve) == 2


def test_a_pruner_that_would_have_stopped_the_best_is_not_trusted(runner: Runner) -> None:
    def late_bloomers(job: Job) -> tuple[float, ...]:
        rank = len(runner.executor.trained)
        return (1 - rank / 20, 1 - rank / 20, 1 - rank / 20, rank / 20)

    _, trials = runner.run(WIDE, late_bloomers, trials=12, epochs=4)
    assert {trial.state for trial in trials} == {COMPLETE}


def test_weights_are_kept_of_the_best_candidate_alone(runner: Runner) -> None:
    _, trials = runner.run(WIDE, score_of)
    best = best_of(trials)
    kept = [trial.number for trial in trials if runner.folder.trial(trial.number).weights.exists()]
    assert best is not None
    assert kept == [best.number]
    assert best.score == max(trial.score or 0 for trial in trials)


# ---- candidates that are too slow ------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_candidates_that_are_too_slow_are_trials_without_a_score(runner: Runner, sampler: str) -> None:
    def script(job: Job) -> tuple[float, ...] | TrialResult:
        if job.candidate.choices["a"] < "5":
            return TrialResult(job.candidate.identity, PRUNED, None, reason="latency = 7.5, not latency < 5")
        return score_of(job)

    ending, trials = runner.run(WIDE, script, trials=20, sampler=sampler)
    slow = [trial for trial in trials if trial.candidate.choices["a"] < "5"]
    assert (ending, len(trials)) == (Ending.DONE, 20)
    assert len(slow) > 5
    assert {(trial.state, trial.score, outcome(trial)) for trial in slow} == {
        (PRUNED, None, "not trained: latency = 7.5, not latency < 5")
    }
    best = best_of(trials)
    assert best is not None
    assert best.candidate.choices["a"] >= "5"
