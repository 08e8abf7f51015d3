"""`archdsl check`."""

from __future__ import annotations

import json
import os

import pytest

GOOD = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2\n"
BAD = "encoder effnet_b0 | skp nested depth=4 | up transpos | head 1x1 out=2\n"


def test_a_good_spec_ends_with_0(archdsl, tmp_path):
    (tmp_path / "a.arch").write_text(GOOD)
    ended = archdsl("check", "a.arch")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "1 spec checked, nothing to say\n"


def test_all_mistakes_of_all_files_are_told_and_it_ends_with_1(archdsl, tmp_path):
    (tmp_path / "a.arch").write_text(BAD)
    (tmp_path / "b.arch").write_text("encoder efnet_b0\n")
    (tmp_path / "c.arch").write_text(GOOD)
    ended = archdsl("check", "--format=concise", "a.arch", "b.arch", "c.arch")
    assert ended.code == 1
    places = [line.split(": ")[0] for line in ended.out.splitlines()]
    assert "a.arch:1:21" in places
    assert any(place.startswith("b.arch:1:9") for place in places)
    assert not any(place.startswith("c.arch") for place in places)


def test_a_mistake_is_shown_with_its_line_and_the_word_that_was_meant(archdsl, tmp_path):
    (tmp_path / "a.arch").write_text(BAD)
    ended = archdsl("check", "a.arch")
    assert "--> a.arch:1:21" in ended.out
    assert "did you mean `skip`?" in ended.out


def test_the_standard_input_is_a_spec_too(archdsl):
    ended = archdsl("check", "--format=json", "-", stdin=BAD)
    assert ended.code == 1
    assert {label["file"] for told in json.loads(ended.out) for label in told["labels"]} == {"<stdin>"}


def test_a_model_of_the_library_goes_by_its_name(archdsl):
    assert archdsl("check", "unetpp_effnet_b0").code == 0


def test_advice_is_told_and_is_no_failure(archdsl):
    ended = archdsl("check", "--format=concise", "-", stdin="encoder effnet_b0 | skip plain | up transpose\n")
    assert ended.code == 0
    assert "advice[" in ended.out


def test_programs_get_an_empty_list_where_nothing_is_wrong(archdsl):
    assert archdsl("check", "--format=json", "-", stdin=GOOD).out == "[]\n"


def test_an_empty_report_for_github_is_empty(archdsl):
    assert archdsl("check", "--format=github", "-", stdin=GOOD).out == ""


@pytest.mark.parametrize("style", ["human", "concise", "json", "github"])
def test_a_missing_file_is_a_wrong_call_and_the_others_are_checked(archdsl, tmp_path, style):
    (tmp_path / "a.arch").write_text(BAD)
    ended = archdsl("check", "--format", style, "none.arch", "a.arch")
    assert ended.code == 2
    assert "there is no file `none.arch`" in ended.out
    assert "skp" in ended.out


def test_a_nearly_right_name_of_a_model_is_mended(archdsl):
    ended = archdsl("check", "unetpp_efnet_b0")
    assert ended.code == 2
    assert "did you mean the library's `unetpp_effnet_b0`?" in ended.out


def test_a_folder_without_specs_is_no_spec(archdsl, tmp_path):
    (tmp_path / "nets").mkdir()
    ended = archdsl("check", "nets/")
    assert ended.code == 2
    assert "`nets/` is a folder" in ended.out


def test_all_specs_of_a_folder_are_checked_but_hidden_ones(archdsl, tmp_path):
    for place, text in (("nets/a.arch", BAD), ("nets/deep/b.arch", BAD), ("nets/.old/c.arch", BAD)):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    (tmp_path / "nets" / "notes.txt").write_text(BAD)
    ended = archdsl("check", "--format=concise", "nets")
    assert ended.code == 1
    assert {line.split(":")[0] for line in ended.out.splitlines()} == {"nets/a.arch", "nets/deep/b.arch"}
    for place in ("nets/a.arch", "nets/deep/b.arch"):
        (tmp_path / place).write_text(GOOD)
    assert archdsl("check", "nets").out == "2 specs checked, nothing to say\n"


def test_a_picture_is_no_spec(archdsl, tmp_path):
    (tmp_path / "a.arch").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended = archdsl("check", "a.arch")
    assert ended.code == 2
    assert "byte 0 is not UTF-8" in ended.out


@pytest.mark.skipif(
    not os.path.exists("/proc/self/mem"), reason="needs a file that the system refuses to read"
)
def test_a_file_that_the_system_refuses_is_told(archdsl):
    ended = archdsl("check", "/proc/self/mem")
    assert ended.code == 2
    assert "`/proc/self/mem` cannot be read: Input/output error" in ended.out


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs an endless file")
def test_an_endless_file_ends_in_a_mistake(archdsl):
    ended = archdsl("check", "--format=concise", "/dev/zero")
    assert ended.code in (1, 2)
    assert "/dev/zero" in ended.out


def test_a_byte_order_mark_is_no_mistake(archdsl, tmp_path):
    (tmp_path / "a.arch").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert archdsl("check", "a.arch").code == 0


def test_fix_mends_what_is_safe_and_tells_what_is_left(archdsl, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text("encoder\u00a0effnet_b0 | skp plain |\u00a0up transpose | head 1x1 out=2  # kept\n")
    ended = archdsl("check", "--fix", "--format=concise", "a.arch")
    assert spec.read_text() == "encoder effnet_b0 | skp plain | up transpose | head 1x1 out=2  # kept\n"
    assert [line.split(":")[:3] for line in ended.out.splitlines()] == [["a.arch", "1", "21"]]
    assert ended.code == 1


def test_fix_needs_a_file_to_write_to(archdsl):
    ended = archdsl("check", "--fix", "-", stdin=BAD)
    assert ended.code == 2
    assert "--fix" in ended.err


def test_a_spec_is_wanted(archdsl):
    assert archdsl("check").code == 2
