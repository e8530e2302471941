"""Object storage is brought up to date, whatever it shows and has."""

import json
import os

import polars as pl
import pytest

from project.errors import RunError
from releases import pointing, retraction, store
from releases.object_storage.bucket import Bucket
from tests.releases.object_storage.conftest import BUCKET, FOLDER
from tests.releases.small_releases import N_CUSTOMERS


def shown(bucket):
    """The release that readers are pointed at."""
    return json.loads(bucket.read("current.json"))["release_id"]


def folders(bucket):
    return sorted({path.split("/")[1] for path in bucket.paths("releases")})


def test_a_release_arrives_whole_and_once(shop, bucket, endpoint, monkeypatch):
    made = shop.publish(1)
    done = shop.pushed()
    place = f"releases/{made.release_id}"
    names = [*made.files, "manifest.json"]
    assert bucket.paths(place) == sorted(f"{place}/{name}" for name in names)
    assert (done.n_files, done.is_new) == (len(names), True)
    folder = shop.project.releases / made.release_id
    assert done.n_bytes == sum((folder / name).stat().st_size for name in names)
    for name in names:
        assert bucket.read(f"{place}/{name}") == (folder / name).read_bytes()
    assert json.loads(bucket.read("current.json")) == {
        "release_id": made.release_id,
        "as_of_date": str(made.as_of_date),
        "content_digest": made.content_digest,
        "path": place,
    }
    read = pl.read_parquet(
        f"s3://{BUCKET}/{FOLDER}/{place}/tables/customers.parquet",
        storage_options={
            "aws_endpoint_url": endpoint,
            "aws_access_key_id": "analyst",
            "aws_secret_access_key": "word",
            "aws_region": "us-east-1",
            "aws_allow_http": "true",
        },
    )
    assert read.height == N_CUSTOMERS

    with monkeypatch.context() as nothing_may_be_sent:
        nothing_may_be_sent.delattr(Bucket, "send")
        nothing_may_be_sent.delattr(Bucket, "write")
        again = shop.pushed()
    assert (again.n_files, again.is_new) == (0, False)

    # Of a release that is not whole, what has its size and digest is not sent again.
    bucket.delete(f"{place}/manifest.json")
    database = bucket.read(f"{place}/fenji.duckdb")
    bucket.put(f"{place}/fenji.duckdb", bytes(len(database)))
    assert shop.pushed().n_files == 2
    assert bucket.read(f"{place}/fenji.duckdb") == database


def test_a_release_that_could_not_be_sent_is_not_shown(shop, bucket):
    former = shop.publish(1)
    shop.pushed()
    made = shop.publish(2)
    folder = shop.project.releases / made.release_id
    last = list(made.files)[-1]
    held = (folder / last).read_bytes()
    os.chmod((folder / last).parent, 0o700)  # noqa: PTH101
    (folder / last).unlink()
    with pytest.raises(RunError, match="cannot be read") as raised:
        shop.pushed()
    assert str(folder / last) in str(raised.value)
    assert len(bucket.paths(f"releases/{made.release_id}")) == len(made.files) - 1
    assert shown(bucket) == former.release_id

    (folder / last).write_bytes(held)
    assert shop.pushed().n_files == 2  # that file and the manifest
    assert shown(bucket) == made.release_id


def test_older_releases_go_but_never_the_one_that_is_shown(shop, bucket):
    made = []
    for number in (1, 2):
        made.append(shop.publish(number).release_id)
        shop.pushed(keep=2)
    bucket.put("releases/notes/by_hand.txt", b"of somebody else")
    bucket.put("releases/2026-01-01-half/fenji.duckdb", b"of a push that was stopped")
    pointing.point_at(shop.project, made[0])
    back = shop.pushed(keep=1)
    assert (back.n_files, back.is_new) == (0, True)
    assert back.dropped == ("2026-01-01-half", made[1])
    assert shown(bucket) == made[0]
    assert folders(bucket) == [made[0], "notes"]

    pointing.point_at(shop.project, made[1])
    assert shop.pushed(keep=2).dropped == ()
    made.append(shop.publish(3).release_id)
    pointing.point_at(shop.project, made[2])
    assert len(shop.pushed(keep=2).dropped) == 1
    assert made[2] in folders(bucket)
    assert len(folders(bucket)) == 3  # two releases and the notes


def test_what_is_retracted_is_shown_no_more(shop, bucket):
    made = [shop.publish(1)]
    shop.pushed()
    made.append(shop.publish(2))
    shop.pushed()
    retraction.retract(shop.project, made[1].release_id, "prices were in cents")
    done = shop.pushed()
    assert done.release_id == shown(bucket) == made[0].release_id
    assert done.dropped == (made[1].release_id,)

    retraction.retract(shop.project, made[0].release_id, "so were these")
    assert store.current(shop.project) is None
    assert shop.pushed() is None
    assert bucket.paths() == []
