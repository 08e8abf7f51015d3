"""Why the parser stopped: the rules that recognise a mistake by what stands around it."""

from __future__ import annotations

import re
from collections.abc import Callable

from archdsl.errors.base import Diagnostic
from archdsl.errors.lexical import ForeignHabit, NotARange
from archdsl.errors.statements import BareAssignment, IndentedStatement, TwoStatements, WrongFact
from archdsl.errors.syntax import (
    BareArithmetic,
    BareBody,
    BareRepeat,
    CallSyntax,
    ChainedComparison,
    EmptyPipe,
    LateArgument,
    LateMark,
    MissingComma,
    NoPipe,
    NotAStage,
    NotExpected,
    NothingInside,
    ReservedWord,
    SignInName,
    SpacedBracket,
    StrayComma,
    TrailingPipe,
    Unfinished,
)
from archdsl.parser.scan import STATEMENTS
from archdsl.parser.stop import Stop
from archdsl.source import Label, Span

_ARITHMETIC = frozenset("+-*/%") | {"//"}
_COMPARISONS = frozenset(("<", ">", "<=", ">=", "==", "!="))
_OPERATORS = _ARITHMETIC | _COMPARISONS | {"and", "or"}
_UNFINISHED = frozenset(("operator", "open", "comma", "pipe", "reserved"))  # an operand must follow these
_VALUES = frozenset(("number", "size", "string"))
_STARTS = _VALUES | {"name", "at", "open"}  # with these a value or a stage begins


def diagnose(stop: Stop) -> Diagnostic:
    """The first rule that recognises the mistake decides; the last one takes all."""
    return next(found for rule in _RULES if (found := rule(stop)) is not None)


# ---- rules, the most telling first


def _pipe(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if before is None or before.kind != "pipe":
        return None
    if got is None or got.kind in ("close", "comma"):
        return TrailingPipe().at(stop.span(before))
    return EmptyPipe().at(stop.span(before, got)) if got.kind == "pipe" else None


def _nothing(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if before is None or got is None or before.kind not in ("open", "comma"):
        return None
    if got.kind == "close" and before.kind == "open":
        return NothingInside(before.text, got.text).at(stop.span(before, got))
    return StrayComma("empty").at(stop.span(got)) if got.kind == "comma" else None


def _comma(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or got.kind != "comma" or before is None or before.kind in ("operator", "reserved"):
        return None
    if stop.opener < 0:
        return StrayComma("outside").at(stop.span(got))
    opener = stop.pieces[stop.opener]
    if opener.text != "(" or "COMMA" in stop.accepts:
        return None
    name = stop.pieces[stop.opener - 1]
    calls = stop.opener > 0 and name.kind == "name" and not stop.is_glued(stop.opener)
    if calls and stop.pieces[stop.opener + 1].kind not in _VALUES:
        return SpacedBracket(name.text).at(stop.span(name, opener))
    return StrayComma("round").at(stop.span(got), Label(stop.span(opener), "opened here"))


def _indented_statement(stop: Stop) -> Diagnostic | None:
    """`  let w = 3`, read as arguments of the line above."""
    number = min(stop.number, len(stop.pieces) - 1)
    while number and not stop.starts_line(number):
        number -= 1
    first = stop.pieces[number]
    if number == 0 or first.text not in STATEMENTS or stop.around[number] >= 0:
        return None
    return IndentedStatement(first.text).at(stop.span(first))


def _second_statement(stop: Stop) -> Diagnostic | None:
    got, number = stop.got, stop.number
    if got is None or stop.opener >= 0:
        return None
    if got.text == "=" and number > 2 and stop.pieces[number - 2].text in ("let", "def"):
        number -= 2
    elif got.text not in STATEMENTS or "$END" not in stop.accepts:
        return None
    return TwoStatements(stop.pieces[number].text).at(stop.span(stop.pieces[number]))


def _assignment(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    head = stop.pieces[0]
    if got is None or before is None or got.text != "=" or head.kind != "name" or head.text in STATEMENTS:
        return None
    if stop.number == 1:
        word = "def" if any(piece.kind == "pipe" for piece in stop.pieces) else "let"
        return BareAssignment(head.text, word).at(stop.span(head))
    if stop.is_glued(1) and before is stop.closer(1):
        return BareAssignment(stop.text[head.start : before.end], "def").at(stop.span(head, before))
    return None


def _foreign_sign(stop: Stop) -> Diagnostic | None:
    before, got, following = stop.before, stop.got, stop.following
    if got is None or before is None:
        return None
    in_condition = "LPAR" in stop.accepts and any(piece.text == "if" for piece in stop.in_stage())
    if got.text == "=" and (in_condition or stop.pieces[0].text == "require"):
        return ForeignHabit("a comparison is written `==`", instead="==").at(stop.span(got))
    if got.text == "|" and in_condition and following is not None and following.text == "|":
        return ForeignHabit("`||` is written `or`", instead="or").at(stop.span(got, following))
    if got.text == "==" and before.kind == "name" and stop.in_arguments:
        return ForeignHabit("an option takes one `=`", instead="=").at(stop.span(got))
    if got.text == ":" and before.kind == "name":
        return ForeignHabit("options are given with `=`, not with `:`", instead="=").at(stop.span(got))
    return None


def _late_mark(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or got.text != "?" or before.kind != "label":
        return None
    return LateMark(before.text).at(stop.span(before, got))


def _wrong_fact(stop: Stop) -> Diagnostic | None:
    head, got = stop.pieces[0], stop.got
    if got is None or stop.number != 1 or head.text not in WrongFact.wanted:
        return None
    return WrongFact(head.text, got.text).at(stop.span(got))


def _comparison(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or got.text not in _COMPARISONS or "AND" not in stop.accepts:
        return None
    return ChainedComparison().at(stop.span(got))


def _comment(stop: Stop) -> Diagnostic | None:
    got, following = stop.got, stop.following
    if got is None or got.text != "//" or not stop.accepts & {"_PIPE", "$END"}:
        return None
    has_words = following is not None and following.kind == "name" and stop.ends_its_line
    apart = not stop.is_glued(stop.number) and not stop.is_glued(stop.number + 1)
    if not stop.starts_line(stop.number) and not (has_words and apart):
        return None
    return ForeignHabit("comments start with `#`", "a division is `(a//b)`", "#").at(stop.span(got))


def _sign_in_name(stop: Stop) -> Diagnostic | None:
    """`encoder tf-efficientnet-b0`, `encoder timm/resnet18`, `skip unet++`: signs in a name."""
    before, got, following = stop.before, stop.got, stop.following
    if got is None or before is None or following is None or before.kind != "name":
        return None
    if not stop.is_glued(stop.number) or not stop.is_glued(stop.number + 1):
        return None
    if not (stop.in_arguments or stop.accepts == {"EQUAL"}):
        return None
    if got.text == following.text == "+" and not stop.is_glued(stop.number + 2):
        name = stop.span(before, following)
    elif following.kind == "name" and (
        got.text == "-" or (got.text == "/" and before.text in ("timm", "tu"))
    ):
        name = _signed(stop)
    else:
        return None
    return SignInName(name.text, stop.pieces[stop.stage].text).at(name)


def _sign_in_option(stop: Stop) -> Diagnostic | None:
    """`skip {plain, unet++}`, where the first sign could be a sum's."""
    before, got = stop.before, stop.got
    if got is None or before is None or stop.number < 2 or not got.text == before.text == "+":
        return None
    name = stop.pieces[stop.number - 2]
    if name.kind != "name" or not stop.is_glued(stop.number) or not stop.is_glued(stop.number - 1):
        return None
    span = stop.span(name, got)
    return SignInName(span.text, stop.pieces[stop.opener - 1].text if stop.opener > 0 else "").at(span)


def _times(stop: Stop) -> Diagnostic | None:
    """`(conv 3x3 8 | relu) * n - 1`."""
    before, got, following = stop.before, stop.got, stop.following
    if got is None or got.text not in _ARITHMETIC or before is None or stop.number < 3:
        return None
    star, group = stop.pieces[stop.number - 2], stop.pieces[stop.number - 3]
    if star.text != "*" or group.kind != "close" or "_PIPE" not in stop.accepts:
        return None
    times = f"{before.text}{got.text}{following.text if following else '...'}"
    return BareArithmetic("arithmetic", times, repeats=True).at(stop.span(got))


def _operator(stop: Stop) -> Diagnostic | None:
    """`conv w -1`, `conv 3x3 * 3`: operators between positional arguments."""
    before, got, following = stop.before, stop.got, stop.following
    if got is None or before is None or got.text not in _OPERATORS:
        return None
    if not stop.in_arguments or before.kind in _UNFINISHED:
        return None
    right = following.text if following else "..."
    glued = stop.is_glued(stop.number) and stop.is_glued(stop.number + 1)
    if got.text == "*" and not glued:
        stage = stop.text[stop.pieces[stop.stage].start : before.end]
        return BareRepeat(" ".join(stage.split()), right).at(stop.span(got))
    if got.text == "-" and glued and before.kind == "number" and following and following.kind == "number":
        span = stop.span(before, following)
        return NotARange(span.text, f"{before.text}..{right}", dots=False).at(span)
    if got.text in _ARITHMETIC:
        apart = f"{before.text} {right}" if _has_sign(stop) and before.kind in ("number", "size") else ""
        expression = "" if apart and before.kind == "size" else f"{_operand(stop)}{got.text}{right}"
        return BareArithmetic("arithmetic", expression, apart=apart).at(stop.span(got))
    return BareArithmetic("a condition", f"{_operand(stop)} {got.text} {right}").at(stop.span(got))


def _has_sign(stop: Stop) -> bool:
    """Whether the place is the sign of the number behind it: `3 -8`, not `3 - 8`."""
    signs = stop.got is not None and stop.got.text in "+-" and not stop.is_glued(stop.number)
    return signs and stop.is_glued(stop.number + 1)


def _conditional(stop: Stop) -> Diagnostic | None:
    """`conv 3x3 64 if wide else 32`; an `if (...) else (...)` of its own has brackets before its `else`."""
    got = stop.got
    if got is None or got.text != "if" or not stop.in_arguments:
        return None
    for number in range(stop.number, len(stop.pieces)):
        if stop.around[number] == stop.opener and stop.pieces[number].text == "else":
            if stop.pieces[number - 1].text == ")" or number + 1 == len(stop.pieces):
                break
            choice = stop.text[got.start : stop.pieces[number + 1].end]
            return BareArithmetic("a condition", f"{_operand(stop)} {choice}").at(stop.span(got))
    return None


def _signed(stop: Stop) -> Span:
    """The names that signs hold together around the place."""
    first, last = stop.number - 1, stop.number + 1
    while last + 2 < len(stop.pieces) and stop.pieces[last + 1].text in ("-", "/"):
        if not (stop.is_glued(last + 1) and stop.is_glued(last + 2)):
            break
        last += 2
    return stop.span(stop.pieces[first], stop.pieces[last])


def _operand(stop: Stop) -> str:
    """The text of the argument before the place, brackets and all."""
    number = stop.number - 1
    if stop.pieces[number].kind == "close":
        number = stop.around[number]
        number -= stop.is_glued(number) and stop.pieces[number - 1].kind == "name"
    return stop.text[stop.pieces[number].start : stop.pieces[stop.number - 1].end]


def _call(stop: Stop) -> Diagnostic | None:
    got, opener = stop.got, stop.opener
    if got is None or opener < 1 or not stop.is_glued(opener) or stop.number != opener + 1:
        return None
    name = stop.pieces[opener - 1]
    is_value = got.kind in _VALUES or got.text in ("true", "false", "none", "[")
    if name.kind != "name" or not is_value or "NUMBER" in stop.accepts or not stop.wants_stage:
        return None
    closer = stop.closer(opener) or got
    inner = stop.text[stop.pieces[opener].end : closer.start]
    arguments = " ".join(inner.replace(",", " ").split()) if "(" not in inner and "[" not in inner else "..."
    return CallSyntax(name.text, arguments).at(stop.span(name, closer))


def _spaced_bracket(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or got.text != "(" or before.kind != "name" or "LPAR" in stop.accepts:
        return None
    return None if stop.is_glued(stop.number) else SpacedBracket(before.text).at(stop.span(before, got))


def _body(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or "LPAR" not in stop.accepts or stop.accepts & {"_PIPE", "$END", "NAME"}:
        return None
    words = [piece.text for piece in stop.in_stage() if piece.text in ("for", "each", "if")]
    return BareBody(words[-1]).at(stop.span(got)) if words else None


def _late_argument(stop: Stop) -> Diagnostic | None:
    """`conv stride=2 64`, and a stage on a line of its own without its pipe."""
    before, got = stop.before, stop.got
    has_options = any(piece.text == "=" for piece in stop.in_stage())
    if before is None or not has_options:
        return None
    if stop.accepts == {"EQUAL"} and before.kind == "name":
        got, number = before, stop.number - 1
    elif got is not None and got.kind in _VALUES and stop.accepts & {"_PIPE", "$END"}:
        number = stop.number
    else:
        return None
    if got.kind == "name" and stop.starts_line(number):
        return NoPipe(got.text).at(stop.span(got))
    return LateArgument(got.text, stop.pieces[stop.stage].text).at(stop.span(got))


def _no_pipe(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or "_PIPE" not in stop.accepts:
        return None
    times = re.fullmatch(r"x(\d*)", got.text)
    if times and stop.before is not None and stop.before.kind == "close":
        return ForeignHabit("a repeat is written `*`", "", f"* {times[1]}".strip()).at(stop.span(got))
    if got.text.startswith("timm:"):
        model = ForeignHabit("a model of timm stands in an `encoder` stage", "", f"encoder {got.text}")
        return model.at(stop.span(got))
    starts = got.kind in ("name", "at") or got.text in ("(", "{", "for", "if")
    return NoPipe(got.text).at(stop.span(got)) if starts else None


def _value(stop: Stop) -> Diagnostic | None:
    """A value where only a stage can stand."""
    got = stop.got
    if got is None or "NUMBER" in stop.accepts or not stop.wants_stage:
        return None
    if got.kind in _VALUES or got.text in ("true", "false", "none"):
        return NotAStage(got.text).at(stop.span(got))
    return None


def _no_comma(stop: Stop) -> Diagnostic | None:
    before, got = stop.before, stop.got
    if got is None or before is None or "COMMA" not in stop.accepts or got.kind not in _STARTS:
        return None
    values = {got.kind, before.kind} & _VALUES or before.text in ("true", "false", "none")
    among_values = values or stop.pieces[stop.opener].text == "["
    if among_values or "_PIPE" not in stop.accepts:
        return MissingComma(got.text).at(stop.span(got))
    return None


def _reserved(stop: Stop) -> Diagnostic | None:
    got = stop.got
    if got is None or got.kind != "reserved" or "NAME" not in stop.accepts:
        return None
    return ReservedWord(got.text).at(stop.span(got))


def _other(stop: Stop) -> Diagnostic:
    if stop.got is None:
        return Unfinished(stop.wanted).at(stop.span(stop.pieces[-1]))
    return NotExpected(stop.got.text, stop.wanted).at(stop.span(stop.got))


_RULES: tuple[Callable[[Stop], Diagnostic | None], ...] = (
    _pipe,
    _nothing,
    _indented_statement,
    _comma,
    _second_statement,
    _assignment,
    _foreign_sign,
    _late_mark,
    _wrong_fact,
    _comparison,
    _comment,
    _sign_in_name,
    _sign_in_option,
    _times,
    _operator,
    _conditional,
    _call,
    _spaced_bracket,
    _body,
    _late_argument,
    _no_comma,
    _no_pipe,
    _value,
    _reserved,
    _other,
)
