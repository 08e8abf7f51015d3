"""Words of torch, timm, Keras and segmentation_models.pytorch are answered with those of the language."""

from __future__ import annotations

import re

import pytest

import archdsl
from archdsl.errors.base import is_certain, suggest
from archdsl.errors.foreign import NOTES, WORDS, note, plain
from archdsl.source import Source

DECODER = "skip plain | up nearest | head 1x1 out=2"

MEANT = [
    ("conv 3x3 8 | «BatchNorm2d» | relu", "bn"),
    ("conv 3x3 8 | «maxpool» 2", "pool max"),
    ("conv 3x3 8 | «AdaptiveAvgPool2d»", "gap"),
    ("conv 3x3 8 | dropout «p»=0.5", "rate"),
    ("conv 3x3 «out_channels»=8", "out"),
    ("conv 3x3 8 bias=«False»", "false"),
    ("conv 3x3 8 | «cat»(id, relu)", "concat"),
    ("conv 3x3 8 | pool max «kernel_size»=2", "size"),
    ("conv 3x3 8 | interpolate «scale_factor»=2", "scale"),
    ("encoder resnet18 | skip plain | up nearest | head 1x1 «classes»=2", "out"),
    ("encoder resnet18 «pretrained»=true | head linear out=2", "weights"),
    (f"«backbone» resnet18 | {DECODER}", "encoder"),
    ("encoder resnet18 | skip «unetpp» | up nearest | head 1x1 out=2", "nested"),
    ("encoder resnet18 | skip «concat» | up nearest | head 1x1 out=2", "plain"),
    ("encoder resnet18 | skip plain | up «deconv» | head 1x1 out=2", "transpose"),
    ("encoder resnet18 | skip plain | up nearest block=«resblock» | head 1x1 out=2", "residual_block"),
    ("require «flops» < 1G\nconv 3x3 8", "macs"),
    ("encoder resnet18 | head linear out=2 | «densecrf»", "crf"),
    ("encoder resnet18 weights=«true» | head linear out=2", "imagenet"),
    ('encoder «"resnet18"» | head linear out=2', "resnet18"),
    ("conv 3x3 8 | (conv 3x3 8 | relu) «x» 3", "*"),
    ("conv 3x3 8 | (conv 3x3 8 | relu) «x3»", "* 3"),
    # a part of a name, not the nearest other one
    ("encoder «resnext50» | head linear out=2", "resnext50_32x4d"),
    ("encoder «xception» | head linear out=2", "legacy_xception"),
    ("encoder «efficientnet_v2_s» | head linear out=2", "tf_efficientnetv2_s"),
    # models of timm, also as segmentation_models.pytorch writes them
    ("conv 3x3 3 | crf «iter»=10", "iterations"),
    ("encoder «swin_tiny» | head linear out=2", "timm:swin_tiny_patch4_window7_224"),
    (f"encoder «timm-regnety_032» | {DECODER}", "timm:regnety_032"),
    (f"encoder «tu-convnext-tiny» | {DECODER}", "timm:convnext_tiny"),
    (f"encoder «efficientnet-b3» | {DECODER}", "efficientnet_b3"),
]


@pytest.mark.parametrize(("marked", "meant"), MEANT)
def test_a_foreign_word_is_told_alone_with_ours_for_it(marked: str, meant: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    (found,) = archdsl.check(Source("a.arch", text))
    assert found.span is not None
    assert found.fix is not None
    assert found.span.start == marked.index("«")
    assert (found.fix.span.text, found.fix.text) == (marked[marked.index("«") + 1 : marked.index("»")], meant)
    assert re.search(f"(did you mean|write) `{re.escape(meant)}`", str(found))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conv 3x3 8 in_channels=3", "input 1x256x256"),
        ("conv 3x3 8 | relu inplace=true", "leave it out"),
        ("encoder resnet18 freeze=true | head linear out=2", "model.encoder.requires_grad_(False)"),
        ("encoder backbone=resnet18 | head linear out=2", "encoder resnet34"),
        ("unet resnet34 out=2", "skip plain"),
        ("encoder resnet18 | skip plain | up nearest norm=gn | head 1x1 out=2", "`block=`"),
        ("for i in range(3) (conv 3x3 8)", "for i in 0..2 (...)"),
        ("encoder mit_b0 | head linear out=2", "timm:NAME"),
    ],
)
def test_what_has_no_word_of_ours_gets_a_hint_and_no_guess(text: str, told: str) -> None:
    (found,) = archdsl.check(Source("a.arch", text))
    assert found.fix is None
    assert "did you mean" not in str(found)
    assert told in found.help


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("encoder resnet18 | context ASPP rates=[6, 12] | head 1x1 out=2", "E102"),
        ("encoder backbone=resnet18 | head linear out=2", "E103"),
        ("classes = 2\nencoder resnet18 | head linear out=classes", "E013"),
    ],
)
def test_what_follows_from_a_mistake_is_not_told(text: str, code: str) -> None:
    assert [found.code for found in archdsl.check(Source("a.arch", text))] == [code]


def test_a_stage_that_wants_more_and_is_called_as_a_value_is_that_value() -> None:
    (found,) = archdsl.check(Source("a.arch", "conv 3x3 8 as skip | relu | concat(id, skip)"))
    assert "the value of that name is `@skip`" in str(found)


def test_a_word_handed_on_is_looked_up_where_it_is_written() -> None:
    text = "def my_block(w) = conv 3x3 w | relu\nencoder plain block=my_blok | head linear out=2"
    (found,) = archdsl.check(Source("a.arch", text))
    assert found.labels[0].text == "did you mean `my_block`?"


def test_a_range_is_no_list_of_levels() -> None:
    (found,) = archdsl.check(Source("a.arch", "encoder resnet18 | levels 1..3 | neck fpn"))
    assert found.message == "`levels` takes a list of whole numbers, not a choice of one"


def test_a_word_of_ours_means_itself() -> None:
    assert suggest("classes", ["classes", "out"]) == "classes"
    assert suggest("Classes", ["classes", "out"]) == "classes"


def test_a_foreign_word_is_no_slip_of_the_keys() -> None:
    assert suggest("sum", ["add", "sub"]) == "add"
    assert not is_certain("sum", ["add", "sub"])
    assert is_certain("sum", ["sub"])


def test_the_tables_are_written_as_they_are_read() -> None:
    assert [word for word in (*WORDS, *NOTES) if plain(word) != word] == []
    assert note("In_Channels") == NOTES["inchannels"]
