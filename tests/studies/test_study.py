"""Study files: what is read from them, and the sentence for each mistake in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archdsl.errors import ArchError
from archdsl.errors.commands import FolderForFile, NoSuchFile, NotText
from archdsl.errors.studies import MissingKey, NoSuchSpace, NotToml, UnknownKey, WrongValue
from archdsl.studies import KEYS, Study, open_study
from archdsl.training import Recipe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space.arch").write_text("conv 1x1 {8, 16}\n")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "blocks.toml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> dict[str, str]:
    """What is said of a study file, by the text that is underlined."""
    with pytest.raises(ArchError) as caught:
        open_study(write(folder, text))
    return {found.span.text: found.message for found in caught.value.diagnostics if found.span is not None}


def test_paths_of_a_file_are_relative_to_it_and_those_of_options_to_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    path = write(folder, 'space = "space.arch"\ndata = "images"\n')
    study = open_study(path)
    assert (study.space, study.data, study.name) == (folder / "space.arch", folder / "images", "blocks")
    assert open_study(path, {"data": Path("images")}).data == elsewhere / "images"


def test_options_win_over_the_file(folder: Path) -> None:
    path = write(folder, 'space = "space.arch"\ndata = "d"\ntrials = 5\nepochs = 7\n')
    study = open_study(path, {"trials": 9, "epochs": None})
    assert (study.trials, study.epochs) == (9, 7)


def test_a_space_and_options_are_a_study(folder: Path) -> None:
    study = open_study(folder / "space.arch", {"data": folder, "name": "mine"})
    assert (study.space, study.name, study.epochs) == (folder / "space.arch", "mine", Recipe.epochs)


def test_a_name_that_no_folder_should_have_is_mended(folder: Path) -> None:
    space = folder / ".my new space (2).arch"
    space.write_text("conv 1x1 {8, 16}\n")
    study = open_study(space, {"data": folder})
    assert study.name == "_my_new_space__2_"
    assert open_study(write(folder, study.to_toml())) == study


def test_a_space_of_the_library_goes_by_its_name(folder: Path) -> None:
    path = write(folder, 'space = "se_placement"\ndata = "d"\n')
    assert open_study(path).space.name == "se_placement.arch"


def test_the_recipe_of_a_study_has_its_numbers(folder: Path) -> None:
    numbers = {"epochs": 2, "size": 64, "batch": 4, "seed": 9, "learning_rate": 1, "threads": 3}
    recipe = open_study(folder / "space.arch", {"data": folder, **numbers}).recipe
    assert recipe == Recipe(epochs=2, size=64, batch=4, seed=9, learning_rate=1.0, threads=3)


def test_a_study_written_as_toml_reads_back_the_same(folder: Path) -> None:
    study = Study(
        space=folder / "space.arch",
        data=folder / 'it"s \\ here',
        name="blocks",
        question='which "block"?\n\ttabs, \x7f and \u00e9',
        learning_rate=3e-4,
    )
    assert open_study(write(folder, study.to_toml())) == study
    silent = replace(study, question="")
    assert open_study(write(folder, silent.to_toml())) == silent


def test_all_mistakes_of_a_file_are_told_at_their_places(folder: Path) -> None:
    wrong = 'epoch = 5 # no\ntrials = 0\nsampler = "tpee"\nlearning_rate = -1 # no\n[table]\nx = 1\n'
    assert mistakes(folder, f'space = "space.arch"\n{wrong}') == {
        "epoch": "a study has no `epoch`",
        "0": "`trials` has to be a whole number, 1 or more, not 0",
        '"tpee"': '`sampler` has to be one of tpe, random, not "tpee"',
        "-1": "`learning_rate` has to be a number above 0, not -1",
        "table": "a study has no `table`",
    }


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("trials = 2.0", "a whole number"),
        ("trials = true", "a whole number"),
        ('trials = "3"', "a whole number"),
        ("seed = 9223372036854775808", "a whole number"),
        ("batch = 1", "a whole number, 2 or more"),
        ("learning_rate = inf", "a number above 0"),
        ("learning_rate = nan", "a number above 0"),
        ("data = 3", "text in quotes"),
        ('data = ""', "text in quotes"),
        ('name = "../out"', "a name of letters"),
        ('name = ".hidden"', "a name of letters"),
        ("device = 1.5", "text in quotes"),
        ("trials = 1979-05-27", "a whole number"),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_is_wanted(folder: Path, line: str, wanted: str) -> None:
    key, _, value = line.partition(" = ")
    (said,) = mistakes(folder, f'{line}\nspace = "space.arch"\n').values()
    assert said.startswith(f"`{key}` has to be {wanted}")
    assert said.endswith(f"not {value}")


def test_an_option_of_the_wrong_kind_is_a_mistake_without_a_place(folder: Path) -> None:
    with pytest.raises(WrongValue, match="`trials` has to be a whole number, 1 or more, not 0"):
        open_study(folder / "space.arch", {"data": folder, "trials": 0})
    with pytest.raises(UnknownKey, match="`trails`") as caught:
        open_study(folder / "space.arch", {"trails": 3})
    assert caught.value.help() == "did you mean `trials`?"


@pytest.mark.parametrize(
    ("text", "line"),
    [('space = "a\n', 1), ("space = 'a'\ntrials 5\n", 2), ("a = 1\na = 2\n", 2), ("a = [1,\n", 1)],
)
def test_what_is_not_toml_is_shown_at_its_line(folder: Path, text: str, line: int) -> None:
    with pytest.raises(ArchError) as caught:
        open_study(write(folder, text))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == NotToml.code
    assert diagnostic.span is not None
    assert diagnostic.span.line == line


def test_a_study_without_data_asks_for_it(folder: Path) -> None:
    with pytest.raises(MissingKey, match="`data`: the folder of images") as caught:
        open_study(write(folder, 'space = "space.arch"\n'))
    assert "`--data`" in caught.value.help()


def test_a_space_that_is_not_there_names_the_library_s(folder: Path) -> None:
    with pytest.raises(NoSuchSpace) as caught:
        open_study(write(folder, 'space = "se_placment"\ndata = "d"\n'))
    assert caught.value.help() == "did you mean the library's `se_placement`?"


def test_a_path_that_cannot_be_read_is_a_mistake(folder: Path) -> None:
    (folder / "folder.toml").mkdir()
    (folder / "latin.toml").write_bytes(b'question = "\xe9"\n')
    for name, mistake in (("none", NoSuchFile), ("folder", FolderForFile), ("latin", NotText)):
        with pytest.raises(mistake):
            open_study(folder / f"{name}.toml")


def test_every_key_has_a_sentence_that_says_what_it_is_for() -> None:
    assert all(facts.metadata["doc"] and facts.metadata["kind"].wanted for facts in KEYS.values())


@pytest.mark.parametrize("path", sorted((ROOT / "search").glob("*.toml")), ids=lambda path: path.stem)
def test_the_studies_of_the_project_are_whole(path: Path) -> None:
    from archdsl import api

    study = open_study(path)
    assert study.question.endswith("?")
    space = api.load(study.space, input=(1, study.size, study.size), classes=3)
    assert isinstance(space, api.Space)
    assert space.count() >= study.trials


def test_every_key_is_in_the_users_guide() -> None:
    guide = (ROOT / "docs" / "search.md").read_text("utf-8")
    described = {
        name for line in guide.splitlines() if line.startswith("| `") for name in line.split("`")[1:-1:2]
    }
    assert KEYS.keys() <= described


def test_there_are_four_questions() -> None:
    assert len(list((ROOT / "search").glob("*.toml"))) == 4
