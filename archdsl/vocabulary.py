"""The words a spec may use: operations, recipe stages, its own definitions, the library's.

A `Vocabulary` is a value that is passed in, never a global. The library is indexed by a scan for
its `def`s; a file of it is parsed when a word of it is used.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from archdsl.errors import ArchError, Mistake
from archdsl.errors.files import NoSuchUse, OutsideFolder
from archdsl.errors.names import Ambiguous, DefinedTwice
from archdsl.op import Op
from archdsl.ops.backbones import Timm
from archdsl.records import Record
from archdsl.source import Label, Source, Span
from archdsl.stage import Stage
from archdsl.syntax import (
    Alternatives,
    At,
    Choice,
    Default,
    Define,
    Each,
    Let,
    Loop,
    Marked,
    Name,
    Node,
    Pipeline,
    Range,
    Spec,
    Statement,
    Use,
    Word,
    children,
    walk,
)

Builtin: TypeAlias = type[Op] | type[Stage]

# Words that the elaborator itself knows, beside operations and recipe stages.
STRUCTURE = ("tap", "share", "level", "levels", "aux")
OF_TIMM = "timm:"  # and the name of a model
JOINS = ("concat", "add", "mul", "residual", "dense", "pyramid")


class Definition(Record):
    """A `def` and the file in which it stands."""

    node: Define
    file: File

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def body(self) -> Pipeline:
        return self.node.body

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.node.parameters or ())

    @cached_property
    def alias(self) -> Word | None:
        """The call that this definition is, if its body is one bare call."""
        return bare_call(self.body)

    @cached_property
    def is_open(self) -> bool:
        """Whether it holds a choice, or calls a definition that does; lets do not count."""
        defaults = (p.default for p in self.node.parameters or () if p.default is not None)
        return any(map(self.file.is_open, (self.body, *defaults)))


class Binding(Record):
    """A `let` and the file in which it stands."""

    node: Let
    file: File


def bare_call(pipeline: Pipeline) -> Word | None:
    """The stage that a pipeline is, if it is one call without a name or `?`."""
    if len(pipeline.elements) == 1 and isinstance(pipeline.elements[0], Word):
        return pipeline.elements[0]
    return None


Meaning: TypeAlias = Definition | Binding | type[Op] | type[Stage]


# Python frames for 64 definitions inside one another, each with brackets 32 deep.
FRAMES = 30_000


@contextmanager
def room_for_calls() -> Iterator[None]:
    """Room for definitions and brackets nested to their limits: they are Python calls here."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class File:
    """A parsed file: its definitions, lets, defaults, and what its words mean.

    `library` holds for the library's files, which no user changes.
    """

    def __init__(
        self, spec: Spec, vocabulary: Vocabulary, folder: Path | None, library: bool = False
    ) -> None:
        self.spec = spec
        self.vocabulary = vocabulary
        self.folder = folder
        self.library = library
        self.definitions: dict[str, Definition] = {}
        self.lets: dict[str, Binding] = {}
        self.defaults: dict[str, list[Default]] = {}
        self.mistakes: list[ArchError] = []
        self._meanings: dict[str, Meaning | None] = {}
        self._open: dict[Node, bool] = {}
        self._recipes: dict[Definition, bool] = {}
        places: dict[str, Span] = {}
        for statement in spec.statements:
            if isinstance(statement, Define | Let):
                if statement.name in places:
                    first = Label(places[statement.name], "first here")
                    self.mistakes.append(
                        ArchError(DefinedTwice(statement.name).at(statement.name_span, first))
                    )
                    continue
                places[statement.name] = statement.name_span
            if isinstance(statement, Define):
                self.definitions[statement.name] = Definition(statement, self)
            elif isinstance(statement, Let):
                self.lets[statement.name] = Binding(statement, self)
            elif isinstance(statement, Default):
                self.defaults.setdefault(statement.word, []).append(statement)

    def statements(self, kind: type[Statement]) -> list[Statement]:
        return [statement for statement in self.spec.statements if isinstance(statement, kind)]

    @cached_property
    def used(self) -> tuple[File, ...]:
        """The files that this one uses; raises where one can't be read."""
        return tuple(
            self.vocabulary.used(statement, self)
            for statement in self.spec.statements
            if isinstance(statement, Use)
        )

    def meaning(self, word: str) -> Meaning | None:
        """What a word means in this file: its own, what it uses, what is built in, the library."""
        if word not in self._meanings:
            self._meanings[word] = self._look_up(word)
        return self._meanings[word]

    def find(self, word: str) -> Meaning | None:
        """What a word means; None also where that can't be told, as checking tells elsewhere."""
        try:
            return self.meaning(word)
        except (ArchError, Mistake):
            return None

    def _look_up(self, word: str) -> Meaning | None:
        if word in self.definitions:
            return self.definitions[word]
        if word in self.lets:
            return self.lets[word]
        found = [f.definitions[word] for f in self.used if word in f.definitions and word[:1] != "_"]
        if len(found) > 1:
            raise Ambiguous(word, tuple(f"`{d.file.spec.source.name}`" for d in found))
        if found:
            return found[0]
        return self.vocabulary.meaning(word)

    def is_structure(self, word: str) -> bool:
        """Whether a word is one of structure here: no definition of its name comes before it."""
        try:
            return word in STRUCTURE and self.meaning(word) is None
        except (ArchError, Mistake):
            return False

    def is_open(self, node: Node) -> bool:
        """Whether a node holds a choice, or calls a definition that does; lets do not count."""
        known = self._open.get(node)
        if known is None:
            self._open[node] = False  # a definition that uses itself is found elsewhere
            with room_for_calls():
                known = self._open[node] = self._find_open(node)
        return known

    def _find_open(self, node: Node) -> bool:
        if isinstance(node, Choice | Alternatives | Range) or (isinstance(node, Marked) and node.optional):
            return True
        if isinstance(node, Loop | Each):
            values = [binding.values for binding in node.bindings]
            below: list[Node] = [node.body]
            for value in values:  # a bare a..b is a sequence there
                below += children(value) if isinstance(value, Range) else [value]
            return any(self.is_open(child) for child in below)
        if isinstance(node, Word | Name) and self._calls_open(node.name):
            return True
        return any(self.is_open(child) for child in children(node))

    def _calls_open(self, word: str) -> bool:
        meaning = self.find(word)
        return isinstance(meaning, Definition) and meaning.is_open

    @cached_property
    def open_lets(self) -> frozenset[str]:
        """The lets that hold a choice, or read one that does."""
        readers: dict[str, set[str]] = {}
        for name, binding in self.lets.items():
            for node in walk(binding.node.value):
                if isinstance(node, Name | Word) and node.name in self.lets:
                    readers.setdefault(node.name, set()).add(name)
        waiting = [name for name, binding in self.lets.items() if self.is_open(binding.node.value)]
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(readers.get(name, ()))
        return frozenset(found)

    def has_recipe(self, definition: Definition) -> bool:
        """Whether a definition uses recipe stages, itself or through what it calls."""
        known = self._recipes.get(definition)
        if known is None:
            self._recipes[definition] = False
            known = self._recipes[definition] = any(
                self._is_recipe(node.name) for node in walk(definition.body) if isinstance(node, Word | Name)
            )
        return known

    def _is_recipe(self, word: str) -> bool:
        meaning = self.find(word)
        if isinstance(meaning, Definition):
            return meaning.file.has_recipe(meaning)
        return isinstance(meaning, type) and issubclass(meaning, Stage)

    def reads_maps(self, node: Node) -> bool:
        """Whether a node as written reads a named value."""
        return any(isinstance(found, At) for found in walk(node))


class Vocabulary:
    """Operations, recipe stages and the library's definitions by name."""

    def __init__(
        self,
        operations: Mapping[str, type[Op]],
        stages: Mapping[str, type[Stage]],
        library: Mapping[str, tuple[Path, ...]],
        read: Callable[[Source], Spec],
    ) -> None:
        self.operations = operations
        self.stages = stages
        self.library = library
        self._read = read
        self._files: dict[Path, File] = {}

    def file(self, spec: Spec, folder: Path | None) -> File:
        """The tables of a spec; `folder` is where its `use` may look."""
        return File(spec, self, folder)

    def meaning(self, word: str) -> Meaning | None:
        if word.startswith(OF_TIMM):
            return Timm
        if word in self.operations:
            return self.operations[word]
        if word in self.stages:
            return self.stages[word]
        places = self.library.get(word, ())
        if len(places) > 1:
            raise Ambiguous(word, tuple(f"`{path.name}`" for path in places))
        return self._library_file(places[0]).definitions[word] if places else None

    def _library_file(self, path: Path) -> File:
        if path not in self._files:
            source = Source(path.name, path.read_text(encoding="utf-8"))
            self._files[path] = File(self._read(source), self, None, library=True)
        return self._files[path]

    def used(self, statement: Use, user: File) -> File:
        """The file that a `use` names, inside the spec's own folder."""
        if user.folder is None:
            raise ArchError(NoSuchUse(statement.path, "this text has no folder").at(statement.span))
        root = user.folder.resolve()
        path = (root / statement.path).resolve()
        if not path.is_relative_to(root) or Path(statement.path).is_absolute():
            raise ArchError(OutsideFolder(statement.path).at(statement.span))
        if path not in self._files:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                raise ArchError(NoSuchUse(statement.path, reason).at(statement.span)) from None
            self._files[path] = File(self._read(Source(statement.path, text)), self, root)
        return self._files[path]

    def stage_words(self, file: File) -> tuple[str, ...]:
        """All words that may stand at a stage's place in a file, for suggestions."""
        own = [*file.definitions, *file.lets]
        for used in file.used:
            own += [name for name in used.definitions if not name.startswith("_")]
        return (*own, *self.operations, *self.stages, *STRUCTURE, *self.library)


_DEFINITION = re.compile(r"^def[ \t]+([A-Za-z]\w*)", re.MULTILINE)


def index_library(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The public definitions of a library folder by name, found without parsing."""
    found: dict[str, list[Path]] = {}
    for path in _arch_files(folder):
        for name in _DEFINITION.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _arch_files(folder: Path) -> Iterator[Path]:
    for part in ("encoders", "blocks"):
        yield from sorted((folder / part).glob("*.arch"))
