"""`context NAME`: a module on the deepest map."""

from __future__ import annotations

from typing import Any, final

from archdsl.errors.recipes import PartMoves, WrongFlow
from archdsl.op import arg
from archdsl.stage import Map, Pyramid, Stage, StageName, StageValue, Wiring, described_flow


@final
class Context(Stage):
    """Deepest map → the same place, seen with more context; the other levels pass."""

    name = "context"
    part = "context"
    form: str | StageValue = arg(kind=StageName(own=("none",), rest=True, optional=True), doc="the module")

    def wire(self, net: Wiring, flow: Any) -> Map | Pyramid:
        if not isinstance(flow, Map | Pyramid):
            raise WrongFlow("context", "a map or a pyramid", described_flow(flow))
        if self.form is None or isinstance(self.form, str):
            return flow
        deepest = flow if isinstance(flow, Map) else flow.maps[-1]
        made = net.call(self.form, deepest, name="context")
        if made.shape.spatial != deepest.shape.spatial:
            raise PartMoves(str(deepest.shape), str(made.shape))
        if isinstance(flow, Map):
            return made
        source, row = net.drawing_of(deepest), len(flow.maps)
        net.drawn("context", "context", row, 0, made)
        net.edge(source, net.drawing_of(made), "flow", self.form.word)
        return Pyramid((*flow.maps[:-1], made))
