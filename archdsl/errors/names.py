"""Mistakes about names and where they may stand (E1)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, is_certain, named, suggest
from archdsl.errors.foreign import note


class UnknownStage(Mistake):
    """`owner` is the recipe stage of which the word is one."""

    code = "E101"
    got: str
    known: tuple[str, ...]
    owner: str = ""

    def message(self) -> str:
        return f"unknown stage `{self.got}`"

    def label(self) -> str:
        if self.owner:
            return f"it is a word of `{self.owner}`"
        near = suggest(self.got, self.known)
        return f"did you mean `{near}`?" if near else "no stage or definition has this name"

    def help(self) -> str:
        if self.owner:
            return f"write it where the stage stands: `{self.owner} {self.got}`"
        if suggest(self.got, self.known):
            return ""
        define = f"define it with `def {self.got}(...) = ...`, or use one of: {named(self.known)}"
        return note(self.got) or define

    def replacement(self) -> str | None:
        return None if self.owner else suggest(self.got, self.known)

    @property
    def safe_fix(self) -> bool:
        return is_certain(self.got, self.known)


class UnknownWord(Mistake):
    """A word that an argument does not know: `encoder efnet_b0`, `pool mean`."""

    code = "E102"
    stage: str
    got: str
    known: tuple[str, ...]
    near: tuple[str, ...] = ()

    def message(self) -> str:
        return f"`{self.stage}` knows no `{self.got}`"

    def label(self) -> str:
        near = suggest(self.got, (*self.known, *self.near))
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        if suggest(self.got, (*self.known, *self.near)):
            return ""
        if told := note(self.got):
            return told
        if self.stage == "encoder":
            return "`archdsl specs` lists the library's; a model of timm is `timm:NAME`"
        return f"it knows {named(self.known)}" if self.known else "it wants the name of a definition"

    def replacement(self) -> str | None:
        return suggest(self.got, (*self.known, *self.near))

    @property
    def safe_fix(self) -> bool:
        return is_certain(self.got, (*self.known, *self.near))


class UnknownBackbone(Mistake):
    """A name after `timm:` that timm doesn't know.

    `base` is the model's name where a tag of its weights stands behind it, `asked` whether timm itself was
    there to tell, beside the table; `now` is what timm calls a model of an old name, perhaps with a tag.
    """

    code = "E135"
    got: str
    known: tuple[str, ...]
    base: str = ""
    asked: bool = True
    now: str = ""

    def message(self) -> str:
        if self.now:
            return f"`{self.got}` is an old name: timm calls it `{self.now.partition('.')[0]}` now"
        if self.base:
            return f"`{self.got}` is a model with weights, not the name of a model"
        return f"timm has no model `{self.got}`"

    def label(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `timm:{near}`?" if near and not (self.base or self.now) else ""

    def help(self) -> str:
        if self.now:
            name, _, tag = self.now.partition(".")
            meant = f"; the weights that it meant are `weights={tag}`" if tag else ""
            return f"write `encoder timm:{name}`{meant}"
        if self.base:
            return f"write `encoder timm:{self.base} weights={self.got.partition('.')[2]}`"
        if self.asked:
            return "" if suggest(self.got, self.known) else "`timm.list_models()` names them"
        return 'newer models are known to timm alone, which is not installed: pip install "archdsl[weights]"'

    def replacement(self) -> str | None:
        near = self.now.partition(".")[0] or self.base or suggest(self.got, self.known)
        return near and f"timm:{near}"


class UsesItself(Mistake):
    code = "E106"
    chain: tuple[str, ...]

    def message(self) -> str:
        return f"a definition may not use itself: {' -> '.join(self.chain)}"

    def label(self) -> str:
        return f"`{self.chain[-1]}` again, and so on for ever"

    def help(self) -> str:
        return "a network is finite: `(...) * 4` repeats a part of it"


CONSTANTS = ("true", "false", "none")  # which Python writes with capitals


class UnknownVariable(Mistake):
    """A word where a number is wanted: as an option's value (of a `stage`), or in arithmetic.

    `option` is what should have been written, where the word is that of an option: `conv 3x3 8 stride 2`.
    """

    code = "E107"
    got: str
    stage: str
    known: tuple[str, ...]
    option: str = ""

    def message(self) -> str:
        if self.option:
            return f"the option `{self.got}` of `{self.stage}` is given without `=`"
        if not self.stage:
            return f"`{self.got}` is not defined"
        return f"`{self.got}` is neither a variable nor an option of `{self.stage}`"

    def label(self) -> str:
        if self.option:
            return f"write `{self.option}`"
        near = self.replacement()
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        return "" if self.replacement() else f"`let {self.got} = ...` defines it"

    def replacement(self) -> str | None:
        return self.option or suggest(self.got, (*self.known, *CONSTANTS))


class MissingPipe(Mistake):
    """Mistake of a stage that stands where an argument is wanted."""

    code = "E112"
    safe_fix = True
    word: str
    stage: str

    def message(self) -> str:
        return f"`{self.word}` is a stage, not an argument of `{self.stage}`"

    def label(self) -> str:
        return "a `|` is missing before it"

    def replacement(self) -> str | None:
        return f"| {self.word}"


class PathTwice(Mistake):
    code = "E113"
    path: str

    def message(self) -> str:
        return f"two stages are called `{self.path}`"

    def label(self) -> str:
        return "again here"

    def help(self) -> str:
        return "a module path belongs to one stage; `share` applies a module again"


class PathInside(Mistake):
    """A name with dots whose beginning is a stage of its own: `conv ... as a | bn as a.b`."""

    code = "E129"
    path: str
    outer: str

    def message(self) -> str:
        return f"`{self.path}` lies inside the stage `{self.outer}`"

    def help(self) -> str:
        return f"a stage holds no others: choose another name than `{self.outer}` for one of them"


class ReservedPath(Mistake):
    code = "E114"
    name: str

    def message(self) -> str:
        return f"`{self.name}` can't name a stage: every torch module has a member of that name"

    def help(self) -> str:
        return f"choose another name, such as `{self.name}_`"


class DefinedTwice(Mistake):
    code = "E115"
    name: str

    def message(self) -> str:
        return f"`{self.name}` is defined twice"

    def label(self) -> str:
        return "again here"


class Ambiguous(Mistake):
    code = "E116"
    name: str
    places: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.name}` is defined in {' and in '.join(self.places)}"

    def help(self) -> str:
        return "a definition of this name in this file would decide"


class NotAStage(Mistake):
    code = "E117"
    got: str

    def message(self) -> str:
        return f"{self.got} is not a stage"


class UnknownFunction(Mistake):
    code = "E118"
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"unknown function `{self.got}`"

    def label(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        if suggest(self.got, self.known):
            return ""
        return note(self.got) or f"functions: {named(self.known, 16)}"

    def replacement(self) -> str | None:
        return suggest(self.got, self.known)


class NotShared(Mistake):
    code = "E119"
    got: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`share` finds no module called `{self.got}` in this definition"

    def label(self) -> str:
        near = suggest(self.got, self.known)
        return f"did you mean `{near}`?" if near else ""

    def help(self) -> str:
        return f"modules so far: {named(self.known)}" if self.known else "name the module with `as` first"


class OtherWeights(Mistake):
    """`share` of a module on a map that its weights don't fit."""

    code = "E130"
    name: str
    first: str
    now: str

    def message(self) -> str:
        return f"the weights of `{self.name}` don't fit here"

    def label(self) -> str:
        return f"it first got {self.first}, now {self.now}"

    def help(self) -> str:
        if self.first.split("x")[0] == self.now.split("x")[0]:
            return "its layers follow from the size of what it gets: bring the map to it with `interpolate`"
        return "a shared module wants the channels that it had at first: bring them there with `conv 1x1`"


class ReservedValue(Mistake):
    """A stage called `in` or `input`, whose value `@in` and `@input` would never be."""

    code = "E131"
    name: str

    def message(self) -> str:
        what = "what flows into a definition" if self.name == "in" else "the image"
        return f"`{self.name}` can't name a stage: `@{self.name}` is {what}"

    def help(self) -> str:
        return f"choose another name, such as `{self.name}_`"


class UnknownHole(Mistake):
    code = "E123"
    name: str

    def message(self) -> str:
        return f"the hole `{{{self.name}}}` names no loop variable or parameter"

    def help(self) -> str:
        return "a hole takes a whole number or a word that a loop or parameter holds"


class NothingFlows(Mistake):
    """`@in` in a `let` or in a parameter's default."""

    code = "E128"

    def message(self) -> str:
        return "nothing flows here"

    def label(self) -> str:
        return "`@in` is what flows into a definition's body"

    def help(self) -> str:
        return "a `let`, and what a parameter is by default, stand outside of it"
