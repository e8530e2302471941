"""How people write numbers, dates and nothing, as a mapping states it."""

import datetime
from decimal import Decimal

import duckdb
import pytest

from ingest.sql_text import Sql
from ingest.written import plain_number, two_readings
from project.errors import ConfigurationError
from tests.ingest.test_casts import check_text, utc

PAID = {"customer_id": "C1", "occurred_at": "2026-05-01"}


def mapped(company, feed="transactions", **mapping):
    company.settings({"timezone": "Asia/Shanghai", "feeds": {feed: mapping}})


@pytest.mark.parametrize(
    ("style", "text", "number"),
    [
        ("1,234.50", "1,234.50", "1234.50"),
        ("1,234.50", "1,234,567", "1234567"),
        ("1,234.50", "-0.5", "-0.5"),
        ("1,234.50", ".5", ".5"),
        ("1,234.50", " $2,899.99 ", "2899.99"),
        ("1,234.50", "-$2,899.99", "-2899.99"),
        ("1,234.50", "$-2,899.99", "-2899.99"),
        ("1,234.50", "USD 12.50", "12.50"),
        ("1,234.50", "12.50 EUR", "12.50"),
        ("1,234.50", "(12.50)", "-12.50"),
        ("1,234.50", "($1,012.50)", "-1012.50"),
        ("1,234.50", "12.50-", "-12.50"),
        ("1,234.50", "12.5万", "12.5e4"),
        ("1,234.50", "¥1,000万元", "1000e4"),
        ("1,234.50", "3亿", "3e8"),
        ("1,234.50", "12.5%", "12.5e-2"),
        ("1,234.50", "１，２３４．５０", "1234.50"),
        ("1,234.50", "−7", "-7"),
        ("1.234,50", "1.234,50", "1234.50"),
        ("1.234,50", "1.234", "1234"),
        ("1.234,50", "2,5 €", "2.5"),
        ("1 234,50", "1 234,50", "1234.50"),
        ("1 234,50", "1\u00a0234\u202f567,50", "1234567.50"),
        ("1'234.50", "1'234.50", "1234.50"),
        ("1'234.50", "1’234", "1234"),
        # Groups that are none, signs that contradict, and what is no number at all.
        ("1,234.50", "1,23", None),
        ("1,234.50", "12,34.50", None),
        ("1,234.50", "1.234,50", None),
        ("1.234,50", "1,234.50", None),
        ("1.234,50", "1234.50", None),
        ("1,234.50", "(12.50", None),
        ("1,234.50", "(-12.50)", None),
        ("1,234.50", "-12.50-", None),
        ("1,234.50", "12.5 %%", None),
        ("1,234.50", "1e5", None),
        ("1,234.50", "1_000", None),
        ("1,234.50", "twelve", None),
        ("1,234.50", "$", None),
        ("1,234.50", "", None),
    ],
)
def test_a_number_as_people_write_it(style, text, number):
    con = duckdb.connect()
    select = f"select {plain_number(Sql('x'), style)} from (select ? as x)"
    assert con.execute(select, [text]).fetchone() == (number,)


def test_amounts_in_a_format_are_exact_and_others_are_rejected(company):
    mapped(company, number_format="1.234,50")
    check_text(
        company,
        "transactions",
        "amount",
        PAID,
        [
            ("1.234,505", Decimal("1234.51")),
            ("-2,5 €", Decimal("-2.50")),
            ("12,5万", Decimal("125000.00")),
            ("(0,004)", Decimal("0.00")),
            ("99999999999999,00", ("amount", "out_of_range")),
            ("1,234.50", ("amount", "not_a_number")),
            ("", ("amount", "required_missing")),
        ],
    )


def test_whole_numbers_in_a_format(company):
    mapped(company, "customers", number_format="1,234.50")
    check_text(
        company,
        "customers",
        "seat_count",
        {},
        [
            ("1,200", 1200),
            ("1.2万", 12000),
            ("1.5", ("seat_count", "not_a_whole_number")),
            ("1,2", ("seat_count", "not_a_number")),
        ],
    )


def test_several_formats_of_dates_are_tried_in_their_order(company):
    mapped(company, "customers", date_format=["%Y年%m月%d日", "%Y%m%d", "%d.%m.%y"])
    day = datetime.date(2024, 5, 1)
    check_text(
        company,
        "customers",
        "birth_date",
        {},
        [
            ("2024年5月1日", day),
            ("20240501", day),
            ("1.5.24", day),
            ("2024-05-01", ("birth_date", "not_a_date")),
            ("", None),
        ],
    )


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("excel", "45413", utc(2024, 4, 30, 16)),
        ("excel", "45413.5", utc(2024, 5, 1, 4)),
        ("epoch", "1714492800", utc(2024, 4, 30, 16)),
        ("epoch_ms", "1714492800500", utc(2024, 4, 30, 16, 0, 0, 500000)),
    ],
)
def test_what_counts_since_a_day(company, form, text, value):
    # An Excel day begins in the business zone, which is 8 hours ahead of UTC.
    mapped(company, date_format={"occurred_at": form})
    others = {"customer_id": "C1", "amount": "1"}
    expected = [
        (text, value),
        ("soon", ("occurred_at", "not_a_date")),
        ("9" * 17, ("occurred_at", "not_a_date")),
    ]
    check_text(company, "transactions", "occurred_at", others, expected)


def test_words_for_nothing_and_a_word_that_is_a_value(company):
    mapped(company, "customers", null_values={"region": ["NA", "?"], "city": ["\\N"]})
    company.land(
        "customers/c.csv",
        "customer_id,region,city,industry\nC1, NA ,NA,?\nC2,?,\\N,NA\nC3,na,,\n",
    )
    company.load("customers")
    assert company.rows(
        "select customer_id, region, city, industry from raw.customers order by 1"
    ) == [
        ("C1", None, "NA", "?"),
        ("C2", None, None, "NA"),
        ("C3", "na", None, None),
    ]


def test_words_of_the_file_and_what_they_mean(company):
    mapped(
        company,
        "transactions",
        columns={"status": "状态", "is_service_sale": "服务", "channel": "渠道"},
        words={
            "status": {"已付款": "paid", "已发货": "paid", "作废": "cancelled"},
            "is_service_sale": {"是": True, "否": False},
            "channel": {"门店": "shop"},
        },
        null_values={"status": ["-"]},
    )
    company.land(
        "transactions/t.csv",
        "transaction_id,occurred_at,amount,状态,服务,渠道\n"
        "1,2026-05-01,1,已付款,是,门店\n"
        "2,2026-05-01,1, 已发货 ,否,网店\n"
        "3,2026-05-01,1,作废,true,\n"
        "4,2026-05-01,1,cancelled,,shop\n"
        "5,2026-05-01,1,,,\n"
        "6,2026-05-01,1,-,,\n"
        "7,2026-05-01,1,已作废,,\n"
        "8,2026-05-01,1,已付款,也许,\n",
    )
    company.load("transactions")
    assert company.rows(
        "select transaction_id, status, is_service_sale, channel"
        " from raw.transactions order by 1"
    ) == [
        ("1", "paid", True, "shop"),
        ("2", "paid", False, "网店"),
        ("3", "cancelled", True, None),
        ("4", "cancelled", None, "shop"),
        ("5", None, None, None),
        ("6", None, None, None),
    ]
    # A word that nobody has named is not taken for the default.
    assert company.rejected() == [
        (7, "status", "not_in_list"),
        (8, "is_service_sale", "not_a_boolean"),
    ]


def test_numbers_have_meanings_as_well(company):
    mapped(company, "calls", words={"direction": {"1": "in", "2": "out"}})
    file = company.land("calls/c.parquet", "")
    company.con.sql(
        "select call_id, timestamp '2026-05-01' as queued_at, call_id % 3 as direction"
        " from range(1, 5) as t (call_id)"
    ).write_parquet(str(file))
    company.load("calls")
    assert company.rows("select call_id, direction from raw.calls order by 1") == [
        ("1", "in"),
        ("2", "out"),
        ("4", "in"),
    ]
    assert company.rejected() == [(3, "direction", "not_in_list")]


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        (["%d/%m/%Y", "%m/%d/%Y"], "05/04/2003"),
        (["%Y%m%d", "%Y%d%m"], "20030405"),
        (["%d/%m/%Y", "%Y/%m/%d"], None),
        (["%d.%m.%y", "excel"], None),
    ],
)
def test_formats_that_read_a_text_as_two_days(formats, said):
    found = two_readings(formats)
    assert (found[2] if found else None) == said


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            {"date_format": ["%d/%m/%Y", "%m/%d/%Y"]},
            ":1: feeds.transactions.date_format: '%d/%m/%Y' and '%m/%d/%Y' read",
        ),
        (
            {"date_format": {"occurred_at": ["%Y", "dd/mm/yyyy"]}},
            ":1: feeds.transactions.date_format.occurred_at: is written in the letters",
        ),
        (
            {"words": {"status": {"已付款": "payed"}}},
            ".words.status.已付款: is none of paid, pending, cancelled, test (given:",
        ),
        (
            {"words": {"stauts": {"已付款": "paid"}}},
            ":1: feeds.transactions.words.stauts: is not a column of the feed",
        ),
        (
            {"null_values": {"amuont": ["-"]}},
            ":1: feeds.transactions.null_values.amuont: is not a column of the feed",
        ),
    ],
)
def test_forms_that_cannot_be_meant_are_errors_of_the_settings(
    company, mapping, message
):
    mapped(company, **mapping)
    company.land("transactions/t.csv", "transaction_id,occurred_at,amount\n")
    with pytest.raises(ConfigurationError) as raised:
        company.load("transactions")
    assert message in str(raised.value)


def test_a_comma_before_decimals_is_not_for_json(company):
    mapped(company, number_format="1.234,50")
    company.land(
        "transactions/t.jsonl",
        '{"transaction_id": "T1", "occurred_at": "2026-05-01", "amount": 1.234}\n',
    )
    with pytest.raises(ConfigurationError, match="numbers of JSON have a point"):
        company.load("transactions")
