"""`fenji inspect`: what it proposes is a mapping that loads the file."""

import json
import shutil
import sys

import polars as pl
import pytest
import yaml

from pipelines.commands import cli
from tests.forked import call

ORDERS_ZH = """\
订单编号,会员卡号,下单日期,实付金额,备注
A1,0007,2024/02/28,12.50,急
A1,0007,2024/02/29,7.50,
A2,0008,2024/12/31,100,
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: new\n")
    return tmp_path


def inspect(*arguments):
    done = call(["inspect", *map(str, arguments)], seconds=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_takes(project, feed, file, proposed):
    """What `fenji check` makes of a file with what was proposed for it."""
    folder = project / "landing" / feed
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)
    (project / "fenji.yaml").write_text(f"name: new\n{proposed}", encoding="utf-8")
    done = call(["check", "--json", "--project", str(project)], seconds=120)
    said = json.loads(done.stdout)
    assert said["status"] == "good", said
    (head,) = said["files"]
    return head


def test_chinese_headers_in_gb18030_are_matched(project, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_bytes(ORDERS_ZH.encode("gb18030"))
    proposed = inspect(file)
    (feed,) = yaml.safe_load(proposed)["feeds"]
    assert feed == "transactions"
    assert "# not used: 备注" in proposed
    head = check_takes(project, feed, file, proposed)
    assert (head["n_read"], head["n_loaded"], head["n_rejected"]) == (3, 3, 0)
    assert head["rows"][0]["customer_id"] == "0007"
    assert head["rows"][1]["occurred_at"].startswith("2024-02-29")


def test_quantity_times_price_stands_for_a_missing_amount(project, tmp_path):
    file = tmp_path / "lines.csv"
    file.write_text(
        "InvoiceNo;StockCode;Quantity;InvoiceDate;UnitPrice;CustomerID\n"
        "536365;85123A;6;2010-12-01 08:26:00;2.55;17850\n"
    )
    proposed = inspect(file)
    head = check_takes(project, "transactions", file, proposed)
    assert head["n_loaded"] == 1
    assert float(head["rows"][0]["amount"]) == pytest.approx(15.30)


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "jsonl"])
def test_what_is_no_text_is_looked_into(project, tmp_path, kind):
    frame = pl.DataFrame(
        {
            "Member No": ["M1", "M2"],
            "Sex": ["f", "m"],
            "Date of Birth": ["2000-01-31"] * 2,
        }
    )
    file = tmp_path / f"members.{kind}"
    write = {"xlsx": "write_excel", "parquet": "write_parquet", "jsonl": "write_ndjson"}
    getattr(frame, write[kind])(file)
    proposed = inspect(file)
    mapping = yaml.safe_load(proposed)["feeds"]["customers"]
    assert mapping["columns"] == {
        "customer_id": "Member No",
        "gender": "Sex",
        "birth_date": "Date of Birth",
    }
    assert check_takes(project, "customers", file, proposed)["n_loaded"] == 2


def test_days_and_months_that_may_be_either_are_told(tmp_path):
    file = tmp_path / "orders.csv"
    header = "order_id,customer_id,order date,amount\n"
    file.write_text(header + "1,A,01/02/2024,1\n2,B,12/11/2024,1\n")
    assert "choose one: %m/%d/%Y" in inspect(file)
    # The thirteenth is no month: one form is left for the whole column.
    file.write_text(header + "1,A,01/02/2024,1\n2,B,13/11/2024,1\n")
    proposed = inspect(file)
    assert "choose one" not in proposed
    mapping = yaml.safe_load(proposed)["feeds"]["transactions"]
    assert mapping["date_format"] == "%d/%m/%Y"
    file.write_text(header + "1,A,13/02/2024,1\n2,B,02/13/2024,1\n")
    assert "without one form in common: order date" in inspect(file)


def test_numbers_as_people_write_them_are_told_by_the_whole_column(project, tmp_path):
    file = tmp_path / "orders.csv"
    header = "order_id;customer_id;order date;amount;quantity\n"
    rows = "1;A;2024-01-02;1.234,50 €;NA\n2;B;2024-11-12;-2,5;7\n3;B;?;3;1\n"
    file.write_text(header + rows, encoding="utf-8")
    proposed = inspect(file)
    mapping = yaml.safe_load(proposed)["feeds"]["transactions"]
    assert mapping["number_format"] == "1.234,50"
    assert mapping["null_values"] == ["?", "NA"]
    head = check_takes(project, "transactions", file, proposed)
    assert [row["amount"] for row in head["rows"]][:2] == ["1234.50", "-2.50"]
    # One column that may be read both ways: both are named.
    file.write_text(header + "1;A;2024-01-02;1,234;1\n", encoding="utf-8")
    assert "All numbers fit these forms, too, choose one: 1.234,50" in inspect(file)
    file.write_text(header + "1;A;2024-01-02;1,234.5;1\n2;A;2024-01-02;1.234,5;1\n")
    assert "numbers without one form in common: amount" in inspect(file)


def test_what_is_missing_or_unknown_is_told(tmp_path):
    file = tmp_path / "some.csv"
    file.write_text("customer_id,order date\nA,2024-01-01\n")
    proposed = inspect(file, "--feed", "transactions")
    assert "# transaction_id is required" in proposed
    file.write_text("alpha,beta\n1,2\n")
    assert "some.csv: no header is known" in inspect(file)
    said = json.loads(inspect(file, "--json"))
    assert said["files"][0]["feed"] is None


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, (), "there is no such file"),
        (b"", (), "holds nothing"),
        (b"PK\x03\x04 no workbook", (), "is no workbook"),
        (b"a,b\n", ("--feed", "transaction"), "did you mean 'transactions'"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path, capsys, monkeypatch, content, options, says
):
    name = "x.xlsx" if content and content.startswith(b"PK") else "x.csv"
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["fenji", "inspect", str(file), *options])
    assert cli.run_command() == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1
