"""The column lineage of a whole project, and how people ask for it."""

import json

import dagster as dg
import pytest

from pipelines.assembly import assemble
from pipelines.commands.lineage import lineage as command
from pipelines.lineage.asking import Questions
from pipelines.lineage.graph import NO_SELECT, From, released_tables
from pipelines.lineage.keeping import kept_lineage, lineage_of
from project.errors import ConfigurationError
from project.folder import open_project
from releases.building import released

# The columns of selects in files that hold one fixed value a branch: they name what the
# row is about.
FIXED = {
    "marts.alerts": {"kind", "severity", "subject_type"},
    "marts.contact_class": {"contact_type"},
    "marts.promotion_windows": {"occasion"},
    "marts.satisfaction_scores": {"scope_type"},
    "marts.service_effect": {"service_level"},
    "marts.service_maturity": {"level", "level_name"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of all schemes, whose lineage is worked out once."""
    root = tmp_path_factory.mktemp("lineage")
    (root / "fenji.yaml").write_text("name: all\n")
    (root / "data").mkdir()
    project = open_project(root)
    lineage_of(project)
    return project


@pytest.fixture
def questions(project):
    return Questions(lineage_of(project))


def behind(questions, name, **options):
    return [node.column for node in questions.behind(questions.find(name), **options)]


def test_every_column_of_a_release_has_a_lineage_or_a_reason(project):
    tables = lineage_of(project).tables
    without, fixed = set(), {}
    for table in released_tables():
        for column in released(table, shown=()).columns:
            found = tables.get(table.name, {}).get(column.name)
            if found is None:
                without.add(table.name)
            elif found == From() and table.made_by != "compiled":
                fixed.setdefault(table.name, set()).add(column.name)
    assert without == set(NO_SELECT)
    assert fixed == FIXED


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        (
            "staging.transactions.amount",
            {"raw.transactions.amount", "staging.daily_rates.rate"},
        ),
        (
            "core.lines.spend_amount",
            {
                "staging.bills.amount",
                "staging.transactions.amount",
                "staging.transactions.kind",
            },
        ),
        ("customer_rfm.monetary_amount", {"core.customer_metrics.spend_12m_amount"}),
        ("customer_profile.rfm_8_tier", {"marts.scheme_results.rfm_8__tier"}),
        ("tier_trend.n_customers", {"marts.tier_trend_statements.n_customers"}),
        ("sla_attainment.call_date", {"marts.offered_calls.queued_date"}),
    ],
)
def test_what_a_column_is_computed_from(questions, name, columns):
    assert set(behind(questions, name, most=1)[1:]) == columns


def test_behind_a_tier_stand_the_scheme_and_the_feeds(questions):
    nodes = [*questions.behind(questions.find("customer_profile.telecom_star_tier"))]
    by_scheme = {node.column for node in nodes if node.scheme == "telecom_star"}
    assert "marts.scheme_results.telecom_star__tier" in by_scheme
    leaves = {node.column for node in nodes if node.kind == "feed"}
    assert leaves >= {"raw.bills.amount", "raw.service_lines.activated_on"}
    assert "raw.transactions.amount" not in leaves


def test_a_parameter_of_a_table_is_named_as_people_set_it(questions):
    (goal,) = questions.behind(questions.find("sla_attainment.goal_ratio"), most=0)
    assert "sla_attainment.high_goal_ratio" in goal.parameters


def test_where_schemes_come_together_one_is_asked_for(questions):
    shown = [*questions.behind(questions.find("customer_tiers.tier"))]
    assert all(node.is_cut for node in shown if node.scheme)
    assert max(node.depth for node in shown) == 1
    of_one = behind(questions, "customer_tiers.tier", scheme="rfm_8")
    assert "raw.transactions.amount" in of_one
    assert not any("telecom_star" in name for name in of_one)


def test_what_depends_on_a_column_is_found_down_to_the_release(questions):
    asked = questions.find("raw.tickets.severity")
    found = {dependent.table: dependent for dependent in questions.dependents(asked)}
    assert found["staging.tickets"].steps == 1
    assert "ticket_priority" in found["marts.service_tickets"].columns
    assert found["marts.service_tickets"].is_published
    assert "marts.customer_rfm" not in found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("customer_teirs", "there is no table 'customer_teirs'; did you mean 'cust"),
        ("customer_tiers.teir", "marts.customer_tiers has no column 'teir'; did you"),
        ("a.b.c.d", "there is no table"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(questions, name, says):
    with pytest.raises(ConfigurationError, match=says) as raised:
        questions.find(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("customer_profile.rfm_8_tier", {}, "scheme rfm_8 · schemes/library/rfm_8"),
        ("customer_profile.rfm_8_tier", {"lang": "zh"}, "方案 rfm_8"),
        ("release.sla_attainment", {}, "parameter sla_attainment.high_goal_ratio"),
        ("quality_results.passed", {}, "made by Python"),
        ("raw.tickets.severity", {"down": True}, "marts.service_tickets *"),
    ],
)
def test_the_answer_is_printed(project, capsys, name, options, says):
    given = {"lang": "en", "down": False, **options}
    command(project, name, None, as_json=False, **given)
    assert says in " ".join(capsys.readouterr().out.split())


def test_as_json_the_whole_tree_is_one_object(project, capsys):
    command(project, "customer_tiers.tier", None, "en", down=False, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["name"] == "marts.customer_tiers.tier"
    assert "raw.transactions.amount" in {node["column"] for node in found["behind"]}


def test_dagster_is_told_columns_of_assets_alone(project):
    graph = assemble(project, is_shown=True).resolve_asset_graph()
    tiers = graph.get(dg.AssetKey(["release", "customer_tiers"]))
    deps = tiers.metadata["dagster/column_lineage"].deps_by_column
    results = dg.AssetKey(["release", "scheme_results"])
    assert dg.TableColumnDep(results, "rfm_8__tier") in deps["tier"]
    named = {
        dep.asset_key
        for node in graph.asset_nodes
        if "dagster/column_lineage" in node.metadata
        for found in node.metadata["dagster/column_lineage"].deps_by_column.values()
        for dep in found
    }
    assert named <= graph.get_all_asset_keys()
    assert len(named) > 100


def test_other_settings_have_another_lineage(project):
    assert kept_lineage(project) is not None
    (project.root / "fenji.yaml").write_text("name: all\nschemes: {except: [rfm_8]}\n")
    try:
        assert kept_lineage(open_project(project.root)) is None
    finally:
        (project.root / "fenji.yaml").write_text("name: all\n")
