"""The package as people get it: a wheel, an editable install, a clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPENDENCIES = sysconfig.get_path("purelib")
LINE = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2\n"
CARRIED = ("grammars", "specs")


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory):
    """Builds a wheel of a version (`standard`, `editable`) and unpacks it, as an installer would."""

    def built(version: str) -> Path:
        folder = tmp_path_factory.mktemp(version)
        target = f"wheel:{version}"
        command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        site = folder / "site"
        zipfile.ZipFile(wheel).extractall(site)
        return site

    return built


@pytest.fixture(scope="session")
def wheel(build) -> Path:
    return build("standard")


@pytest.fixture(scope="session")
def editable(build) -> Path:
    return build("editable")


def python(site: Path, script: str, cwd: Path, stdin: str = "") -> str:
    """Runs a script that finds archdsl in `site` alone, and its dependencies where the tests do."""
    start = f"import site, sys; sys.path.append({DEPENDENCIES!r}); site.addsitedir({str(site)!r})\n"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + script],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def tracked(folder: str) -> set[str]:
    """What the repository keeps below a folder."""
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("folder", CARRIED)
def test_the_wheel_carries_all_of_a_folder_beside_the_package(wheel, folder):
    carried = {
        path.relative_to(wheel / "archdsl").as_posix() for path in (wheel / "archdsl" / folder).rglob("*.*")
    }
    assert carried == tracked(folder)


def test_the_wheel_carries_the_page_of_every_code(wheel):
    pages = {path.name for path in (wheel / "archdsl" / "errors" / "pages").iterdir()}
    assert pages == {path.name for path in (ROOT / "archdsl" / "errors" / "pages").iterdir()}


def test_the_wheel_holds_the_package_alone(wheel):
    assert [path.name for path in wheel.iterdir() if path.suffix != ".dist-info"] == ["archdsl"]


def test_the_wheel_is_typed_and_licensed(wheel):
    (facts,) = wheel.glob("*.dist-info")
    assert (wheel / "archdsl" / "py.typed").exists()
    assert (facts / "licenses" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert "archdsl = archdsl.commands:main" in (facts / "entry_points.txt").read_text()


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_an_install_checks_a_spec_with_the_library_of(kind, request, tmp_path):
    site = request.getfixturevalue(kind)
    script = "from archdsl.commands import run; sys.exit(run(['check', '--format=json', '-']))"
    assert python(site, script, tmp_path, stdin=LINE) == "[]\n"


def test_the_wheel_reads_its_own_folders(wheel, tmp_path):
    script = "from archdsl import resources; print(resources.specs(), resources.grammars())"
    expected = [wheel / "archdsl" / name for name in ("specs", "grammars")]
    assert python(wheel, script, tmp_path).split() == list(map(str, expected))


def test_an_editable_install_reads_the_clone_and_no_stale_copies(editable, tmp_path):
    stale = editable / "archdsl" / "grammars" / "arch.lark"
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.write_text("this grammar is stale")
    script = "from archdsl import resources; print(resources.specs(), resources.grammars())"
    expected = [ROOT / name for name in ("specs", "grammars")]
    assert python(editable, script, tmp_path).split() == list(map(str, expected))


def test_a_clone_on_the_path_runs_without_being_installed(tmp_path):
    script = f"sys.path.insert(0, {str(ROOT)!r}); from archdsl import resources; print(resources.specs())"
    assert python(tmp_path, script, tmp_path).split() == [str(ROOT / "specs")]


def test_every_dependency_is_pinned_and_none_by_an_address():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line for line in pins)
    names = {name(line) for line in pins}
    assert {name(requirement) for requirement in wanted} - {"archdsl"} <= names


def name(requirement: str) -> str:
    """The normalised name of a requirement."""
    stem = requirement
    for sign in "[<>=~!; ":
        stem = stem.partition(sign)[0]
    return stem.strip().lower().replace("_", "-").replace(".", "-")
