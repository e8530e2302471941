"""Delimited text: every record is a row or a rejected row, under its own number."""

import gzip

import pytest
import zstandard

HEAD = "customer_id,customer_name,party_type\n"


def loaded(company):
    return company.rows("select _line_no, customer_id from raw.customers order by all")


def test_records_that_cannot_be_split_are_rejected_and_the_rest_loads(company):
    company.land(
        "customers/f.csv",
        HEAD
        + "1,a,person\n"
        + "2,b\n"
        + "3,c,person\n"
        + "4,d,person,more\n"
        + '5,"e"x,person\n'
        + '6,"f ""g"", h",person\n'
        + "7,h,nobody\n"
        + "8,i,person",
    )
    load = company.load_one("customers")
    assert loaded(company) == [(1, "1"), (3, "3"), (6, "6"), (8, "8")]
    assert company.rejected() == [
        (2, None, "too_few_columns"),
        (4, None, "too_many_columns"),
        (5, None, "unreadable_row"),
        (7, "party_type", "not_in_list"),
    ]
    assert (load.n_read, load.n_loaded, load.n_rejected) == (8, 4, 4)
    assert company.books()["f.csv"] == ("loaded", 8, 4, 0, 4)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_blank_lines_are_not_rows_and_have_no_number(company, newline):
    lines = [
        "",
        "1,a,person",
        "",
        "   ",
        "2,b",
        "",
        '3,"two',
        "",
        'lines",person',
        "",
        "4,d,person,more",
        "\t",
        "5,e,person",
        "",
        "",
    ]
    company.land("customers/f.csv", newline.join([HEAD.strip(), *lines]))
    company.load("customers")
    assert loaded(company) == [(1, "1"), (3, "3"), (5, "5")]
    assert company.rejected() == [
        (2, None, "too_few_columns"),
        (4, None, "too_many_columns"),
    ]
    assert company.books()["f.csv"] == ("loaded", 5, 3, 0, 2)
    names = company.column("select customer_name from raw.customers where _line_no = 3")
    assert names == [newline.join(["two", "", "lines"])]


@pytest.mark.parametrize("delimiter", [",", "\t", "|", ";"])
@pytest.mark.parametrize("is_broken", [False, True])
def test_a_row_of_nothing_but_delimiters_is_a_blank_line(company, delimiter, is_broken):
    lines = [
        "customer_id,customer_name,party_type",
        ",,",
        "1,a,person",
        " ,\u3000,",
        ',"",  ',
        "\u3000,\u00a0,",
        "2,b" if is_broken else "2,b,person",
        ",",
        ",,,,,",
        '"","",""',
        '"",",",""',
        "4,d,person",
        ",,",
    ]
    text = "\n".join(lines).replace(",", delimiter)
    company.land("customers/f.csv", text)
    company.load("customers")
    # A delimiter within quotes is a value, but for one that is a blank itself.
    with_value = [(3, "customer_id", "required_missing")] if delimiter != "\t" else []
    last = 3 + len(with_value)
    assert loaded(company) == [
        (1, "1"),
        *([] if is_broken else [(2, "2")]),
        (last, "4"),
    ]
    broken = [(2, None, "too_few_columns")] if is_broken else []
    assert company.rejected() == broken + with_value
    assert company.books()["f.csv"][1] == last


def test_a_file_of_one_column(company):
    company.land("customers/f.csv", 'customer_id\n1\n\n  \n"a,b"\n""\n2\n')
    company.load("customers")
    assert loaded(company) == [(1, "1"), (2, "a,b"), (3, "2")]
    assert company.books()["f.csv"] == ("loaded", 3, 3, 0, 0)


def test_an_unclosed_quote_rejects_the_rest_of_the_file_as_one_row(company):
    company.land(
        "customers/f.csv",
        HEAD + '1,a,person\n2,"b,person\n3,c,person\n\n4,d,person\n',
    )
    company.land("customers/g.csv", HEAD + "5,e,person\n")
    company.load("customers")
    assert sorted(loaded(company)) == [(1, "1"), (1, "5")]
    assert company.rejected() == [(2, None, "unclosed_quote")]
    assert company.books()["f.csv"] == ("loaded", 2, 1, 0, 1)


def test_an_unclosed_quote_far_from_the_end(company):
    """More than the reader's buffers lie behind it, which it would read as rows."""
    good = "".join(f"{n},abc,person\n" for n in range(100_000))
    big = "".join(f"{n},abcdefghijklmnopqrst,person\n" for n in range(1_200_000))
    company.land("customers/f.csv", HEAD + good + 'x,"b,person\n' + big)
    company.load("customers")
    assert company.rejected() == [(100_001, None, "unclosed_quote")]
    assert company.books()["f.csv"] == ("loaded", 100_001, 100_000, 0, 1)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_record_that_is_longer_than_two_megabytes(company, pack):
    long = "x" * 3_000_000
    suffix = {gzip.compress: ".gz", zstandard.compress: ".zst"}.get(pack, "")
    text = HEAD + f'1,a,person\n2,"{long}",person\n3,c,person\n'
    company.land(f"customers/f.csv{suffix}", pack(text.encode()))
    company.load("customers")
    assert loaded(company) == [(1, "1"), (2, "2"), (3, "3")]
    assert company.books()[f"f.csv{suffix}"] == ("loaded", 3, 3, 0, 0)


def test_line_ends_of_several_kinds(company):
    company.land(
        "customers/f.csv",
        'customer_id,customer_name,party_type\n1,a,person\r\n2,"x\ny",person\n3,c\r\n'
        "4,d,person\r5,e,person\n",
    )
    company.land("customers/g.csv", HEAD + "6,f,person\n")
    company.load("customers")
    assert sorted(row[1] for row in loaded(company)) == ["1", "2", "4", "5", "6"]
    assert company.rejected() == [(3, None, "too_few_columns")]


def test_bytes_that_are_no_text_reject_their_row(company):
    company.land(
        "customers/f.csv",
        HEAD.encode()
        + "1,北京,person\n2,".encode()
        + b"\xff\xfe"
        + ",person\n3,上海,person\n".encode(),
    )
    company.load("customers")
    assert loaded(company) == [(1, "1"), (3, "3")]
    assert company.rejected() == [(2, None, "bad_encoding")]


def test_many_files_of_equal_headers_keep_their_own_numbers(company):
    for name in ("a", "b", "c"):
        company.land(f"customers/{name}.csv", HEAD + f"{name}1,x,person\n{name}2,y\n")
    company.load("customers")
    assert loaded(company) == [(1, "a1"), (1, "b1"), (1, "c1")]
    assert company.rejected() == [(2, None, "too_few_columns")] * 3


def test_row_numbers_hold_over_many_buffers(company):
    """Numbers follow from the order, which parallel reading has to keep."""
    rows = [f"{n},{'y' * 60},person" for n in range(1, 1_000_001)]
    chosen = range(999, len(rows), 24_989)
    for place in chosen:
        rows[place] = f"{place + 1},short"
    company.con.execute("set threads = 4")
    company.land("customers/f.csv", HEAD + "\n".join(rows))
    company.load("customers")
    wrong = "select count(*) from raw.customers where customer_id != _line_no::text"
    assert company.column(wrong) == [0]
    assert [line for line, _, _ in company.rejected()] == sorted(
        place + 1 for place in chosen
    )


def test_headers_may_hold_anything(company):
    names = [
        "customer_id",
        "",
        "a b",
        "x/y",
        'say "q"',
        "$x",
        "😀",
        "'; drop table raw.files; --",
        "customer_id",
        "c0",
        "_file",
    ]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    company.settings(
        {
            "feeds": {
                "customers": {
                    "columns": {
                        "industry": "😀",
                        "city": {"expr": '"$x" || "say ""q""" || c0'},
                    }
                }
            }
        }
    )
    company.land(
        "customers/f.csv", header + "\n" + ",".join(map(str, range(11))) + "\n"
    )
    company.load("customers")
    found = company.rows("select customer_id, industry, city from raw.customers")
    assert found == [("0", "6", "549")]


def test_a_quarter_of_a_million_headers_is_no_header(company):
    company.land("customers/f.csv", ",".join(f"c{n}" for n in range(100_000)) + "\n1\n")
    company.load("customers")
    assert company.books()["f.csv"][0] == "refused"


def test_an_unclosed_quote_in_one_of_many_files(company):
    """DuckDB reads many files one by one, and then keeps quiet about the quote."""
    company.con.execute("set threads = 2")
    for number in range(20):
        company.land(f"customers/{number:02}.csv", HEAD + f"{number},a,person\n")
    company.land("customers/f.csv", HEAD + 'x,a,person\ny,"b,person\nz,c,person\n')
    company.load("customers")
    assert company.books()["f.csv"] == ("loaded", 2, 1, 0, 1)
    assert company.rejected() == [(2, None, "unclosed_quote")]


def test_a_record_of_which_the_reader_shows_nothing_is_rejected_all_the_same(company):
    """An escaped quote, a line end and a quote in the wrong place; found by fuzzing."""
    company.land(
        "customers/f.csv",
        'customer_id,industry\n1,a\nz,"one, ""two""\nthree,"one, ""two""\nfour"\n2,b\n',
    )
    company.load("customers")
    assert loaded(company) == [(1, "1"), (4, "2")]
    assert company.rejected() == [
        (2, None, "unreadable_row"),
        (3, None, "too_few_columns"),
    ]
    (kept,) = (company.root / "data/quarantine/customers").iterdir()
    assert 'z,""one, """"two""""\nthree,""one, """"two""""' in kept.read_text("utf-8")
