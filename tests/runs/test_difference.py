"""Which way a run goes, what is computed anew, and that the result is the same."""

import datetime
import shutil
from types import SimpleNamespace

import pytest

from project.folder import open_project
from runs import difference, warehouse_state
from runs.difference import Way
from runs.opening import hold_warehouse, open_run
from sql.selects import quoted
from tests.compiled import compiled_once
from tests.runs.steps import STEPS, take

MAY = datetime.date(2026, 5, 31)
DAY = datetime.timedelta(days=1)
SETTINGS = "name: small\ntimezone: UTC\nschemes: {only: [annual_points]}\n"
HEADER = "transaction_id,customer_id,occurred_at,amount,original_transaction_id\n"
SALES = """\
T1,ann,2026-03-30T12:00:00,1000,
T2,bob,2026-05-30T12:00:00,3000,
T3,cid,2026-06-01T12:00:00,2500,
"""
# Kept from run to run; the others are views or made anew.
KEPT = ("known_customers", "refund_lines", "service_sale_lines", "transaction_sums")
# What fresh projects have computed: files, date and tables → rows.
FRESH = {}
SHORT = Way("facts", None, 0)
LADDER = "high_ticket_ladder"
REMEMBERED = tuple(f"{LADDER}_{name}" for name in ("history", "history_cuts", "held"))


@pytest.fixture(autouse=True)
def _compiled_once():
    with compiled_once():
        yield


def new_project(folder):
    (folder / "fenji.yaml").write_text(SETTINGS)
    (folder / "landing/transactions").mkdir(parents=True)
    land(folder, "may.csv", SALES)
    return folder


@pytest.fixture
def project(tmp_path):
    """A project that has computed nothing."""
    return new_project(tmp_path)


@pytest.fixture(scope="module")
def of_may(tmp_path_factory):
    """A project that has computed the end of May, for tests that copy it."""
    folder = new_project(tmp_path_factory.mktemp("may"))
    with compiled_once():
        computed(folder)
    return folder


@pytest.fixture
def begun(of_may, tmp_path):
    """A project that has computed the end of May."""
    return shutil.copytree(of_may, tmp_path / "project")


def land(folder, name, lines, header=HEADER):
    (folder / "landing/transactions" / name).write_text(header + lines)


def computed(folder, as_of=MAY, *, full=False, steps=STEPS, tables=KEPT):
    """Compute facts and metrics; the ways that were gone, and the rows."""
    project = open_project(folder)
    with (
        hold_warehouse(project, on_wait=pytest.fail),
        open_run(project, as_of, on_upgrade=pytest.fail, full=full) as run,
    ):
        for asset in steps:
            take(asset, run)
        rows = {
            name: sorted(
                run.con.execute(f"from core.{quoted(name)}").fetchall(), key=repr
            )
            for name in (*tables, "customer_metrics")
        }
        return run.ways, rows


def anew(folder, as_of, tmp_path_factory, tables=KEPT):
    """What a fresh project on the same files computes."""
    files = (folder / "fenji.yaml", *sorted(folder.glob("landing/*/*")))
    texts = tuple((file.relative_to(folder), file.read_text()) for file in files)
    if (texts, as_of, tables) not in FRESH:
        found = computed_fresh(folder, as_of, tmp_path_factory, tables)
        FRESH[texts, as_of, tables] = found
    return FRESH[texts, as_of, tables]


def computed_fresh(folder, as_of, tmp_path_factory, tables):
    other = tmp_path_factory.mktemp("fresh") / "project"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns("data"))
    ways, rows = computed(other, as_of, tables=tables)
    assert [way.whole_because for way in ways[:2]] == [
        "no facts are kept",
        "no metrics are kept",
    ]
    return rows


def test_the_next_day_carries_everything_over(begun, tmp_path_factory):
    ways, rows = computed(begun, MAY + DAY)
    assert ways == [SHORT, Way("metrics", None, 0)]
    assert rows == anew(begun, MAY + DAY, tmp_path_factory)


@pytest.mark.parametrize(
    ("lines", "n_facts", "n_metrics"),
    [
        ("T4,dan,2026-06-01T08:00:00,40,\n", 1, 0),  # of the new day
        ("T4,ann,2026-05-01T08:00:00,40,\n", 1, 1),  # late
        ("R1,ann,2026-06-01T08:00:00,-400,T1\n", 1, 1),  # of an order before
        ("R1,zoe,2026-06-01T08:00:00,-400,T1\n", 2, 2),  # that somebody else brings
        ("R1,,2026-06-01T08:00:00,-400,T1\n", 1, 1),
        ("R1,ann,2026-06-01T08:00:00,-400,T9\n", 1, 0),  # of an order nobody knows
    ],
)
def test_rows_that_come_compute_their_customers_anew(
    begun, tmp_path_factory, lines, n_facts, n_metrics
):
    land(begun, "june.csv", lines)
    ways, rows = computed(begun, MAY + DAY)
    assert ways == [Way("facts", None, n_facts), Way("metrics", None, n_metrics)]
    assert rows == anew(begun, MAY + DAY, tmp_path_factory)


def test_an_order_that_comes_after_its_refund_takes_it_over(project, tmp_path_factory):
    land(project, "june.csv", "R1,zoe,2026-05-02T08:00:00,-400,T9\n")
    computed(project)
    land(project, "july.csv", "T9,ann,2026-06-01T08:00:00,900,\n")
    _, rows = computed(project, MAY + DAY)
    assert rows == anew(project, MAY + DAY, tmp_path_factory)


def test_a_file_that_is_replaced_takes_its_rows_back(begun, tmp_path_factory):
    land(begun, "may.csv", SALES.replace("T1,ann", "T1,bob"))
    ways, rows = computed(begun)
    assert ways == [Way("facts", None, 3), Way("metrics", None, 2)]
    assert rows == anew(begun, MAY, tmp_path_factory)


@pytest.mark.parametrize(
    ("as_of", "lines", "n_customers"),
    [
        (MAY, "", 0),
        (MAY + DAY, "", 0),  # on 1 June everybody is rated again, by the same days
        (MAY + 2 * DAY, "", 1),  # who is known since 1 June
        (MAY + DAY, "T4,ann,2026-05-01T08:00:00,40,\n", 1),  # late
        (MAY + 2 * DAY, "R1,ann,2026-06-01T08:00:00,-1000,T1\n", 2),
        (MAY - DAY, "", None),
    ],
)
def test_ratings_go_on_from_the_days_that_are_kept(
    project, tmp_path_factory, as_of, lines, n_customers
):
    settings = project / "fenji.yaml"
    settings.write_text(SETTINGS.replace("annual_points", LADDER))
    computed(project, tables=REMEMBERED)
    if lines:
        land(project, "june.csv", lines)
    ways, rows = computed(project, as_of, tables=REMEMBERED)
    because = None
    if n_customers is None:
        because = "the kept metrics are as of 2026-05-31"
    assert ways[2:] == [Way("ratings", because, n_customers)]
    assert rows == anew(project, as_of, tmp_path_factory, REMEMBERED)


def test_what_a_figure_of_others_was_folds_everybody_anew(project, tmp_path_factory):
    """On 1 June, of three customers, the best hundredth begins elsewhere."""
    settings = project / "fenji.yaml"
    settings.write_text(SETTINGS.replace("annual_points", LADDER))
    june = datetime.date(2026, 6, 2)
    _, before = computed(project, june, tables=REMEMBERED)
    land(project, "late.csv", "T4,ann,2026-05-01T08:00:00,9000,\n")
    ways, rows = computed(project, june, tables=REMEMBERED)
    assert ways[2:] == [Way("ratings", None, 1)]
    held = f"{LADDER}_held"
    ranks = [{row[0]: row[1] for row in found[held]} for found in (before, rows)]
    assert ranks == [{"ann": 1, "bob": 1, "cid": 3}, {"ann": 1, "bob": 3, "cid": 3}]
    assert rows == anew(project, june, tmp_path_factory, REMEMBERED)


def whole(ways):
    """Why facts and metrics were computed as a whole."""
    return [way.whole_because for way in ways]


@pytest.mark.parametrize(
    ("as_of", "because"),
    [
        (MAY - DAY, "the kept metrics are as of 2026-05-31"),
        (MAY + 62 * DAY, None),
        (MAY + 63 * DAY, "the kept metrics are as of 2026-05-31"),
    ],
)
def test_metrics_go_on_to_a_later_date_that_is_near(begun, as_of, because):
    assert whole(computed(begun, as_of)[0]) == [None, because]


def test_other_settings_compute_the_whole(begun):
    (begun / "fenji.yaml").write_text(SETTINGS.replace("annual_points", "rfm_8"))
    assert whole(computed(begun)[0]) == [
        "settings, schemes or code changed",
        "the kept metrics are of other facts",
    ]


def test_the_whole_is_computed_where_it_is_asked_for(project):
    _, rows = computed(project)
    ways, again = computed(project, full=True)
    assert whole(ways) == ["it was asked for"] * 2
    assert again == rows


def test_rates_that_come_late_compute_the_whole(project, tmp_path_factory):
    (project / "fenji.yaml").write_text(SETTINGS + "currency: CNY\n")
    header = HEADER.replace("\n", ",currency\n")
    land(project, "dollars.csv", "T4,dan,2026-05-02T08:00:00,40,,USD\n", header)
    computed(project)
    (project / "landing/exchange_rates").mkdir()
    (project / "landing/exchange_rates/usd.csv").write_text(
        "currency,rate_date,rate\nUSD,2026-05-01,7\n"
    )
    ways, rows = computed(project)
    # No row was converted before: the rows that are now are those that came.
    assert rows == anew(project, MAY, tmp_path_factory)
    (project / "landing/exchange_rates/later.csv").write_text(
        "currency,rate_date,rate\nUSD,2026-05-02,8\n"
    )
    ways, rows = computed(project)
    assert ways[0].whole_because == "exchange rates changed"
    assert rows == anew(project, MAY, tmp_path_factory)


def test_many_customers_are_computed_as_a_whole(project, monkeypatch):
    monkeypatch.setattr(difference, "_FEW", 0)
    computed(project)
    land(project, "june.csv", "T4,ann,2026-05-01T08:00:00,40,\n")
    because = "more than a quarter of the customers changed"
    assert whole(computed(project)[0]) == [
        because,
        "the kept metrics are of other facts",
    ]


@pytest.mark.parametrize("n_steps", range(1, len(STEPS)))
def test_a_run_that_ended_between_two_steps_is_taken_up(
    begun, tmp_path_factory, n_steps
):
    land(begun, "june.csv", "T4,ann,2026-05-01T08:00:00,40,\n")
    with pytest.raises(KeyboardInterrupt):
        computed(begun, MAY + DAY, steps=(*STEPS[:n_steps], ENDS))
    _, rows = computed(begun, MAY + DAY)
    assert rows == anew(begun, MAY + DAY, tmp_path_factory)


def end(_run):
    raise KeyboardInterrupt


# Where a process ends between two steps.
ENDS = SimpleNamespace(op=SimpleNamespace(compute_fn=SimpleNamespace(decorated_fn=end)))


def test_tables_that_were_being_changed_are_not_kept(begun, monkeypatch):
    land(begun, "june.csv", "T4,ann,2026-05-01T08:00:00,40,\n")
    real = difference.bring_up_to_date

    def dies(con, tables, step):
        real(con, list(tables)[:1], step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(difference, "bring_up_to_date", dies)
        with pytest.raises(KeyboardInterrupt):
            computed(begun)
    assert whole(computed(begun)[0])[0] == "no facts are kept"


def test_a_customer_who_is_forgotten_is_noticed(begun, tmp_path_factory, monkeypatch):
    """That the comparison of these tests finds a fault, with a fault put in."""
    land(begun, "june.csv", "T4,ann,2026-05-01T08:00:00,40,\n")
    real = difference.find_restated

    def forgets(con, *dates, has_changes):
        real(con, *dates, has_changes=has_changes)
        con.execute("delete from temp.restated_customers")

    monkeypatch.setattr(difference, "find_restated", forgets)
    _, rows = computed(begun, MAY + DAY)
    assert rows != anew(begun, MAY + DAY, tmp_path_factory)


def test_ways_are_told_in_words():
    assert Way("facts", "it was asked for").in_words == (
        "computed as a whole: it was asked for"
    )
    assert Way("facts", None, 1).in_words == (
        "brought up to date: 1 customer computed anew, the rest kept"
    )


def test_facts_are_noted_with_their_rules(begun):
    opened = open_project(begun)
    with (
        hold_warehouse(opened, on_wait=pytest.fail),
        open_run(opened, MAY, on_upgrade=pytest.fail) as run,
    ):
        shared = warehouse_state.shared_for(run.con)
        kept = warehouse_state.kept_metrics(run.con)
    assert shared is not None
    assert kept is not None
    assert shared.facts_key == kept.facts_key != shared.rules_key
    assert kept.as_of_date == MAY
    assert "line_metrics" in kept.selects


IDENTITY = SETTINGS + "identity: {rules: [{same: card}]}\n"
CARDS = "customer_id,id_kind,id_value,valid_from,valid_to\n"


def land_ids(folder, name, lines):
    (folder / "landing/identities").mkdir(exist_ok=True)
    (folder / "landing/identities" / name).write_text(CARDS + lines)


@pytest.fixture
def shared(project):
    """A company with rules of identity, whose facts are computed: nobody is linked."""
    (project / "fenji.yaml").write_text(IDENTITY)
    land_ids(project, "2026-05.csv", "ann,card,k1,,\nbob,card,k2,,\ncid,card,k3,,\n")
    land(project, "refund.csv", "R1,bob,2026-05-31T08:00:00,-400,T1\n")
    computed(project)
    return project


@pytest.mark.parametrize(
    ("ids", "lines", "n_facts"),
    [
        ("bob,same,ann,,\n", "", 2),
        ("bob,card,k1,,\ncid,card,k2,,\n", "T4,dan,2026-05-01T08:00:00,40,\n", 4),
        ("ann,same,eve,,\n", "", 2),  # eve has no rows
        ("dan,card,k9,,\neve,card,k9,,\n", "T4,eve,2026-06-01T08:00:00,40,\n", 2),
    ],
)
def test_ids_that_are_linked_compute_their_customers_anew(
    shared, tmp_path_factory, ids, lines, n_facts
):
    land_ids(shared, "2026-06.csv", ids)
    if lines:
        land(shared, "june.csv", lines)
    ways, rows = computed(shared, MAY + DAY)
    assert ways[0] == Way("facts", None, n_facts)
    assert ways[1].whole_because is None
    assert rows == anew(shared, MAY + DAY, tmp_path_factory)


def test_an_entry_splits_what_was_linked_and_all_is_as_before(shared, tmp_path_factory):
    _, before = computed(shared)
    land_ids(shared, "2026-06.csv", "bob,card,k1,,\n")
    _, linked = computed(shared)
    assert linked != before
    assert [row[0] for row in linked["known_customers"]] == ["ann", "cid"]
    land_ids(shared, "2026-07.csv", "bob,not_same,ann,,\n")
    ways, rows = computed(shared)
    assert ways[0] == Way("facts", None, 2)
    assert rows == before == anew(shared, MAY, tmp_path_factory)


def test_a_link_takes_hold_with_its_day_and_leaves_with_it(shared, tmp_path_factory):
    land_ids(shared, "2026-06.csv", "bob,card,k1,2026-06-01,2026-06-02\n")
    for days, n_facts in ((0, 0), (1, 2), (2, 0), (3, 2), (1, 2)):
        ways, rows = computed(shared, MAY + days * DAY)
        if days:
            assert ways[0] == Way("facts", None, n_facts)
        assert rows == anew(shared, MAY + days * DAY, tmp_path_factory)


def test_rules_that_begin_to_hold_are_a_change_of_ids(project, tmp_path_factory):
    starts = IDENTITY.replace("card}]", "card}], starts_on: 2026-06-01")
    (project / "fenji.yaml").write_text(starts)
    land_ids(project, "2026-05.csv", "ann,card,k1,,\nbob,card,k1,,\n")
    computed(project)
    ways, rows = computed(project, MAY + DAY)
    assert ways[0] == Way("facts", None, 2)
    assert rows == anew(project, MAY + DAY, tmp_path_factory)
