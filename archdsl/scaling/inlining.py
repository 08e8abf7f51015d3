"""A spec with what it calls of the library written out, so that its numbers are the spec's own."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.elaboration.program import Program
from archdsl.elaboration.values import parameter_names
from archdsl.scaling.edits import Edit, rewritten
from archdsl.scaling.widths import Widths
from archdsl.syntax import Binding as LoopBinding
from archdsl.syntax import Define, Keyword, Name, Node, Word, unmarked, walk
from archdsl.vocabulary import Binding, Definition, File


def written_out(program: Program, widths: Widths, *, encoder: bool) -> tuple[Edit, ...]:
    """What puts before the pipeline all definitions of other files that write widths.

    With them come those that lead to them and those that only their own file knows. Defaults of their file
    are written into each call; names that the spec has itself get the name of the file behind them. Without
    `encoder`, what the pipeline's `encoder` calls is left where it is.
    """
    pipeline = program.pipeline
    assert pipeline is not None
    chosen = _chosen(program, widths, set(_called(program, encoder=encoder)))
    if not chosen:
        return ()
    names = _names(program.file, chosen)
    texts = [_text(statement, names, program.file) for statement in chosen]
    start = pipeline.span.start
    return (Edit(start, start, before="\n\n".join((*texts, ""))),)


# ---- which -----------------------------------------------------------------------------------------


def _called(program: Program, *, encoder: bool) -> Iterator[Definition | Binding]:
    """What the spec itself names of other files."""
    assert program.pipeline is not None
    roots: list[Node] = [definition.node for definition in program.file.definitions.values()]
    for element in program.pipeline.elements:
        word = unmarked(element)
        if encoder or not (isinstance(word, Word) and word.name == "encoder"):
            roots.append(element)
    for root in roots:
        yield from (found for found in _named(root, program.file) if found.file is not program.file)


def _named(node: Node, file: File) -> Iterator[Definition | Binding]:
    """What is named below a node, and no variable there."""
    variables = _variables(node)
    for inner in walk(node):
        if isinstance(inner, Name | Word) and inner.name not in variables:
            meaning = file.find(inner.name)
            if isinstance(meaning, Definition | Binding):
                yield meaning


def _variables(node: Node) -> set[str]:
    """The parameters and the variables of loops below a node."""
    found = {name for inner in walk(node) if isinstance(inner, LoopBinding) for name in inner.names}
    if isinstance(node, Define):
        found |= {parameter.name for parameter in node.parameters or ()}
    return found


def _chosen(
    program: Program, widths: Widths, called: set[Definition | Binding]
) -> tuple[Definition | Binding, ...]:
    """What is to be written out, each behind what it needs."""
    wide: dict[Definition | Binding, bool] = {}

    def is_wide(found: Definition | Binding) -> bool:
        if found not in wide:
            wide[found] = False  # one that uses itself
            own = isinstance(found, Definition) and bool(widths.of_definition(found))
            below = [is_wide(inner) for inner in _named(found.node, found.file)]
            wide[found] = own or any(below)
        return wide[found]

    chosen: dict[Definition | Binding, None] = {}

    def choose(found: Definition | Binding) -> None:
        if found in chosen or found.file is program.file:
            return
        for inner in _named(found.node, found.file):
            known_here = program.file.find(inner.node.name) is inner
            if is_wide(inner) or not known_here:
                choose(inner)
        chosen[found] = None

    for found in called:
        if is_wide(found):
            choose(found)
    return tuple(chosen)


# ---- how -------------------------------------------------------------------------------------------


def _names(file: File, chosen: tuple[Definition | Binding, ...]) -> dict[Definition | Binding, str]:
    """The name of each in the spec: its own, or, where that is taken, with its file's behind it."""
    taken = {*file.definitions, *file.lets}
    names: dict[Definition | Binding, str] = {}
    for found in chosen:
        name = found.node.name
        if name in taken:
            name += "_" + found.file.spec.source.name.rpartition("/")[2].removesuffix(".arch")
        while name in taken:
            name += "_"
        taken.add(name)
        names[found] = name
    return names


def _text(found: Definition | Binding, names: dict[Definition | Binding, str], here: File) -> str:
    """A statement with the names of here, and with the defaults of its file in each call."""
    node, variables = found.node, _variables(found.node)
    edits = [Edit(node.name_span.start, node.name_span.end, before=names[found])]
    for inner in walk(node):
        if not isinstance(inner, Name | Word) or inner.name in variables:
            continue
        span = inner.name_span if isinstance(inner, Word) else inner.span
        meaning = found.file.find(inner.name)
        name = names.get(meaning, inner.name) if isinstance(meaning, Definition | Binding) else inner.name
        more = _defaults(inner, found.file)
        if isinstance(inner, Word):
            edits += [Edit(span.start, span.end, before=name)] if name != inner.name else []
            edits += [Edit(inner.span.end, inner.span.end, before=more)] if more else []
        elif name != inner.name or more:
            edits.append(Edit(span.start, span.end, before=f"({name}{more})" if more else name))
    text = node.span.text
    moved = [
        edit._replace(start=edit.start - node.span.start, end=edit.end - node.span.start) for edit in edits
    ]
    return rewritten(text, moved).rstrip()


def _defaults(call: Name | Word, file: File) -> str:
    """The keywords that a file's defaults add to a call."""
    given = call.arguments if isinstance(call, Word) else ()
    stated = {argument.name for argument in given if isinstance(argument, Keyword)}
    meaning = file.find(call.name)
    if isinstance(meaning, type | Definition):
        by_place = [argument for argument in given if not isinstance(argument, Keyword)]
        stated |= {*parameter_names(meaning)[: len(by_place)]}
    found: dict[str, str] = {}
    for statement in file.defaults.get(call.name, ()):
        for keyword in statement.keywords:
            if keyword.name not in stated:
                found[keyword.name] = f" {keyword.span.text}"
    return "".join(found.values())
