"""What is proposed for files: within archives, with totals, shares, objects of JSON."""

import json

import pytest

from ingest.inspection import files_in, inspect
from project.errors import ConfigurationError
from tests.ingest.test_archives import tarred, zipped

ORDERS = "订单编号,客户编号,订单日期,实付金额\nT1,C1,2026/05/01,12.50\n"


@pytest.mark.parametrize(("name", "pack"), [("x.zip", zipped), ("x.tar.gz", tarred)])
def test_a_member_is_inspected(tmp_path, name, pack):
    members = [("2026/a.csv", ORDERS.encode("gb18030")), ("b.csv", "")]
    (tmp_path / name).write_bytes(pack(members))
    file = tmp_path / name / "2026" / "a.csv"
    found = inspect(file)
    assert (found.file, found.feed, found.encoding) == (file, "transactions", "gb18030")
    assert (found.date_formats, found.missing) == (("%Y/%m/%d",), ())
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("content", "member", "message"),
    [
        (
            zipped([("2026/a.csv", ORDERS)]),
            "",
            "is an archive; name a file in it, such",
        ),
        (zipped([("2026/a.csv", ORDERS)]), "b.csv", "there is no such file"),
        (zipped([("a.csv", "")]), "a.csv", "holds nothing"),
        (zipped([]), "", "holds nothing"),
        (b"none", "", "is no archive that can be read to its end"),
        (b"none", "a.csv", "there is no such file"),
    ],
)
def test_what_cannot_be_inspected_is_one_line(tmp_path, content, member, message):
    archive = tmp_path / "x.zip"
    archive.write_bytes(content)
    file = archive / member if member else archive
    with pytest.raises(ConfigurationError) as told:
        inspect(file)
    assert str(told.value).startswith(f"{file}: {message}")
    assert "\n" not in str(told.value)


def test_what_lies_in_json_objects_is_named_as_mappings_name_it(tmp_path):
    file = tmp_path / "orders.json"
    orders = [
        {
            "order_id": 1,
            "created_at": "2026-05-01T10:00:00Z",
            "customer": {"id": "C1", "home": {"city": "Oslo"}},
            "items": [{"sku": "a"}],
            "total": 17.5,
        },
        {"order_id": 2, "customer": None, "items": [], "total": 7},
    ]
    file.write_text(json.dumps(orders))
    found = inspect(file)
    assert (found.feed, found.missing) == ("transactions", ())
    assert {seen.header: seen.column for seen in found.columns} == {
        "order_id": "transaction_id",
        "created_at": "occurred_at",
        "customer.id": "customer_id",
        "customer.home.city": None,
        "items": None,
        "total": "amount",
    }


HEADER = "order_id,customer_id,order date,amount\n"


def looked_at(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return inspect(path)


@pytest.mark.parametrize(
    ("end", "trailer_rows"),
    [
        ("合计,,,10\n", 1),
        ("总计：,,,10\n", 1),
        (",Total,,10\n", 1),
        ("Sum,,,10\n,,,\nmade by,A,,\n", 2),  # blank lines are no rows
        ("Total,,,1\n" + "a,b,c,d\n" * 4, 5),
        ("Total,,,1\n" + "a,b,c,d\n" * 5, 0),
        ("Total Energies,C,2026-05-01,10\n", 0),
        ("", 0),
    ],
)
@pytest.mark.parametrize("n_rows", [3, 4000])  # within the first 64 KB, and beyond
def test_a_total_at_the_end_is_a_trailer(tmp_path, end, trailer_rows, n_rows):
    rows = "".join(f"T{number},C1,2026/05/01,10\n" for number in range(n_rows))
    found = looked_at(tmp_path / "orders.csv", HEADER + rows + end, "gb18030")
    assert found.trailer_rows == trailer_rows
    if trailer_rows:
        assert (found.date_formats, found.mixed_dates) == (("%Y/%m/%d",), ())


@pytest.mark.parametrize(
    ("values", "is_share"),
    [
        (("0", "0.25", "0.1"), True),
        (("20%", "5%", ""), True),
        (("0", "1", "0"), False),
        (("0.5", "1.01"), False),
        (("0.5", "-0.1"), False),
        (("0.5", "none at all"), False),
        (("0", "0"), False),
    ],
)
def test_shares_are_no_amounts_of_discount(tmp_path, values, is_share):
    rows = "".join(f"T,C,2026-05-01,10,{value}\n" for value in values)
    header = f"{HEADER.strip()},Discount\n"
    found = looked_at(tmp_path / "orders.csv", header + rows)
    assert found.shares == (("Discount",) if is_share else ())
    columns = {seen.column for seen in found.columns}
    assert ("discount_amount" in columns) != is_share


def test_the_files_of_a_folder_are_those_that_hold_rows(tmp_path):
    for name in (".hidden", "b/x.tmp", "a.csv.retry.csv", "b/a.csv", "c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(ORDERS)
    (tmp_path / "x.zip").write_bytes(zipped([("2026/a.csv", ORDERS)]))
    (tmp_path / "y.zip").write_bytes(b"none")
    found = [file.relative_to(tmp_path).as_posix() for file in files_in(tmp_path)]
    assert found == ["b/a.csv", "c.csv", "x.zip/2026/a.csv", "y.zip"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder without files"):
        files_in(tmp_path / "empty")
    with pytest.raises(ConfigurationError, match="is a folder; name a file in it"):
        inspect(tmp_path / "empty")
