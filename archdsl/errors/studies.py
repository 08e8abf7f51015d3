"""Mistakes in a study: its file, its folder, its space, its workers (E450 to E469)."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.errors.base import Mistake, named, suggest

# ---- the study file ----------------------------------------------------------------------------


class NotToml(Mistake):
    code = "E450"
    reason: str

    def message(self) -> str:
        return f"this is not TOML: {self.reason}"

    def help(self) -> str:
        return 'a study is lines of `key = value`, text in quotes: `space = "blocks.arch"`'


class UnknownKey(Mistake):
    code = "E451"
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"a study has no `{self.got}`"

    def help(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `{near}`?" if near else f"keys: {named(self.known, 20)}"

    def replacement(self) -> str | None:
        return suggest(self.got, self.known)


class WrongValue(Mistake):
    code = "E452"
    key: str
    got: str
    wanted: str
    near: str | None = None
    """The option that was probably meant."""

    def message(self) -> str:
        return f"`{self.key}` has to be {self.wanted}, not {self.got}"

    def help(self) -> str:
        return f"did you mean `{self.near}`?" if self.near else ""


class MissingKey(Mistake):
    code = "E453"
    key: str
    meaning: str
    option: str

    def message(self) -> str:
        return f"the study names no `{self.key}`: {self.meaning}"

    def help(self) -> str:
        return f"add `{self.key} = ...` to the study's file, or call with {self.option}"


class NoSuchSpace(Mistake):
    code = "E454"
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no file `{self.got}` and no space of that name"

    def help(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean the library's `{near}`?" if near else f"the library has {named(self.known)}"


# ---- the space ---------------------------------------------------------------------------------


class NothingOpen(Mistake):
    code = "E455"
    space: str

    def message(self) -> str:
        return f"`{self.space}` leaves nothing open: it is one architecture, and there is nothing to search"

    def help(self) -> str:
        return "write choices such as `{transpose, bilinear}` or `2..4`, or train it with `archdsl train`"


class NothingFeasible(Mistake):
    code = "E456"
    tried: int
    complete: bool
    """These were all members of the space, not a sample."""
    failures: tuple[tuple[str, int], ...]
    """What they broke, and how many broke it."""

    def message(self) -> str:
        members = f"all {self.tried} members" if self.complete else f"all {self.tried} sampled members"
        return f"{members} of the space break a requirement"

    def help(self) -> str:
        counts = [f"{condition} ({count} of {self.tried})" for condition, count in self.failures]
        return f"what they break: {named(counts)}"


# ---- the folder --------------------------------------------------------------------------------


class StudyChanged(Mistake):
    code = "E457"
    name: str
    folder: str
    changes: tuple[tuple[str, str, str], ...]
    """Key, what it was, what it is now."""

    def message(self) -> str:
        changed = "; ".join(f"{key} was {before}, now {now}" for key, before, now in self.changes)
        return f"the study `{self.name}` was begun otherwise: {changed}"

    def help(self) -> str:
        return (
            f"scores of the two could not be compared; call with what it was to go on, give this one "
            f"another name (`--name`), or delete {self.folder} to begin anew"
        )


class DataChanged(Mistake):
    code = "E462"
    name: str
    data: str
    folder: str
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Files, relative to the data's folder."""
    facts: tuple[tuple[str, str, str], ...] = ()
    """Name, what it was, what it is now."""

    def message(self) -> str:
        parts = [
            _counted(self.new, "is new", "are new"),
            _counted(self.gone, "is gone", "are gone"),
            _counted(self.changed, "has other contents", "have other contents"),
            *(f"`{fact}` was {before}, now {now}" for fact, before, now in self.facts),
        ]
        said = "; ".join(filter(None, parts))
        return f"the data of the study `{self.name}`, `{self.data}`, is not what it was: {said}"

    def help(self) -> str:
        return (
            f"scores on the two could not be compared; make the data what it was to go on, give the study on "
            f"the new data another name (`--name`), or delete {self.folder} to begin anew"
        )


def _counted(files: Sequence[str], one: str, several: str) -> str:
    if not files:
        return ""
    count = f"1 file {one}" if len(files) == 1 else f"{len(files)} files {several}"
    return f"{count} ({named(files, 3)})"


class StudyInUse(Mistake):
    code = "E458"
    name: str
    folder: str

    def message(self) -> str:
        return f"the study `{self.name}` is running already: another process holds {self.folder}"

    def help(self) -> str:
        return "wait for it or stop it, or give this one another name (`--name`)"


class QuestionLost(Mistake):
    code = "E463"
    folder: str

    def message(self) -> str:
        return f"`{self.folder}` holds trials of a study, but no study.toml that tells which study it was"

    def help(self) -> str:
        return (
            f"put study.toml back, give this study another name (`--name`), or delete {self.folder} "
            f"to begin anew"
        )


class HistoryUnusable(Mistake):
    code = "E459"
    path: str
    reason: str

    def message(self) -> str:
        return f"the history of the study, `{self.path}`, cannot be used: {self.reason}"

    def help(self) -> str:
        return (
            "once this is mended the same command goes on; if the file itself is broken, delete it, and the "
            "results are taken from trials/*/result.json"
        )


# ---- the workers -------------------------------------------------------------------------------


class WorkerCannotGoOn(Mistake):
    """Something that no other candidate would mend: the data, the device, the disk."""

    code = "E460"
    reason: str
    log: str

    def message(self) -> str:
        return f"the worker cannot go on: {self.reason}"

    def help(self) -> str:
        return f"what it printed is in {self.log}; the same command goes on once this is mended"


class AllFailed(Mistake):
    code = "E461"
    count: int
    reason: str
    folder: str

    def message(self) -> str:
        return f"the first {self.count} candidates all failed; the last said: {self.reason}"

    def help(self) -> str:
        return f"`archdsl train {self.folder}/candidate.arch` shows it without a search"
