"""The Dagster UI in a real browser, and what it starts, by the same GraphQL as it."""

import contextlib
import html
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

START_LIMIT_SECONDS = 180
SALES = """\
transaction_id,customer_id,occurred_at,amount
t1,c1,2026-05-01,10.00
t2,c2,2026-05-02,20.00
t3,c2,2026-05-03,30.00
"""
OVERRIDES = """\
customer_id,scheme,tier,reason,approved_by,starts_on
c1,annual_pionts,A,promised,boss,2026-05-01
"""
# Nothing but the page itself; the network is not there to be asked.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=2400,1400",
    "--virtual-time-budget=30000",
]


@pytest.fixture(scope="module")
def chromium():
    """The browser's program."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("there is no chromium on PATH")
    return found


@pytest.fixture(scope="module")
def company_of_ui(companies):
    """A company that has run once."""
    company = companies.new("ui")
    company.settings("name: ui\ntimezone: UTC\n")
    company.land("transactions/sales.csv", SALES)
    company.land("overrides/decided.csv", OVERRIDES)  # names a scheme that is not there
    company.run("2026-05-31").expect(0)
    return company


@pytest.fixture(scope="module")
def ui(company_of_ui):
    """The address of `fenji ui` of that company."""
    company = company_of_ui
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = company.root / "ui.log"
    with log.open("wb") as stream:
        serving = subprocess.Popen(
            company.command("ui", "--port", str(port)),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + START_LIMIT_SECONDS
        while not answers(port):
            assert serving.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
        # As a service manager stops it: the one process, which ends its servers.
        serving.terminate()
        serving.wait(timeout=60)
        end = time.monotonic() + 15
        while answers(port) and time.monotonic() < end:
            time.sleep(0.5)
        assert not answers(port), "the web server outlived the command"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGKILL)
        serving.wait()


def answers(port):
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", "/server_info")
        return asked.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        asked.close()


@pytest.fixture
def words(chromium, ui, tmp_path):
    """All texts of a page as the browser has drawn it."""

    def read(path):
        done = subprocess.run(
            [chromium, *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", ui + path],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=True,
        )
        body = re.sub(r"(?s)<(style|script)\b.*?</\1>", "", done.stdout)
        texts = re.sub(r"<[^>]*>", "\n", body).splitlines()
        return [html.unescape(text).strip() for text in texts if text.strip()]

    return read


def test_the_lineage_goes_from_landing_to_release(words):
    texts = words("/asset-groups")
    assert "Global asset lineage" in texts
    # A page that starts with an offer to subscribe hides the lineage.
    assert "Join the Dagster community" not in texts
    layers = {"landing", "raw", "staging", "core", "schemes", "marts", "release"}
    assert layers <= set(texts)


def test_a_mart_is_traced_up_to_its_feed(words):
    path = "/assets/marts/customer_rfm?view=lineage&lineageScope=upstream"
    texts = words(f"{path}&lineageDepth=20")
    assert {"landing", "raw", "staging", "core", "marts", "transactions"} <= set(texts)


def test_a_run_of_the_command_line_is_seen_here(words):
    assert "Success" in words("/runs")


def test_an_asset_says_what_a_row_is(words):
    texts = " ".join(words("/assets/marts/customer_rfm"))
    assert "monetary_amount" in texts


def test_a_failed_check_says_which_rows_break_it(words):
    path = "/assets/release/overrides_in_force?view=checks&checkDetail=suite"
    texts = words(path)
    assert {"names_what_there_is", "not_null(reason)"} <= set(texts)
    key = "customer_id = c1, scheme = annual_pionts, starts_on = 2026-05-01"
    assert f"does not hold: 1 row; {key}" in texts


WHERE = """
    query { repositoriesOrError { ... on RepositoryConnection { nodes {
        name location { name } } } } }
"""
OF_GROUP = """
    query ($group: AssetGroupSelector!) {
        assetNodes(group: $group) { assetKey { path } } }
"""
LAUNCH = """
    mutation ($params: ExecutionParams!) {
        launchPipelineExecution(executionParams: $params) {
            __typename
            ... on LaunchRunSuccess { run { runId } }
            ... on PythonError { message } } }
"""
TOLD = """
    { assetNodes(assetKeys: [{path: ["release", "current"]}]) {
        assetMaterializations(limit: 1) { metadataEntries { label
            ... on MarkdownMetadataEntry { mdStr }
            ... on PathMetadataEntry { path }
            ... on JsonMetadataEntry { jsonString } } } } }
"""
BACKFILL = """
    mutation ($params: LaunchBackfillParams!) {
        launchPartitionBackfill(backfillParams: $params) {
            __typename
            ... on LaunchBackfillSuccess { backfillId }
            ... on PythonError { message } } }
"""
BACKFILLED = """
    query ($id: String!) {
        partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
            status runs(limit: 10) { id status } } }
        assetNodes(assetKeys: [{path: ["backfill", "releases"]}]) {
            assetMaterializations(limit: 10) { partition runId } } }
"""
STATE = """
    query ($run: ID!) {
        runOrError(runId: $run) { ... on Run { status } }
        logsForRun(runId: $run) { ... on EventConnection { events {
            ... on ExecutionStepFailureEvent {
                error { errorChain { error { message } } message } } } } } }
"""


def asked(ui, query, **variables):
    """What the UI's GraphQL answers."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{ui}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        found = json.load(answer)
    assert "errors" not in found, found
    return found["data"]


def test_the_place_of_the_code_is_called_fenji(ui):
    query = """{ workspaceOrError { ... on Workspace { locationEntries { name
        locationOrLoadError { ... on RepositoryLocation { repositories {
        schedules { name scheduleState { status } }
        sensors { name sensorState { status } } } } } } } } }"""
    (entry,) = asked(ui, query)["workspaceOrError"]["locationEntries"]
    assert entry["name"] == "fenji"
    (found,) = entry["locationOrLoadError"]["repositories"]
    status = {
        tick["name"]: tick[f"{kind}State"]["status"]
        for kind in ("schedule", "sensor")
        for tick in found[f"{kind}s"]
    }
    assert status == {
        "daily": "RUNNING",
        "monthly": "STOPPED",
        "landing_files": "STOPPED",
    }


def test_a_release_shows_pictures_rows_of_views_and_its_pages(ui):
    (node,) = asked(ui, TOLD)["assetNodes"]
    (made,) = node["assetMaterializations"]
    told = {entry["label"]: entry for entry in made["metadataEntries"]}
    for picture in ("tiers", "RFM"):
        assert "](data:image/svg+xml;base64," in told[picture]["mdStr"]
    assert json.loads(told["rows of views"]["jsonString"])["customer_profile"] == 2
    assert all(Path(told[page]["path"]).is_file() for page in ("report", "Data Docs"))


def test_dates_are_shown_from_the_first_order_on(ui):
    query = """{ assetNodes(assetKeys: [{path: ["marts", "customer_rfm"]}]) {
        partitionKeys } }"""
    (node,) = asked(ui, query)["assetNodes"]
    assert node["partitionKeys"][0] == "2026-05-01"


def launched(ui, job, assets, date):
    """How a run ended that the UI has started for a date, and what its steps said."""
    (place,) = asked(ui, WHERE)["repositoriesOrError"]["nodes"]
    where = {
        "repositoryName": place["name"],
        "repositoryLocationName": place["location"]["name"],
    }
    started = asked(
        ui,
        LAUNCH,
        params={
            "selector": {"pipelineName": job, "assetSelection": assets, **where},
            "mode": "default",
            "executionMetadata": {
                "tags": [{"key": "dagster/partition", "value": date}]
            },
        },
    )["launchPipelineExecution"]
    assert started["__typename"] == "LaunchRunSuccess", started
    end = time.monotonic() + START_LIMIT_SECONDS
    while True:
        found = asked(ui, STATE, run=started["run"]["runId"])
        status = found["runOrError"]["status"]
        if status in {"SUCCESS", "FAILURE", "CANCELED"}:
            break
        assert time.monotonic() < end, found
        time.sleep(1)
    said = [
        cause["error"]["message"]
        for event in found["logsForRun"]["events"]
        if event
        for cause in event["error"]["errorChain"]
    ]
    return status, said


def test_a_release_of_another_date_than_its_tables_is_refused_in_the_ui(
    ui, company_of_ui
):
    """All tables are as of May; "Materialize all" of the group release, for June."""
    released = company_of_ui.call("releases", "--json").expect(0).json
    (place,) = asked(ui, WHERE)["repositoriesOrError"]["nodes"]
    where = {
        "repositoryName": place["name"],
        "repositoryLocationName": place["location"]["name"],
    }
    nodes = asked(ui, OF_GROUP, group={"groupName": "release", **where})["assetNodes"]
    keys = [node["assetKey"] for node in nodes]
    assert {"path": ["release", "current"]} in keys
    status, said = launched(ui, "__ASSET_JOB", keys, "2026-06-15")
    assert status == "FAILURE"
    dates = "was made as of 2026-05-31, and this run is as of 2026-06-15; select it"
    assert any(dates in message for message in said), said
    assert company_of_ui.call("releases", "--json").expect(0).json == released


def test_a_run_that_the_ui_starts_publishes_a_release(ui, company_of_ui):
    status, said = launched(ui, "grade", None, "2026-05-02")
    assert (status, said) == ("SUCCESS", [])
    found = company_of_ui.call("releases", "--json").expect(0).json["releases"]
    assert {"2026-05-02", "2026-05-31"} <= {release["as_of_date"] for release in found}


def test_a_range_of_dates_is_graded_by_one_run(ui, company_of_ui):
    dates = ["2026-05-28", "2026-05-29", "2026-05-30"]
    started = asked(
        ui,
        BACKFILL,
        params={
            "assetSelection": [{"path": ["backfill", "releases"]}],
            "partitionNames": dates,
        },
    )["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started
    end = time.monotonic() + START_LIMIT_SECONDS
    while True:
        found = asked(ui, BACKFILLED, id=started["backfillId"])
        backfill = found["partitionBackfillOrError"]
        if backfill["status"].startswith(("COMPLETED", "FAILED", "CANCELED")):
            break
        assert time.monotonic() < end, found
        time.sleep(1)
    (run,) = backfill["runs"]
    assert (backfill["status"], run["status"]) == ("COMPLETED_SUCCESS", "SUCCESS")
    (node,) = found["assetNodes"]
    told = {made["partition"]: made["runId"] for made in node["assetMaterializations"]}
    assert told == dict.fromkeys(dates, run["id"])
    listed = company_of_ui.call("releases", "--json").expect(0).json["releases"]
    assert {*dates, "2026-05-31"} <= {release["as_of_date"] for release in listed}
    current = [release for release in listed if release["is_current"]]
    assert [release["as_of_date"] for release in current] == ["2026-05-31"]
