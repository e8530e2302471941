"""The manifest: what is written is read again, and what is damaged is told."""

import datetime
import json
import os

import pytest

from project.errors import RunError
from releases.manifest import (
    MANIFEST_FILE,
    InputFile,
    NoManifestError,
    TableDigest,
    read_manifest,
)

FILE = InputFile(
    feed="calls",
    file="五月.csv",
    digest="d",
    status="loaded",
    n_read=2,
    n_loaded=1,
    n_duplicate=1,
    n_rejected=0,
)


def test_what_is_written_is_read_again(tmp_path, manifest):
    made = manifest(
        "may",
        inputs=(FILE,),
        tables={"customers": 3},
        table_digests={"customers": TableDigest(line="3\t1\t2", without=("phone",))},
        known_at=datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC),
    )
    made.write(tmp_path)
    assert read_manifest(tmp_path) == made
    # People read it, too.
    assert "五月.csv" in (tmp_path / MANIFEST_FILE).read_text(encoding="utf-8")


def test_a_manifest_of_an_earlier_version_of_fenji_is_read(tmp_path, manifest):
    manifest("may").write(tmp_path)
    file = tmp_path / MANIFEST_FILE
    written = json.loads(file.read_text())
    for later in ("known_at", "missing_inputs", "table_digests", "files"):
        del written[later]
    file.write_text(json.dumps(written))
    assert read_manifest(tmp_path) == manifest("may")


def test_a_manifest_that_is_not_there_is_told_apart_from_a_damaged_one(
    tmp_path, manifest
):
    with pytest.raises(NoManifestError, match=r"manifest\.json: is missing; put it"):
        read_manifest(tmp_path)
    manifest("may").write(tmp_path)
    file = tmp_path / MANIFEST_FILE
    file.write_text(file.read_text()[:-40])
    with pytest.raises(RunError, match=r"manifest\.json: is damaged: ") as caught:
        read_manifest(tmp_path)
    assert not isinstance(caught.value, NoManifestError)
    file.unlink()
    file.mkdir()
    with pytest.raises(RunError, match=r"manifest\.json: is damaged: "):
        read_manifest(tmp_path)


def test_a_manifest_is_parsed_again_once_it_is_another(tmp_path, manifest):
    manifest("may").write(tmp_path)
    first = read_manifest(tmp_path)
    assert read_manifest(tmp_path) is first
    manifest("june").write(tmp_path)
    os.utime(tmp_path / MANIFEST_FILE, ns=(0, 1))
    assert read_manifest(tmp_path).release_id == "june"
