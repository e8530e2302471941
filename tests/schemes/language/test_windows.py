"""Windows: their forms, their days, their names in columns."""

from datetime import date

import pytest

from schemes.language.windows import add_months, parse_window, whole_months

AS_OF = date(2026, 5, 31)


@pytest.mark.parametrize(
    ("text", "after", "until", "suffix"),
    [
        ("12 months", "2025-05-31", "2026-05-31", "_12m"),
        ("1 year", "2025-05-31", "2026-05-31", "_12m"),
        ("3 months", "2026-02-28", "2026-05-31", "_3m"),  # held to the month's end
        ("90 days", "2026-03-02", "2026-05-31", "_90d"),
        ("1 day", "2026-05-30", "2026-05-31", "_1d"),
        ("previous 12 months", "2024-05-31", "2025-05-31", "_previous_12m"),
        ("12 months before", "2025-05-30", "2026-05-30", "_12m_before"),
        ("calendar year", "2025-12-31", "2026-05-31", "_this_year"),
        ("last calendar year", "2024-12-31", "2025-12-31", "_last_year"),
        ("Calendar  Year", "2025-12-31", "2026-05-31", "_this_year"),
    ],
)
def test_a_window_leaves_its_first_day_out(text, after, until, suffix):
    window = parse_window(text)
    assert window.after(AS_OF) == date.fromisoformat(after)
    assert window.until(AS_OF) == date.fromisoformat(until)
    assert window.suffix == suffix
    assert parse_window(str(window)) == window


def test_ever_has_no_start():
    window = parse_window("ever")
    assert window.after(AS_OF) is None
    assert window.suffix == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "months",
        "0 days",
        "-1 days",
        "12 weeks",
        "previous ever",
        "12 months;",
    ],
)
def test_other_words_are_no_window(text):
    with pytest.raises(ValueError, match="is no window; write"):
        parse_window(text)


def test_there_is_nothing_before_ever():
    with pytest.raises(ValueError, match="no window before"):
        parse_window("ever").previous()


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-01-31", "2026-02-28", 1),
        ("2026-01-31", "2026-02-27", 0),
        ("2024-02-29", "2025-02-28", 12),
        ("2024-02-29", "2025-02-27", 11),
        ("2026-05-31", "2026-05-31", 0),
        ("2026-05-31", "2026-06-30", 1),
        ("2026-06-01", "2026-05-31", -1),
    ],
)
def test_whole_months(start, end, months):
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    assert whole_months(first, last) == months
    assert add_months(first, months) <= last < add_months(first, months + 1)
