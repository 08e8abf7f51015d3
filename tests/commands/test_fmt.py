"""`archdsl fmt`."""

from __future__ import annotations

UGLY = "encoder   effnet_b0|skip nested depth = 4 |up transpose|   head 1x1 out=2 # the line\n"
TIDY = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2  # the line\n"


def test_a_spec_is_rewritten_in_place(archdsl, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text(UGLY)
    ended = archdsl("fmt", "a.arch")
    assert (ended.code, ended.out) == (0, "a.arch rewritten\n")
    assert spec.read_text() == TIDY


def test_a_spec_in_the_one_style_is_left_alone(archdsl, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text(TIDY)
    before = spec.stat().st_mtime_ns
    assert archdsl("fmt", "a.arch").out == ""
    assert spec.stat().st_mtime_ns == before


def test_the_standard_input_is_written_to_the_standard_output(archdsl):
    assert archdsl("fmt", "-", stdin=UGLY) == (0, TIDY, "")


def test_check_writes_nothing_and_ends_with_1(archdsl, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text(UGLY)
    ended = archdsl("fmt", "--check", "a.arch")
    assert (ended.code, ended.out) == (1, "a.arch would change\n")
    assert spec.read_text() == UGLY


def test_all_specs_of_a_folder_are_rewritten(archdsl, tmp_path):
    (tmp_path / "nets" / "deep").mkdir(parents=True)
    specs = [tmp_path / "nets" / "a.arch", tmp_path / "nets" / "deep" / "b.arch"]
    for spec in specs:
        spec.write_text(UGLY)
    assert archdsl("fmt", "--check", "nets").code == 1
    assert archdsl("fmt", "nets").code == 0
    assert [spec.read_text() for spec in specs] == [TIDY, TIDY]


def test_check_ends_with_0_where_nothing_would_change(archdsl):
    assert archdsl("fmt", "--check", "-", stdin=TIDY) == (0, "", "")


def test_diff_shows_the_change_and_writes_nothing(archdsl, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text(UGLY)
    ended = archdsl("fmt", "--diff", "a.arch")
    assert ended.code == 0
    assert f"-{UGLY}+{TIDY}" in ended.out
    assert spec.read_text() == UGLY


def test_a_byte_order_mark_is_dropped(archdsl, tmp_path):
    spec = tmp_path / "a.arch"
    spec.write_text(TIDY, "utf-8-sig")
    assert archdsl("check", "a.arch").code == 0
    assert archdsl("fmt", "--check", "a.arch").code == 1
    assert f"-\ufeff{TIDY}+{TIDY}" in archdsl("fmt", "--diff", "a.arch").out
    assert archdsl("fmt", "a.arch").out == "a.arch rewritten\n"
    assert spec.read_bytes() == TIDY.encode()


def test_diff_shows_a_line_without_an_end(archdsl):
    ended = archdsl("fmt", "--diff", "--check", "-", stdin=TIDY.rstrip())
    assert ended.code == 1
    assert "\\ No newline at end of file" in ended.out


def test_a_wrong_spec_is_left_alone_and_the_others_are_written(archdsl, tmp_path):
    (tmp_path / "bad.arch").write_text("encoder (x |\n")
    (tmp_path / "a.arch").write_text(UGLY)
    ended = archdsl("fmt", "bad.arch", "a.arch")
    assert ended.code == 1
    assert "--> bad.arch:1" in ended.err
    assert (tmp_path / "bad.arch").read_text() == "encoder (x |\n"
    assert (tmp_path / "a.arch").read_text() == TIDY


def test_a_missing_file_is_a_wrong_call(archdsl):
    ended = archdsl("fmt", "none.arch")
    assert ended.code == 2
    assert "there is no file `none.arch`" in ended.err


def test_a_link_stays_a_link(archdsl, tmp_path):
    (tmp_path / "real.arch").write_text(UGLY)
    (tmp_path / "a.arch").symlink_to("real.arch")
    archdsl("fmt", "a.arch")
    assert (tmp_path / "a.arch").is_symlink()
    assert (tmp_path / "real.arch").read_text() == TIDY
