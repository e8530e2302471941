"""What the linter says, with file, line and field, and when it is silent."""

import textwrap

import pytest

from project.folder import open_project
from schemes.tools.linter import library_files, lint

HEAD = """\
scheme: gym
version: 1
kind: ladder
name: {en: Gym, zh: 健身房}
"""
TIERS = """\
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: base, name: {en: Base, zh: 普通}}
"""


def findings(project, content):
    project.schemes.mkdir(exist_ok=True)
    path = project.schemes / "gym.yaml"
    path.write_text(textwrap.dedent(content), encoding="utf-8")
    found = [finding.as_dict() for finding in lint(project, [path])]
    return [
        tuple(finding[key] for key in ("line", "field", "severity", "message"))
        for finding in found
    ]


def where(finding):
    """Path, line and field of a finding, as data."""
    place = finding.place
    return place.path, place.line, place.field_name


SPEND = """\
scheme: gym
version: 1
kind: bands
name: {en: Gym, zh: 健身房}
score: spend('12 months')
tiers:
  - {tier: gold, from: 1000, name: {en: Gold, zh: 金}}
  - {tier: base, name: {en: Base, zh: 普通}}
reason: {en: "Spend {score}", zh: "消费{score}"}
"""


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (HEAD + "name: {en: G, zh: 健}\n" + TIERS, 5, "the key 'name' is given twice"),
        (SPEND.replace("base", "gold"), None, "tier"),
        ("- gym\n", None, "is not a scheme"),
    ],
)
def test_an_error_of_the_whole_file_names_it_once(project, content, line, says):
    ((where, field, severity, message),) = findings(project, content)
    assert (where, field, severity) == (line, "the file", "error")
    assert says in message
    assert "gym.yaml" not in message


@pytest.fixture
def project(project_of):
    return project_of()


def test_the_library_is_clean_but_for_templates(project):
    found = lint(project, library_files())
    assert {finding.place.path.stem for finding in found} == {
        "abcd_pyramid",
        "six_segments",
        "telecom_star",  # what the stars bring
    }
    assert all("is not set" in finding.message for finding in found)


def test_a_good_scheme_has_no_findings(project):
    content = HEAD + (
        "rules:\n"
        "  - {tier: gold, when: \"orders('90 days') >= 12\"}\n"
        "  - {tier: base}\n" + TIERS
    )
    assert findings(project, content) == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            "  - {tier: gold, when: \"ordres('90 days') >= 12\"}\n  - {tier: base}",
            (
                6,
                "rules.0.when",
                "error",
                "there is no metric 'ordres'; did you mean 'orders'",
            ),
        ),
        (
            "  - {tier: gold, when: \"orders('90 weeks') >= 12\"}\n  - {tier: base}",
            (6, "rules.0.when", "error", "'90 weeks' is no window"),
        ),
        (
            "  - {tier: gold, when: \"orders('ever') >= 'a'\"}\n  - {tier: base}",
            (6, "rules.0.when", "error", "compares a number with a text"),
        ),
        (
            "  - {tier: gold, when: \"org_size = 'huge'\"}\n  - {tier: base}",
            (6, "rules.0.when", "error", "it is never 'huge'"),
        ),
        (
            "  - {tier: gold, when: \"rfm_9.tier = 'x'\"}\n  - {tier: base}",
            (
                6,
                "rules.0.when",
                "error",
                "there is no scheme 'rfm_9'; did you mean 'rfm_8'?",
            ),
        ),
        ("  - {tier: base}", (8, "tiers.0", "warning", "no rule gives this tier")),
        (
            (
                "  - {tier: gold, when: recency <= 9}\n"
                "  - {tier: gold, when: recency <= 5, id: late}\n  - {tier: base}"
            ),
            (
                7,
                "rules.1.when",
                "warning",
                "never applies: rule 1 holds whenever it does",
            ),
        ),
        (
            (
                "  - {tier: gold, when: recency < 9}\n"
                "  - {tier: base, when: recency > 9}\n  - {tier: gold, id: rest}"
            ),
            (7, "rules.1.when", "warning", "9 itself is in neither rule"),
        ),
        (
            (
                "  - tier: gold\n    when: recency < 9\n"
                "    reason: {en: '{recency}', zh: 天}\n"
                "  - {tier: base}"
            ),
            (4, "name", "warning", "only one language quotes {recency}"),
        ),
        (
            (
                "  - {tier: gold, when: recency < 9, reason: {en: soon, zh: soon}}\n"
                "  - {tier: base}"
            ),
            (4, "name", "warning", "'soon' is not translated"),
        ),
    ],
)
def test_findings(project, rules, expected):
    found = findings(project, HEAD + f"rules:\n{rules}\n{TIERS}")
    assert len(found) == 1, found
    *place, message = expected
    assert found[0][:3] == tuple(place)
    assert message in found[0][3]


def test_parameters_that_nothing_reads_or_nobody_set(project):
    content = (
        HEAD
        + "parameters:\n"
        + "  unused: {default: 1, about: {en: a, zh: 甲}}\n"
        + "  unset: {default: null, about: {en: a, zh: 甲}}\n"
        + "wants: [interactoins]\n"
        + "rules:\n  - {tier: gold, when: recency < unset}\n  - {tier: base}\n"
        + TIERS
    )
    found = findings(project, content)
    assert [(line, field) for line, field, _, _ in found] == [
        (7, "parameters.unset"),
        (6, "parameters.unused"),
        (8, "wants.0"),
    ]
    assert "did you mean 'interactions'" in found[2][3]


def test_matrix_cells_that_are_taken(project):
    content = """\
        scheme: gym
        version: 1
        kind: matrix
        name: {en: Gym, zh: 健身房}
        axes:
          - {axis: one, high: recency < 5}
          - {axis: two, high: recency < 9}
        tiers:
          - {tier: a, cell: [high, "*"], name: {en: A, zh: 甲}}
          - {tier: b, cell: [high, low], name: {en: B, zh: 乙}}
          - {tier: c, cell: [low, "*"], name: {en: C, zh: 丙}}
    """
    assert findings(project, content) == [
        (10, "tiers.1.cell", "warning", "tiers above it have all its cells")
    ]


def test_a_set_of_parameters_that_does_not_fit(project):
    content = """\
        scheme: gym
        version: 1
        kind: bands
        name: {en: Gym, zh: 健身房}
        score: orders('90 days')
        tiers:
          - {tier: gold, from: 12, name: {en: Gold, zh: 金}}
          - {tier: base, name: {en: Base, zh: 普通}}
        parameter_sets:
          easy: {tiers.gold.form: 6}
    """
    ((line, field, severity, message),) = findings(project, content)
    assert (line, field, severity) == (10, "parameter_sets.easy", "error")
    assert "'tiers.gold' has no 'form' to set; what may be set: from" in message


BANDS = """\
scheme: {id}
version: 1
kind: bands
name: {{en: Buyers, zh: 买家}}
score: spend('12 months')
{unrated}tiers:
  - {{tier: big, from: 1000, name: {{en: Big, zh: 大额}}}}
{rest}reason: {{en: "Spend {{score}}", zh: "消费{{score}}"}}
"""
SMALL = "  - {tier: small, name: {en: Small, zh: 小额}}\n"
UNRATED = """\
unrated:
  - {code: below_lowest, when: "spend('12 months') < 1000", reason: {en: Low, zh: 过低}}
"""


@pytest.mark.parametrize("unrated", ["", UNRATED])
@pytest.mark.parametrize("rest", ["", SMALL])
def test_values_below_the_lowest_bound(project, unrated, rest):
    found = findings(project, BANDS.format(id="buyers", unrated=unrated, rest=rest))
    expected = (
        7,
        "tiers.0.from",
        "warning",
        (
            "values below 1000 are unrated; add a tier without 'from' below it,"
            " or say so by the code below_lowest in 'unrated'"
        ),
    )
    assert found == ([] if unrated or rest else [expected])


@pytest.mark.parametrize("taken", ["rfm_8", "spend_band"])
@pytest.mark.parametrize("is_alone", [True, False])
def test_an_id_of_the_library_is_taken(project, tmp_path, taken, is_alone):
    folder = tmp_path if is_alone else project.schemes
    folder.mkdir(exist_ok=True)
    path = folder / "mine.yaml"
    content = BANDS.format(id=taken, unrated="", rest=SMALL)
    path.write_text(content, encoding="utf-8")
    found = [
        (*where(finding), finding.severity, finding.message)
        for finding in lint(project, [path] if is_alone else [])
        if finding.severity == "error"
    ]
    message = f"'{taken}' is a scheme of the library already; choose another id"
    assert found == [(path, 1, "scheme", "error", message)]


def test_a_draft_may_have_the_id_of_the_scheme_it_replaces(project, tmp_path):
    project.schemes.mkdir()
    content = BANDS.format(id="buyers", unrated="", rest=SMALL)
    for folder in (project.schemes, tmp_path):
        (folder / "buyers.yaml").write_text(content, encoding="utf-8")
    assert lint(project, [tmp_path / "buyers.yaml"]) == ()
    (project.schemes / "again.yaml").write_text(content, encoding="utf-8")
    (found,) = lint(project, [project.schemes / "buyers.yaml"])
    assert "is a scheme of" in found.message


TAGS = """\
groups:
  - group: care
    name: {en: Care, zh: 关怀}
    is_exclusive: false
    tags:
      - tag: waiting
        name: {en: Waits for an answer, zh: 待回复}
        when: tickets('7 days') > 0
      - tag: fading_vip
        name: {en: VIP who fades, zh: 流失中的贵宾}
        when: value_pyramid.tier = 'platinum' and recency > 60
"""


def write(project, name, content):
    project.schemes.mkdir(exist_ok=True)
    path = project.schemes / name
    path.write_text(textwrap.dedent(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("is_named", [True, False])
def test_tags_are_judged_as_tags_and_may_read_any_scheme(project, is_named):
    """The rule that docs/tags.md shows: it reads a scheme."""
    path = write(project, "tags.yaml", TAGS)
    write(project, "gym.yaml", SPEND)

    assert lint(project, [path] if is_named else []) == ()


def test_each_wrong_rule_of_a_tag_is_found_once(project):
    wrong = TAGS.replace("tickets", "tickts").replace("recency", "recentness")
    path = write(project, "tags.yaml", wrong)
    write(project, "gym.yaml", SPEND)

    found = lint(project)

    assert [where(finding) for finding in found] == [
        (path, 8, "groups.0.tags.0.when"),
        (path, 11, "groups.0.tags.1.when"),
    ]
    assert {finding.severity for finding in found} == {"error"}


def test_the_project_is_looked_at_without_the_library(project):
    write(project, "gym.yaml", SPEND.replace("1000", "limit"))

    ((only,), library) = lint(project), lint(project, library_files())

    assert only.place.path.name == "gym.yaml"
    assert library


def test_a_setting_that_names_no_scheme_is_found(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: a\nschemes:\n  only: [rfm8]\n")

    (found,) = lint(open_project(tmp_path))

    path, line, field = where(found)
    assert (path.name, line, field) == (
        "fenji.yaml",
        3,
        "schemes.only",
    )
    assert found.message == "there is no scheme 'rfm8'; did you mean 'rfm_8'?"


LIST = """\
list: birthday_call
name: {en: Birthday call, zh: 生日致电}
priority: 5
sources: [{scheme: customer_status, tiers: [current]}]
why: {en: "{tier}", zh: "{tier}客户"}
action: {en: Call, zh: 致电}
"""


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (LIST.replace("[current]", "[curent]"), 4, "did you mean 'current'"),
        (LIST.replace("birthday_call", "win_back"), 1, "is a list of the library"),
        (LIST.replace("priority: 5", "priority: 10"), 3, "priority"),
        (LIST.replace("zh: 生日致电", "zh: Birthday"), 2, "is not translated"),
    ],
)
def test_work_lists_are_linted(project, content, line, says):
    project.lists.mkdir()
    path = project.lists / "own.yaml"
    path.write_text(content, encoding="utf-8")

    [finding] = lint(project)
    assert (finding.place.path, finding.place.line) == (path, line)
    assert says in str(finding)
