"""A network as a table: its stages, what leaves each, and what each costs."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archdsl.network import Network
from archdsl.tensors import Shape

# As many rows as a screen shows.
MOST_ROWS = 32


class Row(NamedTuple):
    """One stage.

    Attributes:
        path: its module path.
        level: how many stages it lies in.
        word: the definition or the operation that it is; empty for a named group.
        shape: of what leaves it.
        params: its trainable parameters; a module used twice counts where it is used first.
        macs: its multiply-adds in inference, of one image; None where a part is opaque.
    """

    path: str
    level: int
    word: str
    shape: Shape
    params: int
    macs: int | None


class Summary(NamedTuple):
    """What a network is and costs; `str` gives the table.

    Attributes:
        input: shape of the image.
        outputs: name and shape of what flows at the end.
        rows: stages in the order in which they first work; those that neither cost nor resize are left out.
        params, macs: of the whole network, training-only parts among the parameters.
    """

    input: Shape
    outputs: tuple[tuple[str, Shape], ...]
    rows: tuple[Row, ...]
    params: int
    macs: int | None

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, texts and numbers, for JSON."""
        return {
            "input": list(self.input),
            "outputs": {name: list(shape) for name, shape in self.outputs},
            "params": self.params,
            "macs": self.macs,
            "stages": [
                row._asdict()
                | {
                    "shape": list(row.shape),
                    "params_share": _share(row.params, self.params),
                    "macs_share": _share(row.macs, self.macs),
                }
                for row in self.rows
            ],
        }


def summarise(network: Network, depth: int | None = None) -> Summary:
    """The table of a network, `depth` levels of stages deep; by default two, or one where two don't fit."""
    root = _tree(network)
    rows = _rows(root, depth) if depth else _fitting(root)
    outputs = tuple(
        (output.name, network.shape_of(output.value))
        for output in network.outputs
        if not output.training_only
    )
    return Summary(network.input, outputs, tuple(rows), root.params, root.macs)


# ---- counting ------------------------------------------------------------------------------------


@dataclass
class _Stage:
    """A node of the tree of module paths, while its operations are counted."""

    word: str = ""
    operation: str = ""
    entered: Shape | None = None
    shape: Shape | None = None
    params: int = 0
    macs: int | None = 0
    children: dict[str, _Stage] = field(default_factory=dict)

    def count(self, params: int, macs: int | None) -> None:
        self.params += params
        self.macs = None if self.macs is None or macs is None else self.macs + macs


def _tree(network: Network) -> _Stage:
    words = {scope.path: scope.word for scope in network.scopes if not scope.word.startswith("_")}
    root = _Stage()
    counted: set[str] = set()
    for number, operation in enumerate(network.operations):
        inputs = network.shapes_into(operation)
        cost = operation.op.cost(inputs)
        params = 0 if operation.path in counted else cost.params
        macs = None if operation.op.opaque else cost.macs
        if number not in network.inference:
            macs = 0
        counted.add(operation.path)
        path = operation.path or _around(network, number)
        stage, at = root, ""
        stage.count(params, macs)
        for part in path.split(".") if path else ():
            at = f"{at}.{part}" if at else part
            stage = stage.children.setdefault(part, _Stage(words.get(at, ""), entered=inputs[0]))
            stage.shape = operation.shape
            stage.count(params, macs)
        stage.operation = operation.op.name
    return root


def _around(network: Network, number: int) -> str:
    """The innermost stage around an operation that has no module path of its own, such as a join."""
    inside = [scope for scope in network.scopes if scope.first <= number < scope.last]
    return min(inside, key=lambda scope: scope.last - scope.first).path if inside else ""


# ---- rows ----------------------------------------------------------------------------------------


def _fitting(root: _Stage) -> list[Row]:
    """Two levels where they fit; what lies deeper is for those who ask."""
    rows = _rows(root, 2)
    return rows if len(rows) <= MOST_ROWS else _rows(root, 1)


def _rows(root: _Stage, depth: int) -> list[Row]:
    return list(_below(root, "", 0, depth))


def _below(stage: _Stage, path: str, level: int, depth: int) -> Iterator[Row]:
    for name, child in stage.children.items():
        assert child.shape is not None
        below = f"{path}.{name}" if path else name
        if _is_list(child):
            # `blocks` alone says nothing: what it numbers are the stages.
            yield from _below(child, below, level, depth)
            continue
        if child.params or child.macs != 0 or child.shape != child.entered:
            word = child.word or ("" if child.children else child.operation)
            yield Row(below, level, word, child.shape, child.params, child.macs)
        if level + 1 < depth and len(child.children) > 1:
            yield from _below(child, below, level + 1, depth)


def _is_list(stage: _Stage) -> bool:
    """Whether a stage only numbers stages that number theirs (`blocks.0.0`)."""
    return not stage.word and _numbers(stage) and any(_numbers(child) for child in stage.children.values())


def _numbers(stage: _Stage) -> bool:
    return bool(stage.children) and all(name.isdigit() for name in stage.children)


# ---- text ----------------------------------------------------------------------------------------


def _lines(summary: Summary) -> Iterator[str]:
    heads = ("stage", "", "output", "parameters", "share", "multiply-adds", "share")
    cells = [
        (
            "  " * row.level + _shown_path(row, summary.rows),
            row.word,
            str(row.shape),
            f"{row.params:,}" if row.params else "",
            _percent(row.params, summary.params),
            "" if row.macs == 0 else abbreviated(row.macs),
            _percent(row.macs, summary.macs),
        )
        for row in summary.rows
    ]
    total = ("total", "", "", f"{summary.params:,}", "", abbreviated(summary.macs), "")
    lines = aligned([heads, *cells, total], numbers=range(3, len(heads)))
    rule = "─" * max(map(len, lines))
    yield from (lines[0], rule, *lines[1:-1], rule, lines[-1])


def _shown_path(row: Row, rows: tuple[Row, ...]) -> str:
    """The path without that of the stage it is indented under."""
    outer = [other.path for other in rows if other.level < row.level]
    parents = [path for path in outer if row.path.startswith(f"{path}.")]
    return row.path.removeprefix(f"{max(parents, key=len, default='')}.")


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or whole is None:
        return None
    return round(part / whole, 4) if whole else 0.0


def _percent(part: int | None, whole: int | None) -> str:
    return f"{100 * part / whole:.1f} %" if part and whole else ""


def aligned(rows: Sequence[Sequence[str]], *, numbers: Container[int]) -> list[str]:
    """Rows as lines of text whose columns stand below one another, those of `numbers` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return [line.rstrip() for line in lines]


def abbreviated(number: int | None) -> str:
    """Three significant digits and K, M, G or T: `385M`, `1.82G`; `unknown` for None."""
    if number is None:
        return "unknown"
    value, unit = float(number), ""
    for unit in ("", "K", "M", "G", "T"):
        if value < 999.5 or unit == "T":
            break
        value /= 1000
    return f"{value:.3g}{unit}" if value < 999.5 else f"{value:.0f}{unit}"
