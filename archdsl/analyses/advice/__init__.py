"""Advice on specs that are right: each kind a function over the program or the network that it makes."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.analyses.advice.backbones import asked_of_timm
from archdsl.analyses.advice.costs import slower_than_counted
from archdsl.analyses.advice.layers import (
    biases_before_norms,
    dropouts_before_norms,
    maps_without_activation,
    norms_after_activations,
    torchs_order,
)
from archdsl.analyses.advice.reach import gridding_holes, joins_at_other_sizes, small_field
from archdsl.analyses.advice.recipes import hidden_definitions, long_schedules, no_head, readouts_of_no_token
from archdsl.analyses.advice.spaces import never_feasible, not_measured
from archdsl.analyses.advice.text import unused_lets, unused_parameters
from archdsl.analyses.advice.unread import unread_levels, unread_stages
from archdsl.analyses.advice.written import Written
from archdsl.elaboration.program import Elaborated, Program
from archdsl.errors import Diagnostic


def advice(program: Program, made: Sequence[Elaborated], object_size: int | None = None) -> list[Diagnostic]:
    """All advice on a spec.

    Args:
        made: what it elaborates to; of a space several members, the first options' first.
        object_size: pixels that the input's objects are wide, where the caller knows.
    """
    found = [*unused_parameters(program), *unused_lets(program), *hidden_definitions(program)]
    if made and program.pipeline is not None:
        written = Written(program, made[0].assembly)
        found += [*no_head(program, written.network), *long_schedules(program, made)]
        found += [*unread_levels(program, made), *unread_stages(program, made)]
        found += [*torchs_order(written), *biases_before_norms(written), *dropouts_before_norms(written)]
        found += [*norms_after_activations(written), *maps_without_activation(written)]
        found += [*gridding_holes(written), *slower_than_counted(written)]
        found += [*asked_of_timm(made), *readouts_of_no_token(program, made)]
        found += [*joins_at_other_sizes(program), *never_feasible(program, made), *not_measured(program)]
        if object_size is not None:
            told = small_field(program.pipeline.span, written.network, object_size)
            found += [told] if told else []
    return found


__all__ = ["advice"]
