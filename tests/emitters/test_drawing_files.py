"""Drawings as files: formats by ending, Graphviz wherever it is, labels that stay text."""

from __future__ import annotations

import stat
import sys
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import archdsl
from archdsl.emitters.drawing import backends, draw, svg, write
from archdsl.errors.commands import Unwritable, WrongEnding, without_place
from archdsl.network import Network, Scope
from tests.emitters.networks import lenet, resnet50
from tests.emitters.pictures import read
from tests.emitters.recipes import nested, plain, with_aux

HOSTILE = [
    '<>]; evil [image="/etc/passwd"]; z [label=<',
    '"]; evil [image="/etc/passwd"]; z [label="',
    "<b>bold</b><img src='/etc/passwd'/>",
    "\\N \\G \\l & &amp; ]]> <!--",
    "ends with a backslash \\",
    "control \x00\x01\x1b\x7f half \udc80 a pair",
    "line\nbreak",
]


def tame(text: str) -> str:
    """A hostile text as a drawing may show it."""
    return "".join("\ufffd" if char < " " or char in "\x7f\udc80" else char for char in text)


def shown(image: str) -> str:
    """All text of an SVG."""
    return "".join(ElementTree.fromstring(image).itertext()).replace("\xa0", " ").replace("\u2060", "")


# ---- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "network", [nested(4), plain(3), resnet50(), lenet()], ids=["nested", "plain", "resnet", "lenet"]
)
def test_svg_holds_every_box_and_its_text(tmp_path: Path, network: Network):
    done = write(network, tmp_path / "a.svg")
    assert done == (tmp_path / "a.svg", None)
    root = ElementTree.fromstring(done.path.read_bytes())
    classes = [element.get("class", "") for element in root.iter()]
    boxes = read(draw(network)).nodes
    assert sum(name.split()[:1] == ["node"] for name in classes) == len(boxes)
    assert sum(name.split()[:1] == ["edge"] for name in classes) >= len(boxes) - 3


def test_png_is_an_image_with_colours(tmp_path: Path):
    data = write(nested(4), tmp_path / "a.png").path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    assert width > height > 500
    from PIL import Image

    colours = Image.open(tmp_path / "a.png").convert("RGB").getcolors(1 << 20)
    assert {(0xDC, 0xED, 0xC8), (0xFF, 0xE0, 0xB2), (0xF8, 0xBB, 0xD0)} <= {colour for _, colour in colours}


def test_pdf_is_a_page_with_something_on_it(tmp_path: Path):
    data = write(nested(4), tmp_path / "a.pdf").path.read_bytes()
    assert data.startswith(b"%PDF-")
    start = data.index(b"stream\n") + 7
    assert len(zlib.decompressobj().decompress(data[start:])) > 5_000


def test_dot_is_the_text_itself(tmp_path: Path):
    network = nested(2)
    assert write(network, tmp_path / "a.dot", title="Näme").path.read_text("utf-8") == draw(
        network, title="Näme"
    )


def test_the_ending_may_be_written_large(tmp_path: Path):
    assert write(lenet(), tmp_path / "A.PNG").path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.arch", ".svg"])
def test_an_unknown_ending_is_a_mistake_that_lists_the_endings(tmp_path: Path, name: str):
    with pytest.raises(WrongEnding) as caught:
        write(lenet(), tmp_path / name)
    assert ".svg, .png, .pdf, .dot" in caught.value.help()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path):
    with pytest.raises(Unwritable):
        write(lenet(), tmp_path / "missing" / "a.svg")


def test_levels_are_different_drawings(tmp_path: Path):
    assert (
        write(lenet(), tmp_path / "a.svg").path.read_bytes()
        != write(lenet(), tmp_path / "b.svg", level="full").path.read_bytes()
    )


@pytest.mark.parametrize(
    ("network", "level"), [(nested(2), "recipe"), (resnet50(), "recipe"), (lenet(), "full")]
)
def test_the_title_stands_on_the_drawing(network: Network, level: str):
    image = svg(network, title="my network", level=level)
    assert image is not None
    assert "my network" in shown(image)


# ---- back ends ---------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, text: str) -> None:
    """A program called `dot`."""
    file = path / "dot"
    file.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_dot_on_the_path_comes_first(tmp_path: Path, path: Path):
    program(path, "data = sys.stdin.read(); print('<?xml by dot', sys.argv[1:], len(data))")
    text = draw(lenet())
    assert write(lenet(), tmp_path / "a.svg").path.read_text() == f"<?xml by dot ['-Tsvg'] {len(text)}\n"


@pytest.mark.parametrize("failing", ["sys.exit(1)", "print('no layout engine')", "raise ValueError"])
def test_a_dot_that_fails_is_passed_over(tmp_path: Path, path: Path, failing: str):
    program(path, failing)
    assert "<svg" in write(lenet(), tmp_path / "a.svg").path.read_text()


def no_commands(format: str) -> Iterator[list[str]]:
    yield from ()


def test_without_any_graphviz_the_dot_text_is_written_and_one_line_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(backends, "_commands", no_commands)
    done = write(lenet(), tmp_path / "a.svg")
    assert done.path == tmp_path / "a.dot"
    assert done.path.read_text() == draw(lenet())
    assert not (tmp_path / "a.svg").exists()
    assert done.advice is not None
    text = f"{without_place(done.advice)}\n".replace(f"{tmp_path}/", "")
    assert text == (Path(__file__).parents[1] / "golden" / "drawing" / "no_graphviz.txt").read_text("utf-8")
    assert svg(lenet()) is None


def test_no_graphviz_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    assert backends.render(draw(lenet()), "svg") == "as there is no Graphviz"


def test_a_drawing_that_takes_for_ever_ends(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch):
    program(path, "import time; time.sleep(60)")
    monkeypatch.setattr(backends, "SECONDS", 0.3)
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    done = write(lenet(), tmp_path / "a.svg")
    assert done.path.suffix == ".dot"
    assert done.advice is not None
    assert "took longer" in done.advice.message()


def test_a_file_in_the_working_folder_is_not_taken_for_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    assert svg(lenet()) is not None


def test_letters_are_drawn_on_a_machine_without_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine without any draws boxes for letters: each the same."""
    (tmp_path / "none").mkdir()
    config = tmp_path / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{tmp_path}/none</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    pages = []
    for title in ("iiii", "WWWW"):
        image = svg(lenet(), title=title)
        assert image is not None
        pages.append(write(lenet(), tmp_path / f"{title}.pdf", title=title).path.read_bytes())
    assert all(b"DejaVuSans" in page for page in pages)


# ---- labels stay text --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "level"), [(nested(2), "recipe"), (lenet(), "recipe"), (lenet(), "full")]
)
def test_a_hostile_title_is_shown_as_it_is(network: Network, level: str):
    title = " ".join(HOSTILE)
    image = svg(network, title=title, level=level)
    assert image is not None
    assert tame(title) in shown(image)
    assert "<image" not in image


def same_graph(calm: Network, wild: Network, level: str = "recipe") -> bool:
    """Whether two drawings have the same nodes, edges, frames and attributes, up to names."""
    one, other = read(draw(calm, level=level)), read(draw(wild, level=level))
    return (
        [sorted(node) for node in one.nodes.values()] == [sorted(node) for node in other.nodes.values()]
        and [sorted(line.attributes) for line in one.edges]
        == [sorted(line.attributes) for line in other.edges]
        and [len(part.nodes) for part in one.parts] == [len(part.nodes) for part in other.parts]
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_of_cells_and_encoders_change_nothing_else(text: str):
    def made(name: str) -> Network:
        return replace(with_aux(nested(2), "x2_0", name), scopes=(Scope("encoder", name, 0, 3),))

    assert same_graph(made("a_calm_name"), made(text))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("level", ["recipe", "full"])
def test_hostile_paths_and_outputs_change_nothing_else(text: str, level: str):
    def made(name: str) -> Network:
        network = lenet()
        return replace(
            network,
            operations=tuple(o._replace(path=f"{name}.{n}") for n, o in enumerate(network.operations)),
            scopes=(Scope(name, name, 0, 3), Scope(f"{name}2", name, 3, 6)),
            outputs=tuple(output._replace(name=name) for output in network.outputs),
        )

    assert same_graph(made("a_calm_name"), made(text), level)


def test_hostile_names_are_shown_as_they_are():
    name = " ".join(HOSTILE)
    image = svg(with_aux(plain(3), "x3_0", name))
    assert image is not None
    assert tame(name) in shown(image)
    assert "<image" not in image


def test_there_are_two_levels() -> None:
    with pytest.raises(ValueError, match="one of recipe, full, not 'all'"):
        archdsl.load("conv 3x3 8").draw(level="all")
