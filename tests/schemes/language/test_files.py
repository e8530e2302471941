"""Schemes of a project: which there are, their parameters, their versions, errors."""

import pytest

from project.errors import ConfigurationError
from schemes.language.digests import schemes_digest
from schemes.language.files import in_order, read_schemes

OWN = """\
scheme: own
version: 2
kind: ladder
name: {en: Own, zh: 自有}
rules:
  - {tier: a, when: "spend_band.tier = 'high'"}
  - {tier: b}
tiers:
  - {tier: a, name: {en: A, zh: 甲}}
  - {tier: b, name: {en: B, zh: 乙}}
"""


def by_name(project):
    return {scheme.scheme: scheme for scheme in read_schemes(project)}


def add(project, content, name="own"):
    project.schemes.mkdir(exist_ok=True)
    (project.schemes / f"{name}.yaml").write_text(content, encoding="utf-8")


def test_a_project_has_the_library_and_its_own(project_of):
    project = project_of()
    add(project, OWN)
    (project.schemes / "tags.yaml").write_text("groups: {}", encoding="utf-8")
    found = by_name(project)
    assert found["own"].version == "2"
    assert found["own"].reads_schemes == ("spend_band",)
    assert "rfm_8" in found


def test_parameters_change_the_version_and_the_digest(project_of):
    plain = by_name(project_of())["annual_points"]
    same = by_name(project_of({"annual_points.tiers.C.from": 3000}))["annual_points"]
    other = by_name(project_of({"annual_points.tiers.C.from": 3500}))["annual_points"]
    assert (plain.version, same.version) == ("2", "2")
    assert other.version.startswith("2+")
    assert len(other.version) == 10
    assert other.document.tiers[1].from_ == 3500
    assert by_name(project_of({"rfm_8.cut": "median"}))["rfm_8"].version != "1"


def test_a_named_set_is_chosen_by_the_scheme_alone(project_of):
    found = by_name(
        project_of({"bank_aum": "low_entry", "bank_aum.tiers.gold.from": 7})
    )
    bounds = {tier.tier: tier.from_ for tier in found["bank_aum"].document.tiers}
    assert (bounds["platinum"], bounds["gold"]) == (200000, 7)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rfm_9.cut": "median"}, "'rfm_9'; did you mean 'rfm_8'?"),
        ({"rfm_8.cutt": "median"}, "no parameter 'cutt'; did you mean 'cut'?"),
        ({"rfm_8.cut": "middle"}, "must be one of mean, median, quantile, fixed"),
        ({"rfm_8.window": "12 weeks"}, "'12 weeks' is no window"),
        ({"annual_points.tiers.X.from": 1}, "'tiers' has no entry 'X'"),
        ({"annual_points.tiers.A.from": 1}, "'tiers.A' has no 'from' to set"),
        ({"annual_points.tiers.C.from": 9000}, "'from' falls"),
        ({"bank_aum": "lowest"}, "'lowest' is no set of parameters"),
    ],
)
def test_wrong_parameters_name_the_setting(project_of, parameters, message):
    project = project_of(parameters)
    lines = ["name: test", "schemes:", "  parameters:"]
    lines += [f"    {name}: {value}" for name, value in parameters.items()]
    (project.root / "fenji.yaml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_schemes(project)
    said = str(caught.value)
    assert said.startswith(f"{project.root / 'fenji.yaml'}:4: schemes.parameters.")
    assert message in said
    assert "\n" not in said


def test_only_and_except(project_of):
    chosen = by_name(project_of(only=["size_class"]))
    enabled = {name for name, scheme in chosen.items() if scheme.is_enabled}
    # With all that it reads, directly or not.
    assert enabled == {
        "size_class",
        "value_pyramid",
        "upgrade_potential",
        "spend_band",
    }
    left = by_name(project_of(**{"except": ["rfm_8"]}))
    assert [name for name, scheme in left.items() if not scheme.is_enabled] == ["rfm_8"]
    with pytest.raises(ConfigurationError, match="no scheme 'rfm8'; did you mean"):
        read_schemes(project_of(only=["rfm8"]))


def test_the_digest_is_of_what_the_schemes_say(project_of):
    project = project_of()
    before = schemes_digest(project)
    assert schemes_digest(project_of()) == before
    add(project, OWN)
    with_own = schemes_digest(project)
    assert with_own != before
    add(project, "# a comment\n" + OWN)
    assert schemes_digest(project) == with_own


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a", "own.yaml: is not a scheme"),
        ("scheme: own", "own.yaml: kind: must be one of bands"),
        (OWN.replace("ladder", "lader"), "own.yaml:3: kind: 'lader' is no kind"),
        (OWN.replace("version: 2", ""), "own.yaml: version: is required"),
        (OWN.replace("rules:", "rulez:"), "own.yaml:5: rulez: unknown field"),
        (OWN + "colour: red", "own.yaml:11: colour: unknown field"),
        (
            OWN.replace("scheme: own", "scheme: Own"),
            "own.yaml:1: scheme: is not a name",
        ),
        (OWN.replace("zh: 自有", "zh: ''"), "own.yaml:4: name.zh: is empty"),
        (OWN.replace("tier: b}", "tier: c}"), "'tiers' has no tier 'c'"),
        (OWN.replace("scheme: own", "scheme: rfm_8"), "is a scheme of the library"),
    ],
)
def test_wrong_files_name_line_and_field(project_of, content, message):
    project = project_of()
    add(project, content)
    with pytest.raises(ConfigurationError) as caught:
        read_schemes(project)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_schemes_that_read_each_other_are_refused(project_of):
    project = project_of()
    add(project, OWN.replace("spend_band.tier = 'high'", "other.tier = 'a'"))
    add(
        project,
        OWN.replace("scheme: own", "scheme: other").replace("spend_band", "own"),
        "other",
    )
    with pytest.raises(
        ConfigurationError, match=r"other → own → other|own → other → own"
    ):
        in_order(read_schemes(project))
