"""What text, and what typed columns, become as canonical values."""

import datetime
from decimal import ROUND_HALF_UP, Decimal

from ingest.written import BLANKS
from sql.contracts import feeds

D = Decimal


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


def check_text(company, feed, column, others, expected):
    """Every text becomes the value beside it, or (column, reason) of its rejection."""
    # An id that is not under test tells the rows apart.
    key = feeds()[feed].key[0]
    header = list(dict.fromkeys([key, column, *others]))
    lines = [",".join(header)]
    for number, (text, _) in enumerate(expected):
        values = {key: f"K{number}", **others, column: text}
        escaped = [values[name].replace('"', '""') for name in header]
        lines.append(",".join(f'"{value}"' for value in escaped))
    company.land(f"{feed}/f.csv", "\n".join(lines) + "\n")
    compare(company, feed, column, expected)


def check_typed(company, feed, column, others, expected):
    """The same for expressions of DuckDB, each in a Parquet file of its own type."""
    key = feeds()[feed].key[0]
    for number, (expression, _) in enumerate(expected):
        file = company.root / "landing" / feed / f"{number:03}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = {key: f"'K{number}'", **others, column: expression}
        columns = ", ".join(f"{value} as {name}" for name, value in values.items())
        company.con.sql(f"select {columns}").write_parquet(str(file))
    compare(company, feed, column, expected)


def compare(company, feed, column, expected):
    company.load(feed)
    place = "(select path from raw.files where file_id = f) || '/' || (10000 + line)"
    loaded = company.rows(
        f"select {place}, {column} from (select *, _file_id as f, _line_no as line"
        f" from raw.{feed})"
    )
    found = dict(loaded) | {
        place: (name, reason)
        for place, name, reason in company.rows(
            f"select {place}, column_name, reason_code from"
            " (select *, file_id as f, line_no as line from raw.rejected_rows)"
        )
    }
    # By PEP 495 a time that a clock change repeats equals none of another zone.
    outcomes = [
        value.astimezone(datetime.UTC)
        if isinstance(value, datetime.datetime)
        else value
        for value in (found[place] for place in sorted(found))
    ]
    assert (
        list(zip([given for given, _ in expected], outcomes, strict=True)) == expected
    )


TRANSACTION = {"transaction_id": "T", "occurred_at": "2026-01-01"}


def test_amounts_are_exact_and_rounded_half_away_from_zero(company):
    check_text(
        company,
        "transactions",
        "amount",
        {"occurred_at": "2026-01-01"},
        [
            ("12", D("12.00")),
            ("-0.5", D("-0.50")),
            ("+5", D("5.00")),
            (".5", D("0.50")),
            ("12.", D("12.00")),
            ("1e3", D("1000.00")),
            (" 12.30 ", D("12.30")),
            ("　12　", D("12.00")),
            ("2.344999999999999999", D("2.34")),
            ("2.345", D("2.35")),
            ("-2.345", D("-2.35")),
            ("1.005", D("1.01")),
            ("9999999999999.99", D("9999999999999.99")),
            ("9999999999999.994", D("9999999999999.99")),
            ("9999999999999.995", ("amount", "out_of_range")),
            ("10000000000000", ("amount", "out_of_range")),
            ("-9999999999999.99", D("-9999999999999.99")),
            ("-10000000000000", ("amount", "out_of_range")),
            ("9999999999999999.99", ("amount", "out_of_range")),
            ("10000000000000000", ("amount", "out_of_range")),
            ("1e400", ("amount", "not_a_number")),
            ("NaN", ("amount", "not_a_number")),
            ("inf", ("amount", "not_a_number")),
            ("-Infinity", ("amount", "not_a_number")),
            ("1,234.50", ("amount", "not_a_number")),
            ("1_000", ("amount", "not_a_number")),
            ("0x1F", ("amount", "not_a_number")),
            ("12 34", ("amount", "not_a_number")),
            ("￥12", ("amount", "not_a_number")),
            ("-", ("amount", "not_a_number")),
            ("", ("amount", "required_missing")),
            ("  ", ("amount", "required_missing")),
            (BLANKS, ("amount", "required_missing")),
        ],
    )


def test_whole_numbers_of_a_closed_list(company):
    check_text(
        company,
        "ticket_ratings",
        "score",
        {"dimension": "price"},
        [
            ("1", 1),
            ("3", 3),
            ("5.0", 5),
            (" 5 ", 5),
            ("0", ("score", "not_in_list")),
            ("2", ("score", "not_in_list")),
            ("4", ("score", "not_in_list")),
            ("6", ("score", "not_in_list")),
            ("5.5", ("score", "not_a_whole_number")),
            ("4.9999999", ("score", "not_a_whole_number")),
            ("five", ("score", "not_a_number")),
            ("", ("score", "required_missing")),
            ("99999999999", ("score", "out_of_range")),
        ],
    )


# DuckDB casts these, ISO 8601 does not know them.
NO_DAYS = (
    "epoch",
    "infinity",
    "-infinity",
    "2026 03 04",
    "2026\\03\\04",
    "2026/03/04",
    "2026-3-4",
    "2026-03-4",
    "2026-03-4 ",
    "2026-03-04 (BC)",
)


def test_timestamps_without_a_zone_are_in_the_business_zone(company):
    # Eight hours ahead of UTC.
    company.settings({"timezone": "Asia/Shanghai"})
    check_text(
        company,
        "manual_tags",
        "tagged_at",
        {"tag": "t"},
        [
            ("2026-05-31", utc(2026, 5, 30, 16)),
            ("2026-05-31T08:00Z", utc(2026, 5, 31, 8)),
            ("2026-05-31 08:00:00.5+08:00", utc(2026, 5, 31, 0, 0, 0, 500_000)),
            ("2026-05-31T08:00:00 Z", utc(2026, 5, 31, 8)),
            ("2026-05-31 08:00", utc(2026, 5, 31)),
            ("2026-05-31T08:00:00", utc(2026, 5, 31)),
            ("2026-05-31 08:00:00.250", utc(2026, 5, 31, 0, 0, 0, 250_000)),
            ("2026-05-31T08:00:00Z", utc(2026, 5, 31, 8)),
            ("2026-05-31T08:00:00+02:00", utc(2026, 5, 31, 6)),
            ("2026-05-31T08:00:00+0200", utc(2026, 5, 31, 6)),
            ("2026-05-31 08:00:00-05", utc(2026, 5, 31, 13)),
            ("20260531", utc(2026, 5, 30, 16)),
            ("20260531T08:00:00", utc(2026, 5, 31)),
            (" 2026-05-31 ", utc(2026, 5, 30, 16)),
            ("2026-02-29", ("tagged_at", "not_a_date")),
            ("2026-05-31 25:00", ("tagged_at", "not_a_date")),
            ("31/05/2026", ("tagged_at", "not_a_date")),
            ("26-05-31", ("tagged_at", "not_a_date")),
            ("2026115", ("tagged_at", "not_a_date")),
            *((text, ("tagged_at", "not_a_date")) for text in NO_DAYS),
            ("2026-05-31 8:00", ("tagged_at", "not_a_date")),
            ("2026-05-31  8:00:00", ("tagged_at", "not_a_date")),
            ("2026-05-3  08:00:00", ("tagged_at", "not_a_date")),
            ("2026-05-31 08:00:5", ("tagged_at", "not_a_date")),
            ("2026-05-31 08:00:00 UTC", ("tagged_at", "not_a_date")),
            ("2026-05-31 08:00:00.5 Asia/Tokyo", ("tagged_at", "not_a_date")),
            ("2026/05/31 08:00:00", ("tagged_at", "not_a_date")),
            ("2026", ("tagged_at", "not_a_date")),
            ("", ("tagged_at", "required_missing")),
        ],
    )


def test_a_date_is_the_day_in_the_business_zone(company):
    company.settings({"timezone": "Asia/Shanghai"})
    check_text(
        company,
        "contracts",
        "starts_on",
        {"customer_id": "C"},
        [
            ("2026-05-31", datetime.date(2026, 5, 31)),
            ("20260531", datetime.date(2026, 5, 31)),
            ("2026-05-31 23:30", datetime.date(2026, 5, 31)),
            ("2026-05-31T15:59:59Z", datetime.date(2026, 5, 31)),
            ("2026-05-31T16:00:00Z", datetime.date(2026, 6, 1)),
            ("1000-01-01", datetime.date(1000, 1, 1)),
            ("0999-12-31", ("starts_on", "not_a_date")),
            ("9999-12-31", datetime.date(9999, 12, 31)),
            ("99999-01-01", ("starts_on", "not_a_date")),
            ("2026-02-30", ("starts_on", "not_a_date")),
            *((text, ("starts_on", "not_a_date")) for text in NO_DAYS),
            ("", ("starts_on", "required_missing")),
        ],
    )


def test_a_month_is_its_first_day(company):
    may = datetime.date(2026, 5, 1)
    months = ["2026-05", " 2026-05 ", "2026-05-01", "2026-05-31", "20260515"]
    none = ["2026-13", "May 2026", "2026", "0026-05", "2026/05", "202605", "2026-5"]
    none += ["2026-5 ", "-026-05", " 026-05", "2026-5x", "2026-05x", "２０２６-05"]
    none += NO_DAYS
    check_text(
        company,
        "bills",
        "bill_month",
        {"amount": "1"},
        [(text, may) for text in months]
        + [(text, ("bill_month", "not_a_date")) for text in none],
    )


def test_booleans(company):
    check_text(
        company,
        "customers",
        "is_listed",
        {},
        [(text, True) for text in ("true", "TRUE", "1", "yes", "Y", " y ", "是")]
        + [(text, False) for text in ("false", "False", "0", "no", "N", "否")]
        + [("", None)]
        + [
            (text, ("is_listed", "not_a_boolean")) for text in ("maybe", "2", "t", "-1")
        ],
    )


def test_closed_lists_ignore_case_and_surrounding_blanks(company):
    check_text(
        company,
        "transactions",
        "status",
        {"occurred_at": "2026-01-01", "amount": "1"},
        [
            ("paid", "paid"),
            ("PAID", "paid"),
            (" Paid\t", "paid"),
            ("", None),
            ("shipped", ("status", "not_in_list")),
            ("paid.", ("status", "not_in_list")),
        ],
    )


def test_open_lists_are_lower_case_words(company):
    check_text(
        company,
        "interactions",
        "kind",
        {"customer_id": "C", "occurred_at": "2026-01-01"},
        [
            ("Referral ", "referral"),
            ("webinar", "webinar"),
            (" ", ("kind", "required_missing")),
        ],
    )


def test_ids_stay_what_they_are(company):
    ids = [
        "00042",
        "17850.0",
        "曾惠-14485",
        " padded ",
        "1e5",
        "a\nb",
        'say "hi"',
        "'); drop table raw.files; --",
        "😀",
        "　全",
        "\u00a0x",
    ]
    blanks = ["", " ", "\t", "　", "\u00a0", "\ufeff"]
    check_text(
        company,
        "customers",
        "customer_id",
        {"party_type": "person"},
        [(text, text) for text in ids]
        + [(text, ("customer_id", "required_missing")) for text in blanks],
    )


def test_a_rate_is_above_zero_and_its_currency_in_upper_case(company):
    check_text(
        company,
        "exchange_rates",
        "rate",
        {"rate_date": "2026-01-01"},
        [
            ("0.00000001", D("0.00000001")),
            ("7.123456785", D("7.12345679")),
            ("0", ("rate", "out_of_range")),
            ("-1", ("rate", "out_of_range")),
            ("0.000000001", ("rate", "out_of_range")),
        ],
    )
    company.land(
        "exchange_rates/g.csv", "currency,rate_date,rate\n usd ,2026-01-01,7\n"
    )
    company.load("exchange_rates")
    assert company.column("select currency from raw.exchange_rates where rate = 7") == [
        "USD"
    ]


def test_a_date_format_is_that_of_the_text(company):
    company.settings(
        {
            "feeds": {"contracts": {"date_format": "%d.%m.%Y"}},
            "timezone": "Asia/Shanghai",
        }
    )
    check_text(
        company,
        "contracts",
        "starts_on",
        {"customer_id": "C"},
        [
            ("31.05.2026", datetime.date(2026, 5, 31)),
            (" 1.5.2026 ", datetime.date(2026, 5, 1)),
            ("2026-05-31", ("starts_on", "not_a_date")),
            ("31.02.2026", ("starts_on", "not_a_date")),
        ],
    )


def test_a_date_format_with_a_zone(company):
    company.settings(
        {
            "feeds": {"manual_tags": {"date_format": "%Y/%m/%d %H:%M %z"}},
            "timezone": "Asia/Shanghai",
        }
    )
    check_text(
        company,
        "manual_tags",
        "tagged_at",
        {"tag": "t"},
        [
            ("2026/05/31 08:00 +0000", utc(2026, 5, 31, 8)),
            ("2026/05/31 08:00 +0800", utc(2026, 5, 31)),
            ("2026/05/31 08:00", ("tagged_at", "not_a_date")),
        ],
    )


def test_times_that_a_clock_change_skips_or_repeats_have_one_meaning(company):
    company.settings({"timezone": "Europe/London"})
    check_text(
        company,
        "manual_tags",
        "tagged_at",
        {"tag": "t"},
        [
            ("2026-03-29 00:59", utc(2026, 3, 29, 0, 59)),
            ("2026-03-29 01:30", utc(2026, 3, 29, 1, 30)),  # skipped: 02:30 in summer
            ("2026-03-29 02:00", utc(2026, 3, 29, 1)),
            ("2026-10-25 01:30", utc(2026, 10, 25, 1, 30)),  # the second of the two
        ],
    )


def test_typed_ids_are_what_they_print_as(company):
    check_typed(
        company,
        "customers",
        "customer_id",
        {},
        [
            ("42::bigint", "42"),
            ("17850.0::double", "17850.0"),
            ("'x'::varchar", "x"),
            ("' '::varchar", ("customer_id", "required_missing")),
            ("date '2026-05-31'", "2026-05-31"),
            ("null::bigint", ("customer_id", "required_missing")),
        ],
    )


def test_typed_amounts(company):
    check_typed(
        company,
        "transactions",
        "amount",
        {"occurred_at": "date '2026-01-01'"},
        [
            ("1.005::double", D("1.01")),  # as it prints, not as 1.00499999999999989…
            ("2.675::double", D("2.68")),
            ("-1.005::double", D("-1.01")),
            ("0.1::double + 0.2::double", D("0.30")),
            ("1.005::float", D("1.01")),
            ("1234567890123.56::double", D("1234567890123.56")),
            ("1e16::double", ("amount", "out_of_range")),
            ("'nan'::double", ("amount", "not_a_number")),
            ("'-inf'::double", ("amount", "not_a_number")),
            ("5::tinyint", D("5.00")),
            ("10000000000000000::hugeint", ("amount", "out_of_range")),
            ("1.005::decimal(9,3)", D("1.01")),
            ("3.14::decimal(18,2)", D("3.14")),
            ("null::decimal(18,2)", ("amount", "required_missing")),
            ("null::double", ("amount", "required_missing")),
            ("true", ("amount", "not_a_number")),
            ("'1.005'", D("1.01")),
        ],
    )


def test_amounts_reckoned_from_doubles_are_right_to_the_cent(company):
    """Each product is half a cent by decimals, and a little less by doubles."""
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "columns": {"amount": {"expr": "price * n * (1 - discount)"}},
                    "constants": {"occurred_at": "2026-05-01"},
                }
            }
        }
    )
    given = [
        (price, n, discount)
        for price in ("1.14", "41.06", "-1.14", "64.98", "89.97")
        for n in (5, 7, 15)
        for discount in ("0.05", "0.15", "0.25")
    ]
    rows = ", ".join(
        f"({number}, {price}::double, {n}::double, {discount}::double)"
        for number, (price, n, discount) in enumerate(given)
    )
    file = company.land("transactions/t.parquet", "")
    company.con.sql(
        f"select * from (values {rows}) as t (transaction_id, price, n, discount)"
    ).write_parquet(str(file))
    company.load("transactions")
    exact = [D(price) * n * (1 - D(discount)) for price, n, discount in given]
    assert company.column(
        "select amount from raw.transactions order by transaction_id::int"
    ) == [amount.quantize(D("0.01"), ROUND_HALF_UP) for amount in exact]


def test_typed_timestamps(company):
    company.settings({"timezone": "Asia/Shanghai"})
    may, june = datetime.date(2026, 5, 31), datetime.date(2026, 6, 1)
    check_typed(
        company,
        "transactions",
        "occurred_at",
        {"amount": "1"},
        [
            ("timestamp '2026-05-31 08:00'", utc(2026, 5, 31)),
            ("timestamptz '2026-05-31 16:00Z'", utc(2026, 5, 31, 16)),
            ("date '2026-05-31'", utc(2026, 5, 30, 16)),
            ("timestamp_ns '2026-05-31 08:00'", utc(2026, 5, 31)),
            ("'2026-05-31T16:00Z'", utc(2026, 5, 31, 16)),
            ("timestamp 'infinity'", ("occurred_at", "not_a_date")),
            ("timestamp '0999-12-31'", ("occurred_at", "not_a_date")),
            ("20260531", utc(2026, 5, 30, 16)),
            ("null::timestamp", ("occurred_at", "required_missing")),
        ],
    )
    days = "select occurred_date from raw.transactions order by transaction_id"
    assert company.column(days) == [may, june, may, may, june, may]


def test_typed_dates(company):
    company.settings({"timezone": "Asia/Shanghai"})
    check_typed(
        company,
        "contracts",
        "starts_on",
        {"customer_id": "'C'"},
        [
            ("date '2026-05-31'", datetime.date(2026, 5, 31)),
            ("timestamp '2026-05-31 23:59'", datetime.date(2026, 5, 31)),
            ("timestamptz '2026-05-31 16:00Z'", datetime.date(2026, 6, 1)),
            ("date '0999-01-01'", ("starts_on", "not_a_date")),
            ("date 'infinity'", ("starts_on", "not_a_date")),
        ],
    )


def test_typed_booleans(company):
    check_typed(
        company,
        "customers",
        "can_buy",
        {},
        [
            ("true", True),
            ("1", True),
            ("0", False),
            ("'是'", True),
            ("null::boolean", None),
            ("7", ("can_buy", "not_a_boolean")),
        ],
    )
