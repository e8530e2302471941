"""What a project adds: read strictly, in force for the project that is open."""

from pathlib import Path

import pytest

from project.errors import ConfigurationError
from project.folder import open_project
from project.own import NOTHING, in_force, kept_by_project
from sql.contracts import feeds

FEED = """\
grain: an answer
key: [answer_id]
date: answered_at
columns:
  answer_id: {type: text, required: true}
  customer_id: {type: text, required: true}
  answered_at: {type: timestamp, required: true}
  score: {type: integer, values: [0, 1, 2]}
  day: {type: date}
  shop: {type: text}
"""


def project_with(folder: Path, settings: str = "", **files: str):
    (folder / "fenji.yaml").write_text(f"name: a\n{settings}", encoding="utf-8")
    (folder / "feeds").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "feeds" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return open_project(folder)


def complaint(folder: Path, settings: str = "", **files: str) -> str:
    """The line that refuses a project, from its folder on."""

    def open_it() -> None:
        project_with(folder, settings, **files)
        feeds()

    with pytest.raises(ConfigurationError) as caught:
        open_it()
    said = str(caught.value)
    assert "\n" not in said
    return said.removeprefix(f"{folder.resolve()}/")


def attribute(written: str, feed: str = "customers") -> str:
    return f"attributes:\n  {feed}:\n    {written}\n"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            attribute("level: {type: choise}"),
            (
                "fenji.yaml:4: attributes.customers.level.type: is not a type of a"
                " column; did you mean 'choice'? (given: 'choise')"
            ),
        ),
        (
            attribute("level: {type: number}"),
            (
                "fenji.yaml:4: attributes.customers.level.type: is not a type of a"
                " column; known: amount, boolean, choice,"
            ),
        ),
        (
            attribute("level: {type: text, persnal: true}"),
            (
                "fenji.yaml:4: attributes.customers.level.persnal: unknown field; did"
                " you mean 'personal'?"
            ),
        ),
        (
            attribute("level: {type: text, values: [a]}"),
            (
                "fenji.yaml:4: attributes.customers.level: 'values' are for the types"
                " choice and integer"
            ),
        ),
        (
            attribute("level: {type: text, planned: true}"),
            "fenji.yaml:4: attributes.customers.level: 'planned' is for the types",
        ),
        (
            attribute("level: {type: amount, segment: true}"),
            (
                "fenji.yaml:4: attributes.customers.level: 'segment' is for the types"
                " text, choice, boolean, and for an integer with 'values'"
            ),
        ),
        (
            attribute("level: {type: integer, segment: true}"),
            "fenji.yaml:4: attributes.customers.level: 'segment' is for the types",
        ),
        (
            attribute("level: {type: text, segment: true}", feed="tickets"),
            (
                "fenji.yaml:4: attributes.tickets.level.segment: customers are counted"
                " by attributes of the feed 'customers' only"
            ),
        ),
        (
            attribute("level: {type: choice, values: [Flagship]}"),
            "write 'flagship' instead of 'Flagship'",
        ),
        (
            attribute("level: {type: integer, values: [1, one]}"),
            "'one' is no whole number",
        ),
        (
            attribute("Level: {type: text}"),
            "fenji.yaml:4: attributes.customers.Level",
        ),
        (
            attribute("seen: {type: timestamp}"),
            "fenji.yaml:4: attributes.customers.seen: the name of a time ends in _at",
        ),
        (
            attribute("level: {type: text}", feed="customer"),
            (
                "fenji.yaml:3: attributes.customer: is not a feed of Fenji; did you"
                " mean 'customers'?"
            ),
        ),
        (
            attribute("city: {type: text}"),
            "fenji.yaml:4: attributes.customers.city: there is a column 'city' already",
        ),
        (attribute("registered_date: {type: date}"), "a column 'registered_date'"),
        (attribute("age_band: {type: text}"), "a column 'age_band' already"),
        (attribute("recency_days: {type: integer}"), "a column 'recency_days' already"),
        (
            attribute("order: {type: integer}"),
            "fenji.yaml:4: attributes.customers.order: is a word of SQL; take another",
        ),
        (attribute("if: {type: boolean}"), "customers.if: is a word of SQL"),
        (attribute("as_of_date: {type: date}"), "a column 'as_of_date' already"),
        (
            attribute("x_date: {type: date}\n    x_at: {type: timestamp}"),
            (
                "fenji.yaml:5: attributes.customers.x_at: there is a column 'x_date',"
                " the day of 'x_at', already; take another name"
            ),
        ),
        (attribute("opened_date: {type: date}", feed="tickets"), "'opened_date'"),
    ],
)
def test_a_wrong_attribute_is_one_line(tmp_path, settings, says):
    assert says in complaint(tmp_path, settings)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("grain: an", "grains: an"), "feeds/nps.yaml:1: grains: unknown field; did"),
        (
            ("key: [answer_id]", "key: [answr_id]"),
            (
                "feeds/nps.yaml:2: key.0: 'answr_id' is not a column of the feed; did"
                " you mean 'answer_id'"
            ),
        ),
        (
            ("key: [answer_id]", "key: [shop]"),
            "feeds/nps.yaml:10: columns.shop: belongs to the key: add 'required: true'",
        ),
        (
            ("date: answered_at", "date: answered"),
            (
                "feeds/nps.yaml:3: date: 'answered' is not a column of the feed; did"
                " you mean 'answered_at'"
            ),
        ),
        (
            ("date: answered_at", "date: score"),
            (
                "feeds/nps.yaml:8: columns.score.type: dates a row, so that it must be"
                " a date or a timestamp"
            ),
        ),
        (
            ("date: answered_at", "customer: nobody"),
            "feeds/nps.yaml:3: customer: 'nobody' is not a column of the feed",
        ),
        (
            ("date: answered_at", "customer: score"),
            (
                "feeds/nps.yaml:8: columns.score.type: names the customer, so that it"
                " must be a text"
            ),
        ),
        (
            ("shop: {type: text}", "answered_date: {type: date}"),
            (
                "feeds/nps.yaml:10: columns.answered_date: there is a column"
                " 'answered_date' already"
            ),
        ),
        (
            ("shop: {type: text}", "shop: {type: txt}"),
            (
                "feeds/nps.yaml:10: columns.shop.type: is not a type of a column; did"
                " you mean 'text'?"
            ),
        ),
    ],
)
def test_a_wrong_feed_is_one_line(tmp_path, change, says):
    assert says in complaint(tmp_path, nps=FEED.replace(*change))


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ("{measure: mean, of: score}", "metrics.m.measure: "),
        ("{measure: sum}", "metrics.m: 'sum' needs 'of', the column it is of"),
        ("{measure: count, of: score}", "metrics.m: a count is of rows; leave 'of'"),
        (
            "{measure: sum, of: scor}",
            (
                "feeds/nps.yaml:12: metrics.m.of: 'scor' is not a column of the feed;"
                " did you mean 'score'?"
            ),
        ),
        ("{measure: average, of: shop}", "metrics.m.of: the average is of a number"),
        ("{measure: latest, of: answered_at}", "schemes read days, not times"),
        ("{measure: count, by: [shops]}", "metrics.m.by.0: 'shops' is not a column"),
        ("{measure: count, by: [score]}", "columns.score.type: picks rows, so that"),
    ],
)
def test_a_wrong_metric_is_one_line(tmp_path, metric, says):
    text = f"{FEED}metrics:\n  m: {metric}\n"
    assert says in complaint(tmp_path, nps=text)


def test_a_metric_needs_a_customer_and_the_latest_a_date(tmp_path):
    metric = "metrics:\n  m: {measure: latest, of: score}\n"
    undated = FEED.replace("date: answered_at\n", "") + metric
    assert "the latest is told by 'date:'" in complaint(tmp_path, nps=undated)
    of_nobody = FEED.replace("customer_id", "member") + metric
    said = complaint(tmp_path, nps=of_nobody)
    assert "metrics.m: is about customers: name their column by 'customer:'" in said


@pytest.mark.parametrize("name", ["tickets", "files", "customer_rows", "daily_rates"])
def test_the_name_of_a_table_of_fenji_is_refused(tmp_path, name):
    said = complaint(tmp_path, **{name: FEED})
    assert said.startswith(f"feeds/{name}.yaml: Fenji has a table '{name}' already")


def test_a_feed_may_not_be_called_by_a_word_of_sql(tmp_path):
    said = complaint(tmp_path, order=FEED)
    assert said == "feeds/order.yaml: is a word of SQL; name the file otherwise"


def test_a_file_that_would_not_be_read_is_refused(tmp_path):
    project_with(tmp_path)
    (tmp_path / "feeds" / "nps.yml").write_text(FEED)
    assert complaint(tmp_path) == "feeds/nps.yml: rename it to nps.yaml"
    (tmp_path / "feeds" / "nps.yml").rename(tmp_path / "feeds" / "My NPS.yaml")
    assert "feeds/My NPS.yaml: the name of the file is that of the feed" in complaint(
        tmp_path
    )


def test_an_attribute_of_an_own_feed_stands_in_its_file(tmp_path):
    said = complaint(tmp_path, attribute("x: {type: text}", feed="nps"), nps=FEED)
    assert said.startswith("fenji.yaml:3: attributes.nps: is an own feed: write its")


def test_what_a_project_adds_is_in_force_until_another_is_opened(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = project_with(tmp_path / "one", nps=FEED)
    assert in_force() == one.own
    assert "nps" in feeds()
    two = project_with(tmp_path / "two")
    assert two.own == NOTHING
    assert "nps" not in feeds()


def test_the_digest_follows_what_is_added(tmp_path):
    digests = [
        project_with(tmp_path, settings, nps=FEED.replace(*change)).own.digest
        for settings, change in (
            ("", ("", "")),
            ("# a comment\n", ("", "")),
            ("", ("type: date", "type: month")),
            (attribute("level: {type: text}"), ("", "")),
        )
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_what_is_worked_out_is_kept_for_each_project(tmp_path):
    made = []

    @kept_by_project
    def make(name: str) -> str:
        made.append(name)
        return f"{name} {in_force().digest[:4]}"

    assert make("a") == make("a")
    project = project_with(tmp_path, attribute("level: {type: text}"))
    assert make("a") == f"a {project.own.digest[:4]}"
    assert made == ["a", "a"]
