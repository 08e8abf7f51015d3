"""Mistakes and advice, each in the smallest spec that has it: its code, and the text that is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.errors import ArchError, Mistake
from archdsl.source import Source

CALLS = 64  # how deep calls may be nested
NESTED = "\n".join(f"def f{n} = relu | {f'f{n - 1}' if n > 1 else '«f0»'}" for n in range(1, CALLS + 1))

TOLD = [
    # ---- names: mostly in definitions that nothing calls
    ("E101", "def f = relu | «rleu»\nid"),
    ("E102", "conv 3x3 8 | pool «mean» 2"),
    ("E103", "def f = conv 3x3 8 «strid»=2 | relu\nid"),
    ("E104", "def f = conv 3x3 8 stride=2 «stride=1» | relu\nid"),
    ("E105", "def f = relu | add(id, «@stem»)\nid"),
    ("E106", "def f = relu | g\ndef g = bn | «f»\nid"),
    ("E107", "def f(c) = conv 1x1 (c + «width») | relu\nid"),
    ("E108", "def f = conv 3x3 «0.5» | relu\nid"),
    ("E109", "def f = dropout «1.5» | relu\nid"),
    ("E110", "def f = «conv» 3x3 | relu\nid"),
    ("E111", "def f = relu «2» | bn\nid"),
    ("E112", "encoder resnet34 «skip» plain | up transpose | head 1x1 out=2"),
    ("E113", "conv 3x3 8 as a | «conv 3x3 8» as a"),
    ("E114", "def f = conv 3x3 8 as «forward» | relu\nid"),
    ("E115", "def f = relu\ndef «f» = bn\nf"),
    ("E117", "let d = 3\ndef f = relu | «d»\nid"),
    ("E118", "def f(c) = conv 1x1 «roun»(c) | relu\nid"),
    ("E119", "def f = conv 3x3 8 as a | share «b»\nid"),
    ("E120", "let x = «1 / 0»\nconv 1x1 x"),
    ("E121", "for i in «1..3», n in [1, 2] (relu)"),
    ("E122", 'about «papr»="arXiv:1512.03385"\nid'),
    ("E123", "def f = for i in 1..2 (conv 3x3 8 as «layer{j}»)\nid"),
    ("E124", "relu\n«bn»"),
    ("E126", "input 3x32x32\n«input 3x64x64»\nrelu"),
    ("E127", "default «concat» bias=false\nrelu"),
    ("E128", "let w = «@in»\nid"),
    ("E129", "conv 1x1 8 as a | bn as «a.b»"),
    ("E130", "conv 3x3 8 as c | «share c»"),
    ("E131", "conv 1x1 8 as «in»"),
    ("E135", "encoder «timm:resnet5o» | skip plain | up transpose | head 1x1 out=2"),
    # ---- what flows
    ("E218", "input 3x256x256\nencoder «timm:swin_tiny_patch4_window7_224» | skip plain | up nearest"),
    ("E219", "conv 3x3 8 as x | «conv 3x3 8 stride=2» as y | @x | interpolate like=@y"),
    ("E250", "conv 3x3 8 | «skip» plain | up transpose | head 1x1 out=2"),
    ("E251", "encoder plain widths=[8, 16] | skip plain depth=«2» | up transpose | head 1x1 out=2"),
    ("E252", "encoder plain widths=[8, 16] | «level 2»"),
    ("E253", "encoder plain widths=[8, 16, 32] | skip plain | up transpose channels=«[8]» | head 1x1 out=2"),
    ("E254", "encoder plain widths=[8, 16] taps=«[layer9]»"),
    ("E255", "encoder «(gap | flatten)»"),
    ("E256", "encoder plain widths=[8, 16] depth=«7»"),
    ("E257", "encoder plain widths=[8, 16] output_stride=«8»"),
    ("E258", "encoder plain widths=[8, 16] | skip add | up transpose channels=«8» | head 1x1 out=2"),
    ("E259", "input «3x8x8»\nconv 7x7 8 pad=0 | conv 7x7 8 pad=0"),
    ("E260", "encoder resnet18 output_stride=«7»"),
    ("E261", "«residual»(conv 3x3 8 pad=0)"),
    ("E275", "encoder timm:resnet34 output_stride=«4» | level 0"),
    ("E277", "encoder timm:resnet34 taps=«[layer1]»"),
    ("E470", "encoder plain weights=«imagenet»"),
    ("E471", "encoder resnet18 weights=«imagnet»"),
    ("E280", "encoder timm:mixer_b16_224 class_token=«true» | gap | flatten"),
    ("E262", "conv 3x3 8 | head 1x1 out=2 supervise=«deep»"),
    ("E263", "encoder plain widths=[8, 16] | context «(conv 3x3 16 stride=2)»"),
    ("E264", "pyramid(id) | «skip plain» | up transpose | head 1x1 out=2"),
    ("E265", "conv 3x3 8 | «head» 1x1"),
    ("E266", "encoder plain widths=[8, 16] | «skip plain»"),
    ("E269", "encoder plain widths=[8, 16] | levels [1, 0] | «skip plain» | up nearest | head 1x1 out=2"),
    ("E270", "encoder plain widths=[8, 16] | skip plain | up «double_conv» | head 1x1 out=2"),
    ("E271", "encoder (conv 3 4 | relu | interpolate scale=0.4) | skip none | «up unpool» | head 1x1 out=2"),
    ("E272", "encoder resnet18 depth=2 | skip none | up «unpool» | head 1x1 out=2"),
    ("E273", "encoder plain widths=[8, 16] | skip plain channels=«8» | up nearest | head 1x1 out=2"),
    ("E274", "encoder plain widths=[8, 16] | skip gated gate=«scse» | up nearest | head 1x1 out=2"),
    ("E278", "encoder plain widths=[8, 16] | neck «gap» | skip none | up nearest | head 1x1 out=2"),
    ("E279", "encoder plain widths=[8, 16] | head gap out=«4»"),
    # ---- spaces
    ("E304", "conv 1x1 «8..4»"),
    ("E305", "conv 1x1 «4..8:0»"),
    ("E306", "require «params»\nid"),
    ("E307", "require «params < 10»\nconv 3x3 8"),
    ("E308", "conv {«{3, 5}», 7} 8"),
    ("E315", "require «macs» < 3G\nencoder {effnet_b0, timm:resnet34} | gap | flatten"),
    # ---- limits
    ("E410", "((«id») * 1000) * 51"),
    ("E411", f"def f0 = relu | bn\n{NESTED}\nf{CALLS}"),
    ("E412", "let x = «[1] * 1001»\nconv 1x1 8"),
    ("E413", "let x = «pow(10, 19)»\nconv 1x1 8"),
    ("E414", "((«if false (relu)») * 1000) * 200"),
    ("E427", '«use "blocks.arch"»\nid'),
    # ---- advice
    ("W001", "encoder plain widths=[8, 16] | skip plain | «up transpose»"),
    ("W002", "encoder plain widths=[8, 16] | skip plain | up transpose se=«[none, post]» | head 1x1 out=2"),
    ("W003", "def plain = relu\nencoder resnet18 | skip «plain» | up transpose | head 1x1 out=2"),
    ("W004", "«conv 3x3 8» | bn"),
    ("W005", "conv 3x3 8 as a | pool max 2 | upsample | add(«id», @a)"),
    ("W006", "def f(«w») = relu\nf 3"),
    ("W007", "let «w» = 3\nrelu"),
    ("W008", "require «params < 1»\nconv 3x3 {8, 16}"),
    ("W009", "for d in [2, 4, 6] («conv 3x3 8 dilation=d» | relu)"),
    ("W010", "conv 3x3 8 | relu | «dropout 0.5» | conv 3x3 8 bias=false | bn"),
    ("W011", "conv 3x3 8 | relu | «bn»"),
    ("W012", "conv 3x3 8 | «conv 3x3 8» | relu"),
    ("W014", "encoder resnet18 taps=[layer1, «layer2»] | level 0"),
    ("W015", "conv 3x3 8 as a | «relu» | @a | tanh"),
    ("W016", "conv 3x3 8 | relu | «dwconv 3x3» | relu"),
    ("W017", "require «latency» < 3\nid | head 1x1 out=2"),
    ("W018", "input «64x48x3»\nconv 3x3 8 | relu"),
    ("W019", "«conv 3 64 7» | relu"),
    ("W021", "encoder timm:test_vit | neck «add_readout» | head 1x1 out=2"),
]


def told(spec: str | Path) -> list[tuple[str, str]]:
    return [(found.code, found.span.text if found.span else "") for found in archdsl.check(spec)]


@pytest.mark.parametrize(("code", "text"), TOLD, ids=[code for code, _ in TOLD])
def test_a_mistake_is_told_by_its_code_at_its_place_and_nothing_else_is(code: str, text: str) -> None:
    before, _, rest = text.partition("«")
    guilty, _, after = rest.partition("»")
    assert told(before + guilty + after) == [(code, guilty)]


@pytest.mark.parametrize(
    "text",
    [
        "((id) * 1000) * 50",
        "\n".join(NESTED.replace("«", "").replace("»", "").splitlines()[:-1]) + "\ndef f0 = id\nf63",
        "let x = [1] * 1000\nconv 1x1 (len(x))",
        f"let x = [{', '.join('1' * 1000)}]\nlet y = [x, x, x, x, x, x, x, x, x]\nconv 1x1 (len(x) + len(y))",
        "let x = pow(10, 18)\nconv 1x1 (x // x)",
    ],
    ids=["operations", "calls", "lists", "lists of lists", "numbers"],
)
def test_what_a_limit_allows_is_no_mistake(text: str) -> None:
    assert told(text) == []


def doubled(name: str) -> str:
    """Definitions of a list that holds 2^40 numbers, in forty lines."""
    return f"let {name}0 = [1, 1]\n" + "".join(
        f"let {name}{i + 1} = [{name}{i}, {name}{i}]\n" for i in range(39)
    )


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (f"let x = [{', '.join('1' * 1001)}]\nconv 1x1 (len(x))", "1,000"),
        (doubled("a") + doubled("b") + "if a39 == b39 (relu)", "10,000"),
        (doubled("a") + "encoder plain widths=a39", "10,000"),
        ("let x = [1] * 1000\nlet y = [x] * 11\nconv 1x1 (len(y))", "10,000"),
    ],
    ids=["written out", "compared", "handed over", "repeated"],
)
def test_a_list_is_bounded_with_what_is_inside_it(text: str, limit: str) -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.load(text)
    assert {(d.code, d.message) for d in caught.value.diagnostics} == {
        ("E412", f"a list has more than {limit} values")
    }


def test_a_file_that_only_defines_makes_no_network() -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.load("def f = relu")
    assert [found.code for found in caught.value.diagnostics] == ["E125"]


def test_an_input_that_is_too_small_is_told_the_least() -> None:
    """Each of two 7x7 windows without padding takes 6 pixels off."""
    text = "input 3x{0}x{0}\nconv 7x7 8 pad=0 | relu | conv 7x7 8 pad=0"
    (found,) = archdsl.check(text.format(12))
    assert found.help == "the smallest input is 13x13"
    assert archdsl.check(text.format(13)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "about year=2015\nabout task=segmentation «year=2016»\nid",
        "encoder (resnet50 output_stride=8) output_stride=«16» | level 0",
        "encoder (resnet50 classes=5) «classes=7» | level 0",
        "let f = (conv 3x3 8 stride=2)\nf «stride=3»",
    ],
)
def test_what_is_given_twice_is_told_where_it_comes_again(text: str) -> None:
    guilty = text.partition("«")[2].partition("»")[0]
    assert told(text.replace("«", "").replace("»", "")) == [("E104", guilty)]


@pytest.mark.parametrize("encoder", ["timm:resnet18 model=3", "(timm:resnet18 model=3)"])
def test_a_model_of_timm_is_its_word_and_no_option(encoder: str) -> None:
    assert told(f"encoder {encoder} | level 0") == [("E103", "model")]


# ---- used files --------------------------------------------------------------------------------------


def test_a_word_of_two_used_files_is_a_mistake_where_it_is_used(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.arch").write_text("def block = relu")
    main = tmp_path / "main.arch"
    main.write_text('use "a.arch"\nuse "b.arch"\nid')
    assert told(main) == []
    main.write_text('use "a.arch"\nuse "b.arch"\nblock')
    assert told(main) == [("E116", "block")]


@pytest.mark.parametrize("path", ["../secret.arch", "in/../../secret.arch"])
def test_a_used_file_lies_in_the_folder_of_the_spec(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.arch").write_text("def block = relu")
    main = tmp_path / "specs" / "main.arch"
    main.parent.mkdir()
    main.write_text(f'use "{path}"\nid')
    assert told(main) == [("E428", f'use "{path}"')]


# ---- data and choices --------------------------------------------------------------------------------


def refused(text: str, **options: object) -> list[tuple[str, str]]:
    with pytest.raises(ArchError) as caught:
        archdsl.load(Source("a.arch", text), **options)  # type: ignore[arg-type]
    return [(found.code, found.span.text if found.span else "") for found in caught.value.diagnostics]


def test_an_input_that_disagrees_with_the_data_is_a_mistake() -> None:
    text = "input 3x32x32\nhead 1x1 out=2"
    assert refused(text, input=(1, 32, 32), classes=2) == [("E267", "3x32x32")]


@pytest.mark.parametrize("sizes", [(1, 1, 64, 64), (1, 3, 64, 64)])
def test_a_batch_is_no_image_unless_the_spec_is_of_volumes(sizes: tuple[int, ...]) -> None:
    with pytest.raises(Mistake) as caught:
        archdsl.load("conv 3 8 | relu", input=sizes)
    assert caught.value.code == "E430"
    assert archdsl.load("input 1x8x64x64\nconv 3 8 | relu", input=sizes).input == sizes
    assert archdsl.load("conv 3 8 | relu", input=(1, 5, 64, 64)).input == (1, 5, 64, 64)


def test_a_number_of_outputs_that_disagrees_with_the_data_is_a_mistake() -> None:
    text = "input 3x32x32\nhead 1x1 out=4"
    assert refused(text, input=(3, 32, 32), classes=3) == [("E268", "4")]


def test_one_channel_tells_two_classes_apart() -> None:
    archdsl.load("input 3x32x32\nhead 1x1 out=1", input=(3, 32, 32), classes=2)


def test_choices_are_closed_by_the_names_and_options_that_there_are() -> None:
    text = "conv {3x3, 5x5} 8"
    assert refused(text, set={"conv.size": "3x3"}) == [("E302", "")]
    assert refused(text, set={"conv.kernel": "7x7"}) == [("E303", "{3x3, 5x5}")]


def test_a_space_is_no_network() -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.compile("conv {3x3, 5x5} 8")
    assert [(found.code, found.span.text if found.span else "") for found in caught.value.diagnostics] == [
        ("E301", "{3x3, 5x5}")
    ]


def test_a_network_from_a_graph_has_no_text() -> None:
    made = archdsl.Architecture.from_graph(archdsl.load("conv 3x3 8 | relu").graph)  # type: ignore[union-attr]
    with pytest.raises(ArchError) as caught:
        made.to_text()
    assert [found.code for found in caught.value.diagnostics] == ["E311"]
