"""A network beside the text that it was written in."""

from __future__ import annotations

from functools import cached_property

from archdsl.assembly import Assembly
from archdsl.blocks import join_path
from archdsl.elaboration.program import Program
from archdsl.network import Network, Operation
from archdsl.records import Record
from archdsl.source import Source, Span

# Who reads what the network returns.
OUTSIDE = -1


class Written(Record):
    """An elaborated spec: its operations, where each is written, who reads what each gives.

    Operations are numbered from 0; operation n gives value n+1.
    """

    program: Program
    assembly: Assembly

    @property
    def source(self) -> Source:
        return self.program.file.spec.source

    @cached_property
    def network(self) -> Network:
        return self.assembly.network()

    def is_own(self, number: int) -> bool:
        """Whether an operation is written in the spec itself, not in a definition from elsewhere."""
        return self.network.operations[number].span.source is self.source

    def place(self, number: int) -> Span:
        """Where the spec writes an operation, or the stage that made it."""
        operation = self.network.operations[number]
        if operation.span.source is self.source:
            return operation.span
        assert self.program.pipeline is not None
        return self._stages.get(operation.path, self.program.pipeline.span)

    @cached_property
    def _stages(self) -> dict[str, Span]:
        """The place of the outermost stage that made each module path."""
        found: dict[str, Span] = {}
        for part in self.assembly.whole:
            item = part.item
            if isinstance(item, Operation):
                continue
            assert part.block is not None
            if item.span.source is self.source:
                for operation in part.block.operations:
                    found.setdefault(join_path(item.prefix, operation.path), item.span)
        return found

    @cached_property
    def readers(self) -> dict[int, list[int]]:
        """The operations that read each value."""
        found: dict[int, list[int]] = {output.value: [OUTSIDE] for output in self.network.outputs}
        for number, operation in enumerate(self.network.operations):
            for value in operation.inputs:
                found.setdefault(value, []).append(number)
        return found

    def only_reader(self, number: int) -> Operation | None:
        """The operation that alone reads what an operation gives, if there is one."""
        readers = self.readers.get(number + 1, [])
        if len(readers) != 1 or readers[0] == OUTSIDE:
            return None
        return self.network.operations[readers[0]]
