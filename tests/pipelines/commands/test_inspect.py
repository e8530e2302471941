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
    assert "# amount is required" in proposed
    file.write_text("alpha,beta\n1,2\n")
    assert "some.csv: no header is known" in inspect(file)
    said = json.loads(inspect(file, "--json"))
    assert said["files"][0]["feed"] is None


def proposed_for(monkeypatch, capsys, *files):
    """What is proposed, in this process."""
    monkeypatch.setattr(sys, "argv", ["fenji", "inspect", *map(str, files)])
    assert cli.run_command() == 0, capsys.readouterr().err
    return capsys.readouterr().out


ORDERS = "Id,Client_id,OrderDate,AmountTotal\n1,C1,2026-05-01,10\n2,C1,2026-05-02,20\n"
LINES = "Id,OrderId,Quantity,UnitPrice,OrderDate\n1,1,2,5.00,2026-05-01\n"


def test_a_folder_is_inspected_and_equal_names_are_told_apart(
    project, monkeypatch, capsys
):
    for table, text in {"Order": ORDERS, "OrderDetail": LINES}.items():
        folder = project / "landing/transactions/nw" / table
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(text)
    (project / "landing/transactions/.hidden").write_text("x")
    proposed = proposed_for(monkeypatch, capsys, project / "landing")
    mappings = yaml.safe_load(proposed)["feeds"]["transactions"]
    assert [mapping["files"] for mapping in mappings] == [
        "nw/Order/all.csv",
        "nw/OrderDetail/all.csv",
    ]
    assert mappings[0]["columns"]["transaction_id"] == "Id"
    assert mappings[1]["columns"]["line_no"] == "Id"
    (project / "fenji.yaml").write_text(f"name: new\n{proposed}")
    monkeypatch.setattr(
        sys, "argv", ["fenji", "check", "--json", "--project", str(project)]
    )
    assert cli.run_command() == 0
    said = json.loads(capsys.readouterr().out)
    assert [(head["mapping"], head["n_loaded"]) for head in said["files"]] == [
        ("feeds.transactions[0]", 2),
        ("feeds.transactions[1]", 1),
    ]


def test_equal_names_outside_of_a_project_are_told_by_their_folders(
    tmp_path, monkeypatch, capsys
):
    for name, text in {
        "a": ORDERS,
        "b": ORDERS.replace("AmountTotal", "Sales"),
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "orders.csv").write_text(text)
    files = [tmp_path / name / "orders.csv" for name in "ab"]
    proposed = yaml.safe_load(proposed_for(monkeypatch, capsys, *files))
    mappings = proposed["feeds"]["transactions"]
    assert [each["files"] for each in mappings] == ["a/orders.csv", "b/orders.csv"]


def test_files_that_are_alike_have_one_mapping(tmp_path, monkeypatch, capsys):
    for month in ("2026-04", "2026-05", "2026-11"):
        (tmp_path / f"orders-{month}.csv").write_text(ORDERS)
    (tmp_path / "members.csv").write_text("会员卡号,姓名\nM1,Anna\n")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    proposed = proposed_for(monkeypatch, capsys, tmp_path)
    feeds = yaml.safe_load(proposed)["feeds"]
    assert feeds["transactions"]["files"] == "orders*.csv"
    assert "# 6 rows of 3 files looked at" in proposed
    assert feeds["customers"]["files"] == "members.csv"
    assert f"# {tmp_path / 'broken.xlsx'}: is no workbook" in proposed


def test_rows_without_an_id_are_numbered_and_totals_left_out(
    project, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "sales.csv"
    rows = "C1,2026-05-01,10,0.25\nC1,2026-05-02,20,0\n合计,,30,\n"
    file.write_text(f"id,订单日期,金额RMB,Discount\n{rows}", encoding="utf-8")
    proposed = proposed_for(monkeypatch, capsys, file)
    assert "# No header is known for an id: each row is a transaction" in proposed
    assert "# Discount holds shares between 0 and 1, no amounts" in proposed
    mapping = yaml.safe_load(proposed)["feeds"]["transactions"]
    assert mapping["trailer_rows"] == 1
    # An id that comes twice is not that of the row.
    assert mapping["columns"] == {
        "transaction_id": {"expr": "file_name() || ':' || row_number()"},
        "occurred_at": "订单日期",
        "amount": "金额RMB",
    }
    head = check_takes(project, "transactions", file, proposed)
    assert (head["n_loaded"], head["n_skipped"], head["n_rejected"]) == (2, 1, 0)


def test_words_that_a_closed_list_does_not_know_are_told_of(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "orders.csv"
    file.write_text(
        f"{ORDERS}".replace("AmountTotal", "status").replace(",10", ",Done")
    )
    proposed = proposed_for(monkeypatch, capsys, file)
    assert "# status takes paid, pending, cancelled, test only" in proposed
    assert "Done" not in proposed


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, (), "there is no such file"),
        (b"", (), "holds nothing"),
        (b"SQLite format 3\0" + b"\0" * 84, (), "name it under 'databases'"),
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
