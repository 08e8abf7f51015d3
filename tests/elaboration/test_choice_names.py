"""Every open choice has a name of its own, whatever stands beside it."""

from __future__ import annotations

import pytest

from tests.elaboration.specs import names, space

TWO_OF_A_KIND = [
    ("bn ? | bn ?", ["bn.on", "bn#2.on"]),
    ("(bn | relu) ? | (bn | relu) ?", ["choice.on", "choice#2.on"]),
    ("concat(id, bn) ? | concat(id, bn) ?", ["concat.on", "concat#2.on"]),
    ("bn ? as n | relu ? as a", ["n.on", "a.on"]),
    ("(bn) * {1, 2} | (relu) * {1, 3}", ["times", "times#2"]),
    ("(bn) * {1, 2} as b | (relu) * {1, 3}", ["b.times", "times"]),
    ("(bn) * 2..3 | (relu) * 2", ["times"]),
    ("for w in {[3], [4]} (conv 1 w) | for w in {[5], [6]} (conv 1 w)", ["w", "w#2"]),
    ("for i in 1..2 (bn) | for i in {[1], [2]} (conv 1 i)", ["i"]),
    ("for i in 1..{2, 3} (bn) | relu", ["i"]),
    ("for w in {[3], [4]} (conv 1 w) as s | relu", ["s.w"]),
    ("residual(bn, se={none, pre}) | residual(bn, se={none, post})", ["residual.se", "residual#2.se"]),
    ("residual(bn, se={none, pre}) as r | residual(bn, se={none, post})", ["r.se", "residual.se"]),
    ("residual(conv 1 {3, 4}) | residual(bn, se={none, post})", ["conv.out", "residual.se"]),
    ("if {true, false} (bn) | if {true, false} (relu)", ["if", "if#2"]),
    ("(conv 1 {3, 4} | conv 1 {3, 4}) as g | conv 1 {3, 4}", ["g.conv.out", "g.conv#2.out", "conv.out"]),
    ("concat(conv 1 {3, 4}, conv 1 {3, 4}) as j", ["j.conv.out", "j.conv#2.out"]),
    ("for i in 1..2 (conv 1 {3, 4} as c{i})", ["0.c1.out", "1.c2.out"]),
    ("aux (conv 1 {2, 3} | gap) | aux (conv 1 {2, 3} | gap) | (conv 1 {2, 3}) * 1",
     ["aux.conv.out", "aux#2.conv.out", "0.conv.out"]),
    ("aux (conv 1 {2, 3} | gap) as a | relu", ["a.conv.out"]),
    ("conv 1 ({3, 4} + {1, 2})", ["conv.out", "conv.out#2"]),
    ("conv 1 max({3, 4}, 4)", ["conv.out"]),
    ("let w = {3, 4}\nlet v = w*{1, 2}\nconv 1 v", ["w", "v"]),
    ("residual(conv 1 4, shortcut=(conv {1, 3} 4 | bn))", ["residual.shortcut.conv.kernel"]),
    ("{conv 1 {3, 4} | bn, relu} as a", ["a", "a.conv.out"]),
    ("{(conv 1 {3, 4} | bn), relu} as a", ["a", "a.conv.out"]),
    ("encoder plain widths=[4, 8] | levels [{0, 1}, 1]", ["levels.0"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TWO_OF_A_KIND, ids=[text for text, _ in TWO_OF_A_KIND])
def test_choices_of_equal_words_are_told_apart(text: str, expected: list[str]) -> None:
    assert sorted(names(text)) == sorted(expected)


def test_choices_of_equal_words_are_decided_apart() -> None:
    members = {tuple(member.choices.values()) for member in space("bn ? | relu | bn ?")}
    assert members == {(a, b) for a in ("true", "false") for b in ("true", "false")}


def test_a_number_drawn_from_a_range_keeps_all_its_digits_in_the_closed_text() -> None:
    import archdsl

    member = space("dropout 0.1..0.5 | bn eps=1e-5..1e-3:log").sample(1)
    assert archdsl.load(member.to_text()).identity == member.identity


def test_a_member_is_what_its_decisions_say_whatever_was_drawn_before() -> None:
    text = "input 3x16x16\ndef b(w) = conv 3 w | {bn, relu}\ndef q(w) = b w | b w\nq 4 | q 4"
    remembered = space(text)
    wanted = names(text)
    for number in range(2 ** len(wanted)):
        decisions = {name: ("bn", "relu")[number >> bit & 1] for bit, name in enumerate(wanted)}
        member = remembered.decide(lambda choice, known=decisions: known[choice.name])
        assert member.choices == decisions
        fresh = space(text).decide(lambda choice, known=decisions: known[choice.name])
        assert member.identity == fresh.identity
