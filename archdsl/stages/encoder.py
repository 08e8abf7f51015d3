"""`encoder NAME`: any definition, or a model of timm, as a backbone."""

from __future__ import annotations

from typing import Any, final

from archdsl.errors.arguments import GivenTwice
from archdsl.errors.encoders import NoOutputStride, OtherOutputStride
from archdsl.errors.recipes import WrongFlow
from archdsl.op import Int, arg
from archdsl.stage import Map, Paths, Pyramid, Stage, StageName, StageValue, Tag, Wiring, described_flow
from archdsl.tensors import per_pixel, relative


@final
class Encoder(Stage):
    """Map → Pyramid: the feature maps of a definition, or of a model of timm, finest first."""

    name = "encoder"
    part = "encoder"
    form: StageValue = arg(kind=StageName(rest=True, timm=True), doc="the backbone")
    taps: tuple[str, ...] | None = arg(None, kind=Paths(), doc="module paths of the levels, finest first")
    depth: int | None = arg(None, kind=Int(low=0, high=12, optional=True), doc="deepest stride 2^depth")
    output_stride: int | None = arg(
        None, kind=Int(low=1, optional=True), doc="deepest stride, the rest dilated"
    )
    weights: str | None = arg(None, kind=Tag(), doc="published weights to load")

    def wire(self, net: Wiring, flow: Any) -> Pyramid:
        if not isinstance(flow, Map):
            raise WrongFlow("encoder", "the image or one map", described_flow(flow))
        keywords = {}
        if self.output_stride is not None:
            if self.form.gives("output_stride"):
                raise GivenTwice(self.form.word, "output_stride")
            if not self.form.takes("output_stride"):
                raise NoOutputStride(self.form.word)
            keywords["output_stride"] = self.output_stride
        levels = net.backbone(self.form, flow, self.taps, self.depth, keywords, self.weights)
        self._ends(levels, flow)
        net.drawn("input", "input", 0, -1, flow)
        source = "input"
        for row, level in enumerate(levels.maps):
            name = f"x{row}_0"
            net.drawn(name, "encoder", row, 0, level)
            net.edge(source, name, "flow" if row == 0 else "down")
            source = name
        return levels

    def _ends(self, levels: Pyramid, entered: Map) -> None:
        """Raises OtherOutputStride unless the levels end at the output stride that is asked for.

        It counts from the map that entered, as the definition does, which knows no other.
        """
        wanted, chosen = self.output_stride, self.taps is not None or self.depth is not None
        strides = [relative(level.stride, entered.stride) for level in levels.maps]
        if wanted is not None and not chosen and strides[-1] != wanted:
            raise OtherOutputStride(self.form.word, wanted, tuple(per_pixel(stride) for stride in strides))
