"""`head ...`: from features to what the network answers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, final

from archdsl.errors.recipes import HeadTwice, MissingOption, OtherClasses, WrongFlow
from archdsl.errors.shapes import WrongKind
from archdsl.op import Flag, Int, Real, Word, arg
from archdsl.ops.convolutions import Conv
from archdsl.ops.linear import Linear
from archdsl.ops.pools import GlobalPool
from archdsl.ops.rearrangements import Flatten
from archdsl.ops.regularisers import Dropout
from archdsl.ops.resizing import Interpolate
from archdsl.stage import Lattice, Map, Pyramid, Stage, StageName, StageValue, Wiring, described_flow


@final
class Head(Stage):
    """Map → output: a convolution per pixel at the input's own size, `linear`, or a definition.

    With `supervise=deep` each lower depth of the decoder before gets a head of its own in training.
    """

    name = "head"
    part = "head"
    form: Any = arg(
        kind=StageName(own=("linear", "fpn"), rest=True, sizes=True),
        doc="a kernel size, `linear`, `fpn`, a definition",
    )
    out: int | None = arg(None, kind=Int(low=1, optional=True), doc="classes that leave")
    size: str = arg("input", kind=Word(("input", "own")), doc="whether the output is resized to the input")
    align_corners: bool = arg(False, kind=Flag(), doc="whether corner pixels keep their places in resizing")
    activation: StageValue | None = arg(None, kind=StageName(optional=True), doc="after the last layer")
    dropout: float | None = arg(
        None, kind=Real(low=0, high=1, optional=True), doc="rate before a linear layer, or a definition's"
    )
    supervise: str | None = arg(
        None, kind=Word(("none", "deep"), optional=True), doc="score every depth in training"
    )

    def wire(self, net: Wiring, flow: Any) -> Map:
        if isinstance(flow, Lattice):
            mend = "`up` climbs a decoder: write `| up transpose` before the head"
            raise WrongFlow("head", "a map", described_flow(flow), mend)
        if self.supervise == "deep":
            lower = net.planned()
            if lower is None:
                raise HeadTwice
            for number, value in lower:
                name = f"head{number}"
                made = self._headed(net, value, name)
                net.output(name, made)
                net.drawn_after(value, name, "aux", made)
        made = self._headed(net, flow, "head")
        read = flow.maps if isinstance(flow, Pyramid) else (flow,)
        net.drawn_after(read[-1], "head", "head", made)
        return made

    def _headed(self, net: Wiring, flow: Map | Pyramid, name: str) -> Map:
        x = flow.maps[-1] if isinstance(flow, Pyramid) else flow
        if self.form == "linear":
            return self._linear(net.part(name), x)
        if isinstance(self.form, tuple | int):
            return self._per_pixel(net, net.part(name), x)
        form = net.library("fpn_head") if self.form == "fpn" else self.form
        rate = None if self.dropout is None else Fraction(str(self.dropout))  # as a spec would give it
        given = {"out": self.out, "dropout": rate}
        keywords = {word: value for word, value in given.items() if value is not None and form.takes(word)}
        made = net.run(form, flow, name=name, **keywords)
        x = made.maps[-1] if isinstance(made, Pyramid) else made
        if self.out not in (None, x.shape.channels):  # what has `out` has been given it
            raise OtherClasses(form.word, self.out, x.shape.channels)
        if self.activation is not None:
            x = net.part(name).call(self.activation, x, name="activation")
        return self._resized(net, x)

    def _out(self) -> int:
        if self.out is None:
            raise MissingOption("head", "out")
        return self.out

    def _linear(self, net: Wiring, x: Map) -> Map:
        if x.shape.rank:
            x = net.add(GlobalPool(), x, name="0")
            x = net.add(Flatten(), x, name="1")
        x = net.add(Dropout(self.dropout or 0.0), x, name="2")
        x = net.add(Linear(self._out()), x, name="3")
        return net.call(self.activation, x, name="4") if self.activation is not None else x

    def _per_pixel(self, outer: Wiring, net: Wiring, x: Map) -> Map:
        x = net.add(Conv(kernel=self.form, out=self._out()), x, name="0")
        if self.activation is not None:
            x = net.call(self.activation, x, name="1")
        return self._resized(outer, x)

    def _resized(self, net: Wiring, x: Map) -> Map:
        whole = x.stride == 1 and x.shape.spatial == net.image.shape.spatial
        if self.size == "own" or x.shape.rank == 0 or whole:
            return x
        if x.shape.rank < net.image.shape.rank:
            linear = f"`head linear out={x.shape.channels}`"
            mend = f"the encoder folds the input, a volume, to a map: such a network classifies, {linear}"
            raise WrongKind("head", "a volume to answer for each point of one", (x.shape,), mend)
        return net.add(Interpolate("bilinear", align_corners=self.align_corners), x, net.image)
