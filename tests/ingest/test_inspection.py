"""Files within archives, looked at where they lie."""

import pytest

from ingest.inspection import inspect
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
