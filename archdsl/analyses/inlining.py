"""A spec with what it calls of the library written out, so that its numbers are the spec's own."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.widths import Edit
from archdsl.elaboration.program import Program
from archdsl.errors import ArchError, Mistake
from archdsl.syntax import Default, Define, Marked, Name, Pipeline, Word, walk
from archdsl.vocabulary import Definition, File


def written_out(program: Program) -> tuple[Edit, ...]:
    """What puts a definition of the library before the pipeline that calls it first, if one is called.

    With it come the definitions of its file that it uses, and the defaults of that file.
    """
    pipeline = program.pipeline
    called = None if pipeline is None else next(_called(pipeline, program.file), None)
    if pipeline is None or called is None:
        return ()
    used = _used(called)
    wanted = [
        statement.span.text.rstrip()
        for statement in called.file.spec.statements
        if isinstance(statement, Default) or (isinstance(statement, Define) and statement.name in used)
    ]
    start = pipeline.span.start
    return (Edit(start, start, (), "\n\n".join((*wanted, ""))),)


def _called(pipeline: Pipeline, file: File) -> Iterator[Definition]:
    """The definitions of other files that stand in a pipeline, as a stage or as what a stage is given."""
    for element in pipeline.elements:
        word = element.element if isinstance(element, Marked) else element
        if isinstance(word, Word):
            names = [word.name, *(given.name for given in word.arguments[:1] if isinstance(given, Name))]
            for name in names:
                try:
                    meaning = file.meaning(name)
                except (ArchError, Mistake):
                    continue
                if isinstance(meaning, Definition) and meaning.file is not file:
                    yield meaning


def _used(definition: Definition) -> set[str]:
    """The definition's name, and those of its file that it uses, and that these use."""
    known = definition.file.definitions
    found, waiting = {definition.name}, [definition]
    while waiting:
        names = {node.name for node in walk(waiting.pop().node) if isinstance(node, Name | Word)}
        more = (names & known.keys()) - found
        found |= more
        waiting += (known[name] for name in more)
    return found
