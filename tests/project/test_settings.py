from pathlib import Path

import pytest

from project.errors import ConfigurationError
from project.folder import PROJECT_VARIABLE, open_project


def project_with(folder: Path, text: str):
    (folder / "fenji.yaml").write_text(text, encoding="utf-8")
    return open_project(folder)


def test_only_the_name_is_needed(tmp_path: Path):
    settings = project_with(tmp_path, "name: acme\n").settings
    assert (settings.timezone, settings.spend_source, settings.currency) == (
        "UTC",
        "transactions",
        None,
    )


def test_one_mapping_needs_no_list_and_several_keep_their_order(tmp_path: Path):
    settings = project_with(
        tmp_path,
        "name: a\nfeeds:\n  bills: {files: x}\n  calls: [{files: one}, {files: two}]\n",
    ).settings
    assert [mapping.files for mapping in settings.mappings_of("bills")] == ["x"]
    assert [mapping.files for mapping in settings.mappings_of("calls")] == [
        "one",
        "two",
    ]
    assert [mapping.files for mapping in settings.mappings_of("tickets")] == [None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "name: a\ntimezon: UTC\n",
            "fenji.yaml:2: timezon: unknown field; did you mean",
        ),
        ("name: a\ntimezone: Mars\n", "fenji.yaml:2: timezone: is not an IANA"),
        ("name: a\ncurrency: yuan\n", "fenji.yaml:2: currency: is not an ISO 4217"),
        ("name: a\ncurrency: XXQ\n", "fenji.yaml:2: currency: is not an ISO 4217"),
        ("name: a\ncurrency: cny\n", "fenji.yaml:2: currency: is not an ISO 4217"),
        ("name: a\ncurrency: HRK\n", "fenji.yaml:2: currency: is not an ISO 4217"),
        ("- name: a\n", "fenji.yaml: must be a mapping of settings such as name: acme"),
        ("acme\n", "fenji.yaml: must be a mapping of settings such as name: acme"),
        ("name: a\nresources: [1]\n", "fenji.yaml:2: resources: must be a mapping"),
        ("name: a\nresources: {threads: 0}\n", "resources.threads"),
        ("name: a\nresources: {memory_limit: lots}\n", "resources.memory_limit"),
        ("name: a\nspend_source: cash\n", "fenji.yaml:2: spend_source"),
        ("name: a\nschemes: {only: [a], except: [b]}\n", "fenji.yaml:2: schemes"),
        ("name: a\npublish: {keep_releases: 0}\n", "publish.keep_releases"),
        ("timezone: UTC\n", "fenji.yaml: name: is required"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_file_and_field(tmp_path, text, says):
    with pytest.raises(ConfigurationError) as caught:
        project_with(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "zone", ["Asia", "asia/shanghai", "../UTC", "/UTC", "''", "posix/UTC", "localtime"]
)
def test_a_zone_is_one_of_iana_and_nothing_else_that_lies_beside_them(tmp_path, zone):
    (tmp_path / "fenji.yaml").write_text(f"name: a\ntimezone: {zone}\n")
    with pytest.raises(ConfigurationError, match="is not an IANA time zone"):
        open_project(tmp_path)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Etc/GMT+8", "US/Pacific"])
def test_every_zone_of_iana_will_do(tmp_path, zone):
    (tmp_path / "fenji.yaml").write_text(f"name: a\ntimezone: {zone}\n")
    assert open_project(tmp_path).settings.timezone == zone


@pytest.mark.parametrize("code", ["CNY", "EUR", "ZWG", "CZK"])
def test_a_currency_is_one_of_iso_4217(tmp_path: Path, code):
    settings = project_with(tmp_path, f"name: a\ncurrency: {code}\n").settings
    assert settings.currency == code


def test_a_folder_without_settings_and_no_folder_are_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"fenji\.yaml"):
        open_project(tmp_path)
    with pytest.raises(ConfigurationError, match="no such project folder"):
        open_project(tmp_path / "absent")


def test_the_folder_is_the_argument_else_the_variable_else_here(tmp_path, monkeypatch):
    for name in ("argument", "variable", "here"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "fenji.yaml").write_text(f"name: {name}\n")
    monkeypatch.chdir(tmp_path / "here")
    assert open_project().settings.name == "here"
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path / "variable"))
    assert open_project().settings.name == "variable"
    assert open_project(tmp_path / "argument").settings.name == "argument"
