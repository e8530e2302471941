"""The tag dictionary, and the tags that rules and values give."""

import datetime

import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import PrivacySettings, Settings
from schemes.language.digests import tags_digest
from schemes.language.tags import read_tags
from schemes.plan import Execution
from sql.contracts import contract
from sql.selects import create, select_of
from tests.schemes.conftest import AS_OF

ACTIVE = contract("marts", "active_tags")
NEW_GROUP = """
groups:
  - {{group: places, name: {{en: X, zh: X}}, is_exclusive: true, values: {}}}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "schemes").mkdir()
    return Project(root=tmp_path, settings=Settings(name="test"))


def write_tags(project, text):
    project.schemes.mkdir(exist_ok=True)
    (project.schemes / "tags.yaml").write_text(text, encoding="utf-8")


def group_of(dictionary, name):
    (found,) = (group for group in dictionary.groups if group.group == name)
    return found


def refused(project, text):
    write_tags(project, text)
    with pytest.raises(ConfigurationError) as error:
        read_tags(project)
    message = str(error.value)
    assert "\n" not in message
    return message


# The dictionary.


def test_the_library_has_the_groups_of_the_domain(project):
    groups = {group.group: group.is_exclusive for group in read_tags(project).groups}

    assert groups == {
        "behaviour": False,
        "buying": True,
        "order_amount_band": True,
        "last_order_band": True,
        "top_category": True,
        "region": True,
        "source": True,
        "age_band": True,
        "gender": True,
        "education": True,
        "occupation": True,
        "hobby": True,
        "income_class": True,
        "industry": True,
        "channel": False,
    }


def test_codes_names_and_synonyms_stand_for_a_tag(project):
    (tag,) = (tag for tag in read_tags(project).tags if tag.tag == "first_order")

    assert {"first_order", "first order", "首单", "客户首单", "客户已下单"} <= set(
        tag.terms
    )


def test_a_project_adds_synonyms_tags_and_groups(project):
    library = tags_digest(project)
    write_tags(
        project,
        """
        groups:
          - group: buying
            tags:
              - {tag: first_order, synonyms: [Erstkauf]}
              - tag: big_order
                name: {en: Big order, zh: 大单}
                when: spend('ever') >= 1000
                valid_days: 30
          - group: mood
            name: {en: Mood, zh: 心情}
            is_exclusive: false
            tags: [{tag: happy, name: {en: Happy, zh: 高兴}}]
        """,
    )

    made = read_tags(project)

    buying = group_of(made, "buying")
    assert buying.is_exclusive
    assert [tag.tag for tag in buying.tags] == [
        "no_order",
        "first_order",
        "repeat_order",
        "big_order",
    ]
    assert "erstkauf" in buying.tags[1].terms
    assert "客户首单" in buying.tags[1].terms
    assert buying.tags[1].rule.when == "orders('ever') = 1"
    assert buying.tags[3].valid_days == 30
    assert not group_of(made, "mood").is_exclusive
    assert tags_digest(project) != library


def test_a_project_changes_a_rule_a_name_and_a_group(project):
    write_tags(
        project,
        """
        groups:
          - group: buying
            name: {en: Purchases, zh: 采购}
            is_exclusive: false
            tags:
              - tag: repeat_order
                name: {en: Loyal, zh: 老客}
                when: orders('ever') >= 5
        """,
    )

    buying = group_of(read_tags(project), "buying")

    assert buying.name.en == "Purchases"
    assert not buying.is_exclusive
    assert buying.tags[2].rule.when == "orders('ever') >= 5"
    assert buying.tags[2].name.en == "Loyal"
    # What the library said before is no term any more; its synonyms are.
    assert "repeat orders" not in buying.tags[2].terms
    assert "回头客" in buying.tags[2].terms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "groups: [{group: buying, tags: [{tag: first_order, synonym: [x]}]}]",
            "unknown field; did you mean 'synonyms'",
        ),
        ("groups: [{group: mood, is_exclusive: true}]", "a new group needs 'name'"),
        (
            "groups: [{group: mood, name: {en: Mood, zh: 心情}}]",
            "a new group needs 'is_exclusive'",
        ),
        (
            "groups: [{group: buying, tags: [{tag: happy}]}]",
            "groups.0.tags.0.name: a new tag needs 'name'",
        ),
        (
            "groups: [{group: behaviour, tags: [{tag: no_order}]}]",
            "'no_order' is a tag of the group 'buying' already",
        ),
        (
            "groups: [{group: buying, tags: [{tag: no_order, synonyms: [首单]}]}]",
            "'首单' stands for the tags 'no_order' and 'first_order'",
        ),
        (
            "groups: [{group: buying, tags: [{tag: VIP客户, name: {en: a, zh: b}}]}]",
            "is not a name",
        ),
        (
            "groups: [{group: buying, tags: [{tag: no_order, valid_days: 0}]}]",
            "valid_days",
        ),
        (
            NEW_GROUP.format("customer.region"),
            "there is no table 'customer' of values; did you mean 'customers'",
        ),
        (
            NEW_GROUP.format("customers.sex"),
            "'customers' has no column 'sex' of words",
        ),
        (
            NEW_GROUP.format("customers.city"),
            "'city' is personal",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(project, text, said):
    message = refused(project, text)

    assert said in message
    assert "tags.yaml" in message


def test_personal_columns_may_be_tags_where_the_settings_publish_them(tmp_path):
    project = Project(
        root=tmp_path,
        settings=Settings(name="test", privacy=PrivacySettings(publish=("city",))),
    )
    write_tags(project, NEW_GROUP.format("customers.city"))

    assert group_of(read_tags(project), "places").values == "customers.city"


# The rules and values, on a company.


def tagged(graded):
    """Make the tables of tags as a run does; (customer, group) → tags in order."""
    con = graded.con
    params = {
        "as_of_date": graded.rows("select any_value(as_of_date) from customer_metrics")[
            0
        ][0]
    }
    for name in ("consumption_hotspots", "customers"):
        table = contract("marts", name)
        own = {name: value.default for name, value in table.parameters.items()}
        create(con, ("marts", name), select_of(table), {**params, **own})
    execution = Execution(graded.plan, con, params)
    execution.tags()
    create(con, ("marts", "active_tags"), select_of(ACTIVE), params)
    execution.tag_values()
    # The views of a release read what it stores in a schema of that name.
    for stored in ("active_tags", "customer_tag_values"):
        con.execute(f"create view storage.{stored} as from marts.{stored}")
    con.execute(f"create view customer_tags as {graded.plan.views['customer_tags']}")
    found = {}
    for customer, group, tag in graded.rows(
        "select customer_id, tag_group, tag from customer_tags order by all"
    ):
        found.setdefault((customer, group), []).append(tag)
    return found


def order(number, customer, day="2026-05-01", **more):
    return {
        "transaction_id": f"{customer}{number}",
        "customer_id": customer,
        "occurred_at": f"{day} 12:00:00",
        "amount": 10,
        **more,
    }


def test_buying_at_its_bounds(grade):
    found = tagged(
        grade(
            {
                "customers": [{"customer_id": "none"}],
                "transactions": [
                    order(1, "once"),
                    order(1, "twice"),
                    order(2, "twice"),
                    {**order(1, "back"), "amount": -5},
                ],
            }
        )
    )

    assert found["none", "buying"] == ["no_order"]
    assert found["back", "buying"] == ["no_order"]
    assert found["once", "buying"] == ["first_order"]
    assert found["twice", "buying"] == ["repeat_order"]


AMOUNTS = {
    "0.01": "order_tiny",
    "99.99": "order_tiny",
    "100.00": "order_small",
    "100.01": "order_small",
    "499.99": "order_small",
    "500.00": "order_medium",
    "500.01": "order_medium",
    "999.99": "order_medium",
    "1000.00": "order_large",
    "1000.01": "order_large",
    "4999.99": "order_large",
    "5000.00": "order_huge",
    "5000.01": "order_huge",
}


def test_the_amount_of_the_latest_order_at_its_bounds(grade):
    found = tagged(
        grade(
            {
                "customers": [{"customer_id": "none"}],
                "transactions": [
                    {**order(1, amount), "amount": amount} for amount in AMOUNTS
                ],
            }
        )
    )

    given = {amount: found[amount, "order_amount_band"] for amount in AMOUNTS}
    assert given == {amount: [tag] for amount, tag in AMOUNTS.items()}
    assert ("none", "order_amount_band") not in found


def test_which_order_is_the_latest(grade):
    found = tagged(
        grade(
            {
                "transactions": [
                    # The later day counts, not the greater amount.
                    {**order(1, "later", "2026-05-01"), "amount": 5000},
                    {**order(2, "later", "2026-05-02"), "amount": 99},
                    # Of one day the greater id.
                    {**order(1, "one_day"), "amount": 99},
                    {**order(2, "one_day"), "amount": 500},
                    # An order wholly given back is none; one partly given back is
                    # worth what is left of it.
                    {**order(1, "back", "2026-05-01"), "amount": 500},
                    {**order(2, "back", "2026-05-02"), "amount": 99},
                    {
                        **order(3, "back", "2026-05-03"),
                        "amount": -99,
                        "original_transaction_id": "back2",
                    },
                    {**order(1, "partly", "2026-05-01"), "amount": 100},
                    {
                        **order(2, "partly", "2026-05-03"),
                        "amount": -1,
                        "original_transaction_id": "partly1",
                    },
                ],
            }
        )
    )

    assert found["later", "order_amount_band"] == ["order_tiny"]
    assert found["one_day", "order_amount_band"] == ["order_medium"]
    assert found["back", "order_amount_band"] == ["order_medium"]
    assert found["partly", "order_amount_band"] == ["order_tiny"]


# Days before the as-of date, 2026-05-31 → tag.
DAYS = {
    0: "ordered_within_30_days",
    29: "ordered_within_30_days",
    30: "ordered_within_30_days",
    31: "ordered_within_90_days",
    89: "ordered_within_90_days",
    90: "ordered_within_90_days",
    91: "ordered_within_180_days",
    180: "ordered_within_180_days",
    181: "ordered_within_365_days",
    365: "ordered_within_365_days",
    366: "ordered_earlier",
    2000: "ordered_earlier",
}


def test_the_time_of_the_latest_order_at_its_bounds(grade):
    def ago(days):
        return str(AS_OF - datetime.timedelta(days=days))

    found = tagged(
        grade(
            {
                "customers": [{"customer_id": "none"}],
                "transactions": [
                    # An order long before the latest changes nothing.
                    order(number, str(days), day)
                    for days in DAYS
                    for number, day in enumerate([ago(days), "2019-01-01"])
                ],
            }
        )
    )

    given = {days: found[str(days), "last_order_band"] for days in DAYS}
    assert given == {days: [tag] for days, tag in DAYS.items()}
    assert ("none", "last_order_band") not in found


def test_a_project_moves_a_bound_of_a_band(grade, tmp_path):
    write_tags(
        Project(root=tmp_path, settings=Settings(name="test")),
        """
        groups:
          - group: order_amount_band
            tags: [{tag: order_tiny, when: last_order_amount < 50}]
        """,
    )

    found = tagged(
        grade(
            {
                "transactions": [
                    {**order(1, "below"), "amount": "49.99"},
                    {**order(1, "at"), "amount": "50.00"},
                ]
            }
        )
    )

    assert found["below", "order_amount_band"] == ["order_tiny"]
    assert found["at", "order_amount_band"] == ["order_small"]


def test_behaviour_by_the_kind_of_contact(grade):
    def contact(number, customer, kind):
        return {
            "interaction_id": str(number),
            "customer_id": customer,
            "occurred_at": "2020-01-01 12:00:00",
            "kind": kind,
        }

    found = tagged(
        grade(
            {
                "interactions": [
                    contact(1, "A", "form"),
                    contact(2, "A", "form"),
                    contact(3, "A", "article"),
                    contact(4, "B", "event"),
                    contact(5, "C", "call"),
                ]
            }
        )
    )

    assert found["A", "behaviour"] == ["article_read", "form_filled"]
    assert found["B", "behaviour"] == ["event_joined"]
    assert ("C", "behaviour") not in found
    # Without transactions nobody knows who has bought: no rule of the group runs.
    assert [group for _, group in found if group == "buying"] == []


def test_tags_that_are_values(grade):
    found = tagged(
        grade(
            {
                "customers": [
                    {
                        "customer_id": "A",
                        "region": " O'Neill; drop table x ",
                        "industry": "steel",
                        "source_channel": "fair",
                        "birth_date": "1996-05-31",
                        "gender": "女",
                        "education": "master",
                        "occupation": "nurse",
                        "hobby": "chess",
                        "income_class": "middle",
                    },
                    {"customer_id": "B", "region": " ", "birth_date": "1996-06-01"},
                ],
                "transactions": [
                    order(1, "A", channel="shop", category="tea"),
                    order(2, "A", channel="web", category="books"),
                    order(3, "A", channel="web", category="books"),
                    order(4, "A", channel=None, category=None),
                ],
            }
        )
    )

    assert found["A", "region"] == ["O'Neill; drop table x"]
    assert found["A", "industry"] == ["steel"]
    assert found["A", "source"] == ["fair"]
    assert found["A", "gender"] == ["女"]
    assert found["A", "education"] == ["master"]
    assert found["A", "occupation"] == ["nurse"]
    assert found["A", "hobby"] == ["chess"]
    assert found["A", "income_class"] == ["middle"]
    assert ("B", "gender") not in found
    # 30 on the as-of date; B is 30 the day after.
    assert found["A", "age_band"] == ["30-39"]
    assert found["B", "age_band"] == ["20-29"]
    assert ("B", "region") not in found
    assert found["A", "channel"] == ["shop", "web"]
    # An exclusive group: the category of most spend.
    assert found["A", "top_category"] == ["books"]


def test_a_project_tags_by_yaml_alone(grade, tmp_path):
    write_tags(
        Project(root=tmp_path, settings=Settings(name="test")),
        """
        groups:
          - group: care
            name: {en: Care, zh: 关怀}
            is_exclusive: false
            tags:
              - tag: fresh_top
                name: {en: "Top's \\"fresh\\"", zh: 新}
                when: recency <= 30 and rfm_8.tier <> 'unrated'
              - tag: women_only
                name: {en: Women, zh: 女}
                when: gender in ('f', 'female')
          - group: edition
            name: {en: Edition, zh: 版本}
            is_exclusive: true
            values: customers.plan_edition
          - group: main_channel
            name: {en: Main channel, zh: 主渠道}
            is_exclusive: true
            values: lines.channel
        """,
    )

    graded = grade(
        {
            "customers": [{"customer_id": "A", "gender": "f", "plan_edition": "pro"}],
            "transactions": [
                order(1, "A", "2026-05-01", channel="shop"),
                order(2, "A", "2026-05-01", channel="web"),
                order(3, "A", "2026-05-01", channel="web"),
                order(1, "B", "2026-04-30"),
            ],
        }
    )
    found = tagged(graded)

    # 2026-05-01 is 30 days before the as-of date, 2026-04-30 is 31.
    assert found["A", "care"] == ["fresh_top", "women_only"]
    assert ("B", "care") not in found
    assert found["A", "edition"] == ["pro"]
    # That of most sales.
    assert found["A", "main_channel"] == ["web"]
    names = graded.by_key("select tag, name_en from marts.tag_dictionary")
    assert names["fresh_top"] == 'Top\'s "fresh"'


TAGGED_BY_HAND = """
    groups:
      - group: region
        tags:
          - {tag: north, name: {en: North, zh: 北区}, synonyms: [北方]}
      - group: channel
        tags:
          - {tag: shop, name: {en: Shop, zh: 门店}, synonyms: [store]}
      - group: trade
        name: {en: Trade, zh: 行业类别}
        is_exclusive: true
        values: customers.industry
        tags:
          - {tag: maker, name: {en: Maker, zh: 制造商}, when: "industry = 'steel'"}
      - group: contact
        name: {en: Contact, zh: 联系}
        is_exclusive: false
        values: customers.source_channel
        tags:
          - {tag: fair, name: {en: Fair, zh: 展会}, when: is_member}
    """


def test_what_people_say_goes_before_rules_and_rules_before_values(grade, tmp_path):
    write_tags(Project(root=tmp_path, settings=Settings(name="test")), TAGGED_BY_HAND)

    def by_hand(customer, tag, day="2026-02-01"):
        return {"customer_id": customer, "tag": tag, "tagged_at": f"{day} 08:00:00"}

    graded = grade(
        {
            "customers": [
                {"customer_id": "A", "region": "北方", "industry": "steel"},
                {"customer_id": "B", "region": "South", "industry": "law"},
                {"customer_id": "C", "region": "South", "source_channel": "web"},
                {"customer_id": "D", "source_channel": "fair", "is_member": True},
            ],
            "transactions": [
                order(1, "A", channel="store"),
                order(2, "A", channel="shop"),
                order(3, "A", channel="North"),
                order(1, "B", channel="shop"),
                order(1, "D"),
            ],
            "manual_tags": [
                by_hand("B", "北区"),
                by_hand("B", "store", "2026-03-01"),
                by_hand("C", "golfer"),
            ],
        }
    )
    found = tagged(graded)

    # Synonyms are one tag, within their own group only.
    assert found["A", "region"] == ["north"]
    assert found["A", "channel"] == ["North", "shop"]
    # Of an exclusive group a person's tag alone; of another it is not there twice.
    assert found["B", "region"] == ["north"]
    assert found["B", "channel"] == ["shop"]
    assert found["C", "region"] == ["South"]
    assert found["C", "manual"] == ["golfer"]
    assert found["A", "trade"] == ["maker"]
    assert found["B", "trade"] == ["law"]
    assert found["C", "contact"] == ["web"]
    assert found["D", "contact"] == ["fair"]
    shown = graded.rows(
        "select customer_id, tag_group, tag, source, valid_from::varchar, rule_id"
        " from customer_tags where tag_group in ('region', 'channel', 'trade',"
        " 'contact') and customer_id <> 'C' order by all"
    )
    today = "2026-05-31"
    assert shown == [
        ("A", "channel", "North", "passive", today, "channel"),
        ("A", "channel", "shop", "passive", today, "channel"),
        ("A", "region", "north", "passive", today, "region"),
        ("A", "trade", "maker", "passive", today, "trade.maker"),
        ("B", "channel", "shop", "active", "2026-03-01", None),
        ("B", "region", "north", "active", "2026-02-01", None),
        ("B", "trade", "law", "passive", today, "trade"),
        ("D", "contact", "fair", "passive", today, "contact.fair"),
    ]
    tags = graded.rows("select tag_group, tag from marts.found_tags order by all")
    assert tags == graded.rows(
        "select distinct tag_group, tag from customer_tags order by all"
    )


def test_a_rule_that_cannot_be_read_names_its_place(grade, tmp_path):
    write_tags(
        Project(root=tmp_path, settings=Settings(name="test")),
        "groups:\n"
        "  - group: buying\n"
        "    tags:\n"
        "      - tag: rich\n"
        "        name: {en: Rich, zh: 富}\n"
        "        when: spent('12 months') > 1000\n",
    )

    with pytest.raises(ConfigurationError) as error:
        grade({"transactions": [order(1, "A")]})

    assert "tags.yaml:6: groups.0.tags.0.when: there is no metric 'spent'" in str(
        error.value
    )
