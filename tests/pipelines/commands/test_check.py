"""`fenji check` tells what a run would do, and with which exit status it ends."""

import json

import pytest

from pipelines.commands.check import check
from project.errors import ConfigurationError, RunError
from project.folder import open_project

GOOD = "transaction_id,customer_id,occurred_at,amount\nA,1,2026-05-01,10\n"
BAD = "transaction_id,customer_id,occurred_at,amount\nA,1,2026-05-01,ten\n"


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\n")
    (tmp_path / "landing/transactions").mkdir(parents=True)
    return tmp_path


def land(shop, name, text):
    path = shop / "landing/transactions" / name
    path.write_text(text)
    return path


def told(shop, capsys, *files, feed=None, as_json=False):
    check(open_project(shop), feed, list(files), personal=False, as_json=as_json)
    return capsys.readouterr().out


def test_good_files_are_shown_with_their_first_rows(shop, capsys):
    for number in range(8):
        land(shop, f"{number}.csv", GOOD.replace("A,", f"A{number},"))

    said = told(shop, capsys)

    assert "landing/transactions/0.csv" in said
    assert "… and 3 more" in said
    assert "10.00" in said
    assert max(map(len, said.splitlines())) <= 80
    assert not (shop / "data").exists()


def test_what_is_counted_is_read_whole_in_a_pipe(shop, capsys):
    (shop / "fenji.yaml").write_text(
        "name: shop\nfeeds: {transactions: {columns: {amount: amount}}}\n"
    )
    name = "northwind/OrderDetail/a folder with a long name/whole.csv"
    (shop / "landing/transactions" / name).parent.mkdir(parents=True)
    rows = "".join(f"A{number},1,2026-05-01,10\n" for number in range(1200))
    land(shop, name, f"{GOOD}{rows}B,1,2026-05-01,ten\n")

    lines = told(shop, capsys).splitlines()

    # No column of zeros, and nothing that is broken: a part of a number is another.
    heading = next(line for line in lines if line.startswith("transactions"))
    assert heading.split() == ["transactions", "read", "loaded", "rejected"]
    at = lines.index(f"  landing/transactions/{name}")
    assert lines[at + 1].split() == ["feeds.transactions", "1,202", "1,201", "1"]
    assert f"First rows of landing/transactions/{name}" in "\n".join(lines)
    assert "  1  not_a_number: no decimal number" in lines
    assert f"     first landing/transactions/{name}:1202 amount" in lines


def test_some_rejected_rows_are_told_and_no_failure(shop, capsys):
    land(shop, "a.csv", GOOD + "B,1,2026-05-01,ten\n")

    said = told(shop, capsys)

    assert "not_a_number" in said
    assert "landing/transactions/a.csv:2 amount" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BAD, "a.csv:1 amount: every row that was looked at would be rejected"),
        ("a,b\n1,2\n", "a.csv: would be refused: no column for transaction_id"),
    ],
)
def test_what_a_run_could_not_use_ends_with_status_1(shop, capsys, text, says):
    land(shop, "a.csv", text)

    with pytest.raises(RunError) as caught:
        told(shop, capsys)

    assert says in str(caught.value)


def test_wrong_settings_end_with_status_2_before_any_file(shop, capsys):
    (shop / "fenji.yaml").write_text("name: shop\nschemes: {only: [rfm8]}\n")

    with pytest.raises(ConfigurationError, match=r"did you mean 'rfm_8'"):
        told(shop, capsys)


def test_single_files_and_feeds_are_chosen(shop, capsys):
    chosen = land(shop, "a.csv", GOOD)
    land(shop, "b.csv", BAD)

    found = json.loads(told(shop, capsys, chosen, as_json=True))

    assert found["status"] == "good"
    assert [file["file"] for file in found["files"]] == ["landing/transactions/a.csv"]
    assert "No files" in told(shop, capsys, feed="calls")
    with pytest.raises(ConfigurationError, match="did you mean 'calls'"):
        told(shop, capsys, feed="cals")
    with pytest.raises(ConfigurationError, match="is not a file of"):
        told(shop, capsys, shop / "fenji.yaml")


PEOPLE = "customer_id,phone,city\nA,13800138000,\n"
KNOWN = "customer_id,id_kind,id_value\nA,card,k1\nA,open_id,o1\nA,13900139000,x\n"


def test_what_a_rule_compares_and_nobody_has_is_told(shop, capsys):
    (shop / "fenji.yaml").write_text(
        "name: shop\nidentity: {rules: [{same: card}, {same: openid},"
        " {same: [phone, city]}, {same: email}]}\n"
    )
    for feed, content in (("customers", PEOPLE), ("identities", KNOWN)):
        (shop / "landing" / feed).mkdir()
        (shop / "landing" / feed / "a.csv").write_text(content)

    said = told(shop, capsys)

    lines = [line for line in said.splitlines() if line.startswith("identity:")]
    assert [line.split("'")[1] for line in lines] == ["openid", "city", "email"]
    assert all(line.endswith("kinds there are: card, open_id") for line in lines)
    assert "1390" not in said
    found = json.loads(told(shop, capsys, as_json=True))
    assert found["identity_without_values"] == ["openid", "city", "email"]


def test_where_all_that_rules_compare_is_there_nothing_is_told(shop, capsys):
    (shop / "fenji.yaml").write_text(
        "name: shop\nidentity: {rules: [{same: card}, {same: phone}]}\n"
    )
    for feed, content in (("customers", PEOPLE), ("identities", KNOWN)):
        (shop / "landing" / feed).mkdir()
        (shop / "landing" / feed / "a.csv").write_text(content)
    assert "identity:" not in told(shop, capsys)
    # Of some of the files alone nothing can be said.
    (shop / "fenji.yaml").write_text(
        "name: shop\nidentity: {rules: [{same: openid}]}\n"
    )
    assert "identity:" in told(shop, capsys)
    assert "identity:" not in told(shop, capsys, feed="customers")


LISTED = "transaction_id,customer_id,occurred_at,amount,status\n"


def test_words_that_a_closed_list_does_not_have_are_named(shop, capsys):
    words = (
        ["已发货"] * 3
        + ["Void "] * 2
        + ["paid"] * 4
        + ["Anna Muster", "x" * 30, "x" * 30]
    )
    rows = [f"T{n},1,2026-05-01,10,{word}\n" for n, word in enumerate(words)]
    land(shop, "a.csv", LISTED + "".join(rows))

    said = told(shop, capsys)

    assert "not_in_list: not on the column's closed list" in said
    assert "     takes paid, pending, cancelled, test\n" in said
    # A word of one row may have slipped there: a name, for example.
    assert "     found 已发货 (3), void (2), others that are not shown (3)\n" in said
    assert "say under 'words' what each means: {status: {已付款: paid}}" in said
    assert "Anna" not in said
    assert "xxx" not in said
    (found,) = json.loads(told(shop, capsys, as_json=True))["closed_lists"]
    assert found["allowed"] == ["paid", "pending", "cancelled", "test"]
    assert found["found"] == [["已发货", 3], ["void", 2]]
    check(open_project(shop), None, [], personal=True, as_json=False)
    said = capsys.readouterr().out
    assert "anna muster (1), others that are not shown (2)" in said


def test_a_list_of_many_words_shows_none(shop, capsys):
    for n_words, shown in ((12, True), (13, False)):
        words = [f"word {n}" for n in range(n_words)] * 2
        rows = [f"T{n},1,2026-05-01,10,{word}\n" for n, word in enumerate(words)]
        land(shop, "a.csv", LISTED + f"A,1,2026-05-01,10,paid\n{''.join(rows)}")
        said = told(shop, capsys)
        assert ("word 3 (2)" in said) == shown
        assert ("found others that are not shown (26)" in said) != shown


def test_words_of_expressions_are_named_as_they_come_out(shop, capsys):
    (shop / "fenji.yaml").write_text(
        "name: shop\nfeeds: {transactions: {columns:"
        " {status: {expr: \"'is ' || status\"}}}}\n"
    )
    rows = "".join(f"T{n},1,2026-05-01,10,ok\n" for n in range(2))
    land(shop, "a.csv", LISTED + rows)
    with pytest.raises(RunError):
        told(shop, capsys)
    assert "found is ok (2)\n" in capsys.readouterr().out
