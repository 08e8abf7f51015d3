"""`archdsl explain`: what a code means, and how it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill, indent

import click

from archdsl.errors.explanations import codes, page, titles

WIDTH = 80


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a code of `check`, such as E203.

    Why it matters, with the paper where it is advice on a network; one spec that has it, one that hasn't.
    Without CODE all codes are listed.
    """
    if code is None:
        click.echo("\n".join(f"{known}  {title}" for known, title in titles().items()))
        return
    known, wanted = codes(), code.upper()
    if wanted not in known:
        near = next((code for code in known if _is_near(wanted, code)), None)
        hint = f"Did you mean '{near}'?" if near else "`archdsl explain` lists all there are."
        raise click.UsageError(f"There is no code '{code}'. {hint}")
    click.echo("\n".join(_lines(wanted)))


def _is_near(got: str, code: str) -> bool:
    """Whether a code was typed without its letter, or with one wrong character."""
    wrong = sum(typed != meant for typed, meant in zip(got, code, strict=False))
    return got == code[1:] or (len(got) == len(code) and wrong == 1)


def _lines(code: str) -> Iterator[str]:
    found = page(code)
    yield f"{code}: {found.title}"
    yield ""
    yield fill(found.reason, WIDTH, break_long_words=False, break_on_hyphens=False)
    for title, blocks in (("wrong", found.wrong), ("right", found.right)):
        yield ""
        yield f"{title}:"
        for block in blocks:
            yield ""
            if block.language == "arch" and len(blocks) > 1:
                yield f"  {block.name or 'a.arch'}:"
            sign = "$ " if block.language == "bash" else ""
            yield indent(block.text.rstrip("\n"), f"    {sign}", bool)
