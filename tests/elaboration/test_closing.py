"""A space with its choices decided is text again: the same network under the same module paths."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl import ArchError
from archdsl.architecture import Architecture
from tests.elaboration.specs import space

F = "def f(w) = conv 1 w | bn\n"
OPEN = "def f(w) = conv 1 w | {bn, relu}\n"
PLAIN = "encoder plain widths=[4, 8, 8] | skip plain | "

SPACES = [
    "se r={1, 2} ?",
    F + "f 4 ?",
    F + "f 4 | bn ?",
    F + "def g = f 4 | bn ?\ng | g",
    "def f(w={3, 4}) = conv 1 w | bn\nf | f | f 5",
    "def f(k={1, 3}, w={3, 4}) = conv k w\nf 1 | f w=5 | f",
    OPEN + "f 4 | f 4 | f 4",
    OPEN + "def f_2 = bn\nf 4 | f 4 | f_2",
    OPEN + "(f 4) * 1..3",
    OPEN + "def g = f 3 | f {4, 5}\ng | g",
    OPEN + "residual(f 3) | residual(f 4, shortcut=(f 4))",
    OPEN + "aux (f 3) | aux (f 3 | gap) | f 4",
    OPEN + "conv 1 3 | context {f 4, none}",
    OPEN + "let w = {3, 4}\nf w | if w == 3 (f w)",
    "def e(w={2, 4}) = conv 3 w | tap | {pool max 2, pool avg 2} | tap\nencoder e | skip plain | up nearest",
    "def e = resnet {basic, bottleneck} [1, 1, 1, 1]\nencoder {e, resnet18} | head linear out=2",
    "def h(out) = conv 1 {4, 8} | conv 1 out\nconv 1 3 | head h out=2",
    "for w in [{3, 4}] * 2, d in [1, 2] (conv 3 w dilation=d as c{d})",
    "for i in 1..{2, 3} (conv 1 {3, 4} as c{i})",
    "concat(id, each r in {[1], [1, 2]} (conv 3 {3, 4} dilation=r))",
    "(conv 1 {3, 4} | bn) * {1, 2} as b | (relu) * {1, 3}",
    "{conv 1 4 as c, bn | relu} as a | relu",
    "let b = {(conv 1 {3, 4} | bn), relu}\nb | b as c",
    "if {true, false} (bn) else (relu | bn ?)",
    "(bn ? | conv 1 3 ?) as g | relu",
    "{bn ? | conv 1 3, relu} as a | conv 1 3",
    F + "if true (f 4 ?) as g | aux (f 4 | relu ?) | context (f 3 | bn ?)",
    "conv 1 ({3, 4} + {1, 2}) | dropout 0.1..0.5",
    PLAIN + "up transpose block=[{double_conv, (mbconv expand={1, 2})}] * 2 channels={4, [8, 4]}",
    PLAIN + "up {transpose, (up2)} se={none, post}\ndef up2(w) = upsample 2 | conv 3 w",
]  # fmt: skip


@pytest.mark.parametrize("text", SPACES)
def test_a_closed_member_has_the_identity_and_the_module_paths_of_the_member(text: str) -> None:
    found = space(f"input 3x32x32\n{text}")
    for seed in range(8):
        member = found.sample(seed)
        again = archdsl.load(member.to_text())
        assert isinstance(again, Architecture)
        assert again.identity == member.identity
        assert modules_of(again) == modules_of(member)


def modules_of(architecture: Architecture) -> list[str]:
    return [o.path for o in architecture.network.operations if o.op.has_weights]


def test_a_block_that_was_decided_alike_at_every_level_is_written_once() -> None:
    found = space(f"input 3x32x32\n{OPEN}{PLAIN}up nearest block=f")
    alike = dict.fromkeys(("up.x1_1.block.f.choice", "up.x0_2.block.f.choice"), "relu")
    member = found.close(alike)
    assert isinstance(member, Architecture)
    assert archdsl.load(member.to_text()).identity == member.identity


def test_what_text_can_not_say_is_a_mistake() -> None:
    found = space(f"input 3x32x32\n{OPEN}{PLAIN}up nearest block=f")
    apart = {"up.x1_1.block.f.choice": "bn", "up.x0_2.block.f.choice": "relu"}
    member = found.close(apart)
    assert isinstance(member, Architecture)
    with pytest.raises(ArchError) as raised:
        member.to_text()
    assert [d.code for d in raised.value.diagnostics] == ["E310"]


def test_a_choice_of_another_file_can_not_be_written_closed(tmp_path: Path) -> None:
    (tmp_path / "blocks.arch").write_text(
        "let w = {3, 4}\ndef f = conv 1 w | bn\ndef g = conv 1 3 | {bn, relu}\n"
    )
    for call in ("f | relu", "g | relu"):
        (tmp_path / "main.arch").write_text(f'use "blocks.arch"\n{call}\n')
        found = archdsl.load(tmp_path / "main.arch")
        with pytest.raises(ArchError) as raised:
            found.sample(0).to_text()  # type: ignore[union-attr]
        assert [d.code for d in raised.value.diagnostics] == ["E310"]
