"""What an expression may be, and how everything else is refused."""

import pytest

from schemes.language.expressions import (
    Binary,
    Call,
    ExpressionError,
    Literal,
    Name,
    parse_expression,
)


def test_a_condition_becomes_a_tree():
    tree = parse_expression("orders('12 months') >= n and is_target")
    assert tree == Binary(
        "and",
        Binary(">=", Call("orders", (Literal("12 months"),)), Name("n")),
        Name("is_target"),
    )
    assert tree.left.right.column == 24


def test_named_arguments_belong_to_metrics_only():
    metric = parse_expression("interactions('ever', kind = 'referral')")
    assert metric.named == (("kind", Literal("referral")),)
    function = parse_expression("if(kind = 'referral', 1, 0)")
    assert function.arguments[0] == Binary("=", Name("kind"), Literal("referral"))


@pytest.mark.parametrize("word", ["current_date", "any", "if", "left", "count", "date"])
def test_no_word_has_a_meaning_from_a_database(word):
    assert parse_expression(word) == Name(word)
    assert parse_expression(f"s.{word}") == Name(word, "s")
    called = parse_expression(f"{word.upper()} ('{word}(', {word})")
    assert called == Call(word.upper(), (Literal(f"{word}("), Name(word)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a >",
        "(a",
        "a; drop table x",
        "a::integer",
        "cast(a as integer)",
        "exists(select 1)",
        "a in (select b from c)",
        "(select 1) > 0",
        "a like '%x%'",
        "a.b.c > 1",
        "sum(a) over ()",
        "sum(a) filter (where b)",
        "count(*)",
        "f(distinct a)",
        "f(a order by b)",
        "case when a then b end",
        "a || b",
        "a is true",
        "a[1] > 0",
        "{x: 1}",
        "? > 1",
        "$1 > 1",
        "@a > 1",
        "x -> y",
        "lambda x: x",
        "a % 2",
        "date '2020-01-01'",
        "interval '1' day",
        "1e400 > a",
        "0.1234567890123456789 > a",
        "a" * 3000,
        "(" * 900 + "a" + ")" * 900,
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_a_refusal_says_where():
    with pytest.raises(ExpressionError, match=r"'like' .* \(at character 14\)"):
        parse_expression(
            "orders > 1 or name like 'a'".replace("orders > 1 or", "a = 1 and   ")
        )


def test_comments_are_no_part_of_it():
    assert parse_expression("a /* b */ > 1 -- c") == parse_expression("a > 1")
