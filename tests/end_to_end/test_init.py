"""`fenji init`: a folder that can be filled and run as it is."""

import pytest
import yaml

from tests.end_to_end.conftest import Company

HEADER = ("transaction_id", "occurred_at", "customer_id", "amount")


def line(number, amount):
    values = (f"T{number}", f"2026-05-{number:02}", "C1", str(amount))
    return dict(zip(HEADER, values, strict=True))


def test_a_supermarket_begins_with_one_file_of_transactions(tmp_path):
    company = Company(tmp_path / "商店")
    made = company.call("init", "--preset", "supermarket", "--json").expect(0).json
    assert made["preset"] == "supermarket"
    assert {"customers", "transactions"} <= set(made["feeds"])
    folders = {path.name for path in (company.root / "landing").iterdir()}
    assert folders == set(made["feeds"])
    # Nobody of a supermarket has balances or stays.
    assert "balances" not in folders

    company.land_rows(
        "transactions/may.csv", HEADER, [line(day, 500) for day in range(1, 4)]
    )
    company.run("2026-05-31").expect(0)
    with company.release() as release:
        tiers = release.by_key("select scheme, tier from customer_tiers")
        assert tiers["annual_points"] == "B"
        assert "hotel_guest" not in tiers
        (reason,) = release.one(
            "select not_applicable_reason from schemes where scheme = 'hotel_guest'"
        )
        assert reason == "switched off in fenji.yaml"


def test_what_stands_in_comments_is_right_once_it_is_taken_out(tmp_path):
    company = Company(tmp_path / "shop")
    company.call("init").expect(0)
    file = company.root / "fenji.yaml"
    text = file.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == {"name": "shop", "timezone": "UTC"}
    mapping = text[text.index("# feeds:") :].replace("\n# ", "\n")[2:]
    file.write_text(f"name: shop\n{mapping}", encoding="utf-8")
    company.land(
        "transactions/a.csv",
        "订单号,下单时间,客户编号,数量,单价\nT1,2026/05/01,C1,2,3.50\n",
    )
    company.run("2026-05-31").expect(0)
    with company.release() as release:
        assert release.one("select spend_amount::varchar from customer_metrics") == (
            "7.00",
        )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "fenji.yaml: is there already; name another folder"),
        (
            ("--preset", "bnak"),
            "--preset: there is no preset 'bnak'; did you mean 'bank'",
        ),
    ],
)
def test_it_refuses_in_one_line_and_changes_nothing(company, arguments, says):
    company.settings("name: mine\n")
    refused = company.call("init", *arguments).expect(2)
    assert says in refused.one_line()
    assert [path.name for path in company.root.iterdir()] == ["fenji.yaml"]
    text = (company.root / "fenji.yaml").read_text(encoding="utf-8")
    assert text == "name: mine\n"
