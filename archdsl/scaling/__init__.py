"""A spec with other widths: the control of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from archdsl.architecture import Architecture
from archdsl.elaboration.program import Program
from archdsl.errors import ArchError
from archdsl.network import Network
from archdsl.scaling.edits import (
    Edit,
    of_defaults,
    of_widths,
    published_encoder,
    rewritten,
    without_weights,
)
from archdsl.scaling.inlining import written_out
from archdsl.scaling.widths import Widths

# The share of a network's parameters that may stay as they are where all of its widths are doubled.
LEFT = 0.05


class Scalable:
    """An architecture that was made of a spec, whose widths can be changed in its text.

    With `factors`, a factor of widths that are rounded (`round8(32*width)`) is one number that stands for
    all of them; without, the widths beside it are numbers of their own.

    Attributes:
        widths: the channels that its spec writes itself, as they stand in it.
        multiplied: whether it also writes factors of widths, as `efficientnet 1.2 1.4` does.
    """

    def __init__(self, architecture: Architecture, *, factors: bool = True) -> None:
        self.architecture = architecture
        self._factors = factors
        self.widths = tuple(width for place in self._places for width in place.widths)
        self.multiplied = any(place.multiplier is not None for place in self._places)

    @cached_property
    def _program(self) -> Program:
        program = self.architecture.program
        assert program is not None, "what is scaled was read from a text"
        return program

    @cached_property
    def _widths(self) -> Widths:
        return Widths(self._program, self.architecture.traced().handed, factors=self._factors)

    @cached_property
    def _places(self) -> tuple[Edit, ...]:
        """Where widths stand; without those that `up` takes by default, should they be other ones."""
        written = tuple(of_widths(self._widths))
        defaults = tuple(of_defaults(self._program, self.architecture.network))
        same = [width for place in defaults for width in place.widths]
        unchanged = self._with(defaults, same).identity == self.architecture.identity
        places = (*written, *defaults) if unchanged else written
        return tuple(sorted(places, key=lambda place: place.start))

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to scale."""
        return not self.widths and not self.multiplied

    @cached_property
    def published_encoder(self) -> str:
        """The word of the library's encoder that it starts with, if the spec writes no widths for it."""
        return published_encoder(self._program, self._widths)

    def scaled(self, widths: Sequence[int], factor: float = 1.0) -> Architecture:
        """The same spec with other widths, one for each of its own, and without published weights.

        Its factors of widths are multiplied by `factor`. Raises ArchError where other numbers of the spec
        hold widths fast, ValueError where there are more widths or fewer.
        """
        if len(widths) != len(self.widths):
            raise ValueError(f"the spec writes {len(self.widths)} widths, not {len(widths)}")
        return self._with((*self._places, *without_weights(self._program)), widths, factor)

    def written_out(self, *, encoder: bool) -> Scalable | None:
        """The same network with what its spec calls of the library in the spec itself.

        Without `encoder`, the encoder stays. None where nothing is to be written out, or where the network
        would be another one.
        """
        places = written_out(self._program, self._widths, encoder=encoder)
        try:
            made = self._with(places) if places else None
        except ArchError:
            return None
        if made is None or made.identity != self.architecture.identity:
            return None
        return Scalable(made, factors=self._factors)

    @property
    def is_whole(self) -> bool:
        """Whether all layers but a few small ones grow where the widths do."""
        try:
            doubled = self.scaled([2 * width for width in self.widths], 2.0).network
        except ArchError:
            return False
        before, after = _layers(self.architecture.network), _layers(doubled)
        if len(before) != len(after):
            return False
        left = sum(params for params, other in zip(before, after, strict=True) if params == other)
        return left <= LEFT * sum(before)

    def _with(
        self, places: tuple[Edit, ...], widths: Sequence[int] = (), factor: float = 1.0
    ) -> Architecture:
        text = self._program.file.spec.source.text
        return self.architecture.with_text(rewritten(text, places, widths, factor))


def _layers(network: Network) -> list[int]:
    """The parameters of each operation."""
    return [operation.op.cost(network.shapes_into(operation)).params for operation in network.operations]
