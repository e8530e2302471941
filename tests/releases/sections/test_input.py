"""What came in, and what words mean."""

from project.settings import Settings
from releases.sections.input import definitions, quality


def test_reasons_come_by_rows_with_the_feeds_that_have_most(figures, insert):
    for feed, reason, n_rows in (
        ("calls", "not_a_date", 2),
        ("bills", "not_a_date", 2),
        ("tickets", "not_a_date", 3),
        ("orders", "not_a_date", 1),
        ("bills", "no_exchange_rate", 2),
    ):
        for line in range(n_rows):
            insert(
                "rejected_rows", {"feed": feed, "reason_code": reason, "line_no": line}
            )
    (side,) = [block for block in quality(figures, []).blocks if block.kind == "side"]
    (reasons,) = side.blocks
    assert [[cell.text.zh for cell in row] for row in reasons.rows] == [
        ["不是日期或时间", "8", "80.0 %", "tickets 3, bills 2, calls 2"],
        ["缺少汇率", "2", "20.0 %", "bills 2"],
    ]


def test_what_came_is_told_apart(figures, insert):
    came = {"n_files": 2, "n_read": 9, "n_corrected": 1, "n_duplicate": 3}
    came |= {"n_replaced": 4, "n_rejected": 0, "stated_until_date": "2026-05-31"}
    insert("feed_arrivals", {"feed": "calls", "n_late": 2, **came})
    insert("feed_arrivals", {"feed": "staff", "n_late": None, **came})
    folds = [block for block in quality(figures, []).blocks if block.kind == "fold"]
    (made,) = folds[0].blocks
    assert [[cell.text.en for cell in row] for row in made.rows] == [
        ["calls", "2", "9", "2", "1", "3", "4", "0"],
        ["staff", "2", "9", "–", "1", "3", "4", "0"],
    ]
    assert "dated 2026-05-31 or earlier" in made.note.en


def test_checks_that_failed_stand_before_the_fold(figures, insert):
    for name, passed in (("good", True), ("bad", False), ("bad", True)):
        insert("quality_results", {"table_name": name, "passed": passed})
    blocks = quality(figures, []).blocks
    assert "3 checks on 2 tables, 1 failed" in blocks[0].text.en
    assert [row[0].text.en for row in blocks[1].rows] == ["bad"]
    (fold,) = [block for block in blocks if block.kind == "fold"]
    assert [row[0].text.en for row in fold.blocks[0].rows] == ["bad", "good"]


def test_only_parameters_that_were_changed_are_listed(figures, insert):
    for name, value, default in (
        ("same", "1", "1"),
        ("changed", "2", "1"),
        ("open", None, "1"),
        ("set", "1", None),
    ):
        insert(
            "parameters",
            {
                "owner": "t",
                "name": name,
                "value": value,
                "default_value": default,
                "about_en": "A",
                "about_zh": "甲",
            },
        )
    section = definitions(figures, Settings(name="shop", currency="CNY"))
    (changed,) = [block for block in section.blocks if block.kind == "table"]
    assert [row[0].text.en for row in changed.rows] == ["t.changed"]
    release = dict(section.blocks[-1].terms)
    assert {name.en: text.en for name, text in release.items()}["Currency"] == "CNY"
