"""Canaries: texts that may be read nowhere, planted in everything that Fenji reads.

Each column of each feed holds a name, a telephone number and a mail address of its own;
so do headers, columns that nobody maps, rows that are rejected, names of files and
settings. What a run, a failure and the UI leave behind is decoded and looked through.
What may be found, the contracts of the feeds say: an id, and the name of a person typed
into a column that is published. The warehouse and the quarantine hold all of it, for
their owner alone.

The names of the same project, and an id, are what a browser or a terminal takes for
commands where they are not shown as text.

`FENJI_CANARIES=ui` also has the Dagster UI launch runs, and looks through all it shows.
With `all` there are files of every kind for all feeds, and all schemes grade as well.
"""

import csv
import gzip
import http.client
import io
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
import yaml

from schemes.language.sources import LIBRARY_TAGS as TAGS_FILE
from sql.contracts import Column, Contract, feeds

AS_OF = "2026-05-31"
START_LIMIT_SECONDS = 600
ASKED = os.environ.get("FENJI_CANARIES")
IS_LARGE, HAS_UI = ASKED == "all", ASKED in {"all", "ui"}
# The feeds of which there are files of every kind: those with personal columns first.
WHOLE = tuple(feeds()) if IS_LARGE else ("customers", "manual_tags", "transactions")

OWNED = "document.title='owned'"
HOSTILE = f'<script>{OWNED}</script><img src=x onerror="{OWNED}">\u202e\x9b2J=1+1'
HOSTILE_ID = "C9 <b onclick=x>\u202e\x1b[2J"
SCHEME = {
    "scheme": "hostile",
    "version": 1,
    "kind": "ladder",
    "name": {"en": f"Name {HOSTILE}", "zh": f"名 {HOSTILE}"},
    "needs": ["transactions"],
    "rules": [
        {
            "tier": "buys",
            "when": "orders('ever') >= 1",
            "reason": {"en": f"Reason {HOSTILE}", "zh": f"因 {HOSTILE}"},
        },
        {"tier": "none", "reason": {"en": "None", "zh": "无"}},
    ],
    "tiers": [
        {"tier": "buys", "name": {"en": f"Tier {HOSTILE}", "zh": f"级 {HOSTILE}"}},
        {"tier": "none", "name": {"en": "None", "zh": "无"}},
    ],
}

# The three kinds of canaries; the number tells where one was planted.
KINDS = {
    "name": ("Kanarie{:04}", re.compile(rb"kanarie(\d{4})", re.IGNORECASE)),
    "phone": ("139-0000-{:04}", re.compile(rb"139\D?0000\D?(\d{4})")),
    "mail": ("post{:04}@birds.example", re.compile(rb"post(\d{4})@", re.IGNORECASE)),
}

GOOD = {
    "text": "T",
    "currency": "CNY",
    "date": "2026-05-01",
    "month": "2026-05",
    "timestamp": "2026-05-01 10:00:00",
    "boolean": "true",
}
# Personal columns whose words are tags, by the library's own dictionary.
TAGS = {
    group["values"]
    for group in yaml.safe_load(TAGS_FILE.read_text("utf-8"))["groups"]
    if group.get("publishes_personal")
}
# Words that mean something in columns that take any.
WORDS = {
    "scheme": "red_list",
    "characteristic": "strength",
    "kind": "form",
    "id_kind": "phone",
}


@dataclass
class Planted:
    """Where each canary stands, and whether it may be published."""

    places: dict[int, str] = field(default_factory=dict)
    open_names: set[int] = field(default_factory=set)

    def plant(self, place: str, *kinds: str, is_open: bool = False) -> str:
        """Canaries of the kinds, all by default, in one text."""
        number = len(self.places) + 1
        self.places[number] = place
        if is_open:
            self.open_names.add(number)
        return " ".join(KINDS[kind][0].format(number) for kind in kinds or KINDS)

    def found(self, content: bytes) -> set[str]:
        """The canaries in a content that may not be there, by kind and place."""
        return {
            f"{kind} of {self.places[number]}"
            for kind, (_, pattern) in KINDS.items()
            for number in map(int, pattern.findall(content))
            if kind != "name" or number not in self.open_names
        }


def is_id(column: Column) -> bool:
    return column.name.endswith("_id") or column.name == "line_no"


def is_free(column: Column) -> bool:
    """Whether the column takes any text."""
    is_text = column.type == "text" or (column.type == "choice" and not column.values)
    return is_text and not is_id(column)


def good(column: Column, row: int) -> str:
    if column.name == "customer_id":
        return f"C{row % 6}"
    if is_id(column):
        return f"{column.name}-{row}"
    if column.name in {"bill_month", "stopped_at", "rate_date"}:
        # A part of the key that is no id.
        day = f"2026-0{1 + row % 5}-0{1 + row // 5}"
        return day[:7] if column.type == "month" else day
    if column.values:
        return column.values[0]
    return GOOD.get(column.type, WORDS.get(column.name, "1"))


def rows_of(feed: Contract, planted: Planted) -> Iterator[dict[str, str]]:
    """Rows that load with canaries in their texts, and rows that are rejected."""
    number = itertools.count()
    for kind, words in itertools.product(KINDS, (True, False)):
        row = next(number)
        made = {column.name: good(column, row) for column in feed.columns}
        for column in feed.columns:
            if is_free(column) and not (words and column.name in WORDS):
                place = f"{feed.table}.{column.name}"
                is_open = not column.personal or place in TAGS
                made[column.name] = planted.plant(place, kind, is_open=is_open)
        yield made
    for column in feed.columns:
        if not is_free(column) and not is_id(column):
            row = next(number)
            made = {other.name: good(other, row) for other in feed.columns}
            yield {**made, column.name: planted.plant(f"{feed.table}.{column.name}")}


def as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def land(shop, feed, planted):
    """The files of a feed: a good one, and one for each way to be bad."""
    table = feed.table
    names = [column.name for column in feed.columns]
    rows = list(rows_of(feed, planted))
    header = [*names, planted.plant(f"the header of {table}")]
    body = [
        [*row.values(), planted.plant(f"a column of {table} that nobody maps")]
        for row in rows
    ]
    extra = [*body[0], planted.plant(f"a row of {table} that is too long")]
    unclosed = f'"{planted.plant(f"an open quote of {table}")},\n'
    text = as_csv([header, *body, extra]) + unclosed
    shop.land(f"{table}/{planted.plant(f'a file of {table}', 'phone')}.csv", text)
    if table not in WHOLE:
        return
    objects = [
        {**row, planted.plant(f"a key of {table}"): planted.plant(f"JSON of {table}")}
        for row in rows[-2:]
    ]
    lines = [json.dumps(row) for row in objects]
    lines.append(f'{{"{names[0]}": "{planted.plant(f"torn JSON of {table}")}"')
    place = f"{table}/{planted.plant(f'another file of {table}', 'mail')}.jsonl"
    shop.land(place, "\n".join(lines))
    row = [planted.plant(f"a row of {table} for a header") for _ in names]
    shop.land(f"{table}/headless.csv", as_csv([row, row]))


def settings(planted):
    """Settings whose constants and expressions are canaries."""
    columns = {
        "customer_id": "number",
        "email": {"expr": f"'{planted.plant('an expression of fenji.yaml')}'"},
    }
    return {
        "name": HOSTILE,
        "currency": "CNY",
        # Enough for every table to be made; all of them would take most of the time.
        "schemes": {} if IS_LARGE else {"only": ["rfm_8", "big_customer", "hostile"]},
        "feeds": {
            "customers": [
                {
                    "files": "mapped.csv",
                    "columns": columns,
                    "constants": {
                        "customer_name": planted.plant("a constant"),
                        "hobby": planted.plant("a published constant", is_open=True),
                    },
                },
                {"files": "**/*"},
            ]
        },
    }


def decoded(path: Path) -> Iterator[bytes]:
    """What a file holds, also where it is packed."""
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    if content[:4] == b"PAR1":
        rows = duckdb.sql(f"select * from '{path}'").fetchall()
        yield repr(rows).encode()
    if content[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as con:
            for schema, table in con.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall():
                found = con.execute(f'select * from "{schema}"."{table}"').fetchall()
                yield repr(found).encode()
            yield repr(
                con.execute("select sql from duckdb_views()").fetchall()
            ).encode()
    if content[:15] == b"SQLite format 3":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as log:
            yield "\n".join(log.iterdump()).encode()


OWNERS = ("warehouse.duckdb", "quarantine")


def left_behind(root: Path) -> Iterator[Path]:
    """All files of a project but those of its owner and what was put there."""
    for path in sorted((root / "data").rglob("*")):
        inside = path.relative_to(root / "data")
        owned = inside.parts[0].startswith(OWNERS)
        if path.is_file() and not path.is_symlink() and not owned:
            yield path


def seen(root, planted, *outputs):
    """The canaries that can be read by others, and where."""
    found = {
        str(path.relative_to(root)): told
        for path in left_behind(root)
        if (told := set().union(*map(planted.found, decoded(path))))
    }
    for name, text in outputs:
        if told := planted.found(text.encode()):
            found[name] = told
    return found


@dataclass(frozen=True)
class Tried:
    """A project full of canaries, and all that its commands said."""

    root: Path
    planted: Planted
    outputs: list[tuple[str, str]]

    @property
    def seen(self):
        return seen(self.root, self.planted, *self.outputs)


@pytest.fixture(scope="module")
def birds(tmp_path_factory, make_shop):
    """A run over canaries in every place, and what people ask of it afterwards."""
    planted = Planted()
    shop = make_shop(tmp_path_factory.mktemp("birds"))
    (shop.root / "fenji.yaml").write_text(json.dumps(settings(planted)), "utf-8")
    (shop.root / "schemes").mkdir()
    (shop.root / "schemes/hostile.yaml").write_text(json.dumps(SCHEME), "utf-8")
    shop.land("customers/mapped.csv", "number\nC0\n")
    line = {"transaction_id": "T9", "customer_id": HOSTILE_ID}
    line |= {"occurred_at": "2026-05-01", "amount": "9"}
    shop.land("transactions/hostile.jsonl", json.dumps(line))
    for feed in feeds().values():
        land(shop, feed, planted)
    outputs = []
    for command in (
        ("run", "--as-of", AS_OF),
        ("run", "--as-of", AS_OF, "--json"),
        ("explain", "C0"),
        ("explain", "C1", "--json"),
        ("explain", HOSTILE_ID, "--scheme", "hostile"),
        ("explain", HOSTILE_ID, "--scheme", "hostile", "--json"),
        ("releases", "--json"),
        ("schemes",),
    ):
        ended = shop.call(*command)
        assert ended.status == 0, (command, ended.err)
        outputs += [(f"{command} out", ended.out), (f"{command} err", ended.err)]
    return Tried(shop.root, planted, outputs)


def test_the_canaries_were_read(birds):
    """Else nothing would be proved by not finding them."""
    with duckdb.connect(
        str(birds.root / "data/warehouse.duckdb"), read_only=True
    ) as con:
        for table, feed in feeds().items():
            rows = con.execute(f"select * from raw.{table}").fetchall()
            assert rows, table
            personal = [column.name for column in feed.columns if column.personal]
            for column in personal:
                if feed.column(column).type == "text":
                    held = repr(
                        con.execute(f"select {column} from raw.{table}").fetchall()
                    )
                    assert KINDS["name"][1].search(held.encode()), column
    kept = b"".join(
        path.read_bytes() for path in (birds.root / "data/quarantine").rglob("*.csv")
    )
    rejected = {
        f"{table}.{column.name}"
        for table, feed in feeds().items()
        for column in feed.columns
        # Any text is a currency, until a rate for it is looked for.
        if not is_free(column) and not is_id(column) and column.type != "currency"
    }
    places = {birds.planted.places[int(n)] for n in KINDS["name"][1].findall(kept)}
    assert rejected <= places


def test_names_that_people_type_are_published_as_the_contract_says(birds):
    with duckdb.connect(
        str(birds.root / "data/current/fenji.duckdb"), read_only=True
    ) as con:
        for column in ("industry", "hobby", "occupation"):
            held = repr(con.execute(f"select {column} from customers").fetchall())
            assert "Kanarie" in held
            assert "***" in held


def test_no_canary_can_be_read_by_others(birds):
    assert birds.seen == {}


def test_what_holds_canaries_is_for_its_owner_alone(birds):
    data = birds.root / "data"
    owned = list(data.glob("warehouse.duckdb*"))
    owned += [data / "quarantine", *(data / "quarantine").rglob("*")]
    assert len(owned) > len(feeds())
    for path in owned:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_releases_are_for_others_to_read(birds):
    release = (birds.root / "data/current").resolve()
    for path in (release.parent, release, *release.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = 0o055 if path.is_dir() else 0o044
        assert mode & wanted == wanted, path


def test_a_file_whose_name_is_masked_is_still_told_apart(birds):
    with duckdb.connect(
        str(birds.root / "data/current/fenji.duckdb"), read_only=True
    ) as con:
        rows = con.execute("select feed, file from feed_reconciliation").fetchall()
    assert len(rows) == len(set(rows)) == len(feeds()) + 2 * len(WHOLE) + 2
    masked = [file for _, file in rows if "***" in file]
    assert len(masked) == len(set(masked)) == len(feeds()) + len(WHOLE)


@pytest.fixture(scope="module")
def fallen(tmp_path_factory, make_shop):
    """Runs that fail: all is rejected or refused; then a mapping is wrong."""
    planted = Planted()
    shop = make_shop(tmp_path_factory.mktemp("fallen"))
    (shop.root / "fenji.yaml").write_text("name: fallen\n", "utf-8")
    for table in ("customers", "transactions", "manual_tags"):
        feed = feeds()[table]
        names = [column.name for column in feed.columns]
        bad = [""] + [planted.plant(f"{table}.{name}") for name in names[1:]]
        shop.land(
            f"{table}/{planted.plant('a file', 'phone')}.csv", as_csv([names, bad])
        )
        row = [planted.plant(f"a row of {table} for a header") for _ in names]
        shop.land(f"{table}/headless.csv", as_csv([row, row]))
        shop.land(f"{table}/{planted.plant('a kind', 'phone', 'mail')}.dat", "x")
    outputs = []
    for command in (("run", "--as-of", AS_OF), ("run", "--as-of", AS_OF, "--json")):
        ended = shop.call(*command)
        assert ended.status == 1, ended.err
        outputs += [(f"{command} out", ended.out), (f"{command} err", ended.err)]
    shop.land("bills/b.csv", as_csv([["Kunde", planted.plant("a header")], ["1", "2"]]))
    mapping = {"columns": {"customer_id": "Kund", "amount": {"expr": "Betrag"}}}
    text = json.dumps({"name": "fallen", "feeds": {"bills": mapping}})
    (shop.root / "fenji.yaml").write_text(text, "utf-8")
    ended = shop.call("run", "--as-of", AS_OF)
    assert ended.status != 0
    outputs += [("wrong mapping out", ended.out), ("wrong mapping err", ended.err)]
    return Tried(shop.root, planted, outputs)


def test_neither_by_runs_that_fail(fallen):
    assert fallen.seen == {}
    assert sum("refused" in text for _, text in fallen.outputs)


class Pages(HTMLParser):
    """The tags of a page, and whatever of them a browser would act on."""

    def __init__(self):
        super().__init__()
        self.tags = set()
        self.acting = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.acting += [name for name, _ in attrs if name.startswith("on")]
        if tag in {"script", "img", "iframe", "object", "embed", "form", "base"}:
            self.acting.append(tag)


@pytest.mark.parametrize("name", ["report.html", "quality/index.html"])
def test_names_are_text_on_every_page(birds, name):
    text = (birds.root / "data/current" / name).read_text("utf-8")
    page = Pages()
    page.feed(text)
    assert "table" in page.tags
    assert page.acting == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    if name == "report.html":
        for word in ("Name", "名", "Tier", "级"):
            assert f"{word} &lt;script&gt;" in text


def test_names_do_nothing_in_a_browser(birds, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's chromium to look at a page")
    page = birds.root / "data/current/report.html"
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
         f"--user-data-dir={tmp_path}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (title,) = re.findall(r"(?s)<title>(.*?)</title>", done.stdout)
    assert title.startswith("&lt;script&gt;")
    assert "Tier &lt;script&gt;" in done.stdout


def test_names_and_ids_steer_no_terminal(birds):
    explained = [text for name, text in birds.outputs if "hostile" in name]
    assert len(explained) == 4
    assert "C9 <b onclick=x>\\u202e\\x1b[2J" in "".join(explained)
    assert "Name <script>" in "".join(explained)
    for name, text in birds.outputs:
        found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
        assert not found, (name, found)


LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
PLACES = """
{ repositoriesOrError {
    ... on RepositoryConnection { nodes { name location { name } } }
} }
"""
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
ASSETS = "{ assetNodes { id description groupName } }"
LOGS = """
query ($id: ID!) {
  logsForRun(runId: $id) {
    __typename
    ... on EventConnection {
      events {
        __typename
        ... on MessageEvent { message level stepKey }
        ... on ErrorEvent { error { message stack errorChain { error { message } } } }
        ... on MaterializationEvent {
          description
          metadataEntries {
            label
            description
            ... on TextMetadataEntry { text }
            ... on MarkdownMetadataEntry { mdStr }
            ... on JsonMetadataEntry { jsonString }
            ... on IntMetadataEntry { intValue }
          }
        }
        ... on LogsCapturedEvent { fileKey externalUrl logKey }
      }
    }
  }
}
"""


def asked(port, query, variables=None):
    """What the UI's own GraphQL answers, as text and as data."""
    body = json.dumps({"query": query, "variables": variables or {}})
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        web.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        text = web.getresponse().read().decode()
    finally:
        web.close()
    answer = json.loads(text)
    assert "errors" not in answer, answer["errors"]
    return text, answer["data"]


@contextmanager
def ui(shop):
    """`fenji ui` of a project; its port, and what it writes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = shop.root / "ui.log"
    fenji = str(Path(sysconfig.get_path("scripts")) / "fenji")
    command = [fenji, "ui", "--port", str(port), "--project", str(shop.root)]
    with log.open("wb") as stream:
        serving = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        end = time.monotonic() + START_LIMIT_SECONDS
        while True:
            assert serving.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            with suppress(OSError, ValueError, AssertionError):
                _, places = asked(port, PLACES)
                (place,) = places["repositoriesOrError"]["nodes"]
                break
            time.sleep(1)
        yield port, place, log
        serving.terminate()
        serving.wait(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGKILL)
        serving.wait()


@pytest.mark.skipif(not HAS_UI, reason="a session of the UI takes FENJI_CANARIES=ui")
@pytest.mark.parametrize("project", ["birds", "fallen"])
def test_neither_in_a_session_of_the_ui(project, request, make_shop):
    """Runs that the UI launches, one of which fails, and all that it shows of them."""
    tried = request.getfixturevalue(project)
    answers = []
    with ui(make_shop(tried.root)) as (port, place, log):
        params = {
            "selector": {
                "repositoryName": place["name"],
                "repositoryLocationName": place["location"]["name"],
                "pipelineName": "grade",
            },
            "executionMetadata": {
                "tags": [{"key": "dagster/partition", "value": "2026-05-30"}]
            },
        }
        _, launched = asked(port, LAUNCH, {"params": params})
        run_id = launched["launchRun"]["run"]["runId"]
        end = time.monotonic() + START_LIMIT_SECONDS
        status = None
        while status not in {"SUCCESS", "FAILURE", "CANCELED"}:
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(2)
            text, found = asked(port, RUNS)
            runs = {run["runId"]: run for run in found["runsOrError"]["results"]}
            status = runs[run_id]["status"]
        assert status == ("SUCCESS" if project == "birds" else "FAILURE")
        answers += [("runs", text), ("assets", asked(port, ASSETS)[0])]
        answers += [
            (f"run {run_id}", asked(port, LOGS, {"id": run_id})[0]) for run_id in runs
        ]
        assert sum("STEP" in text.upper() for _, text in answers)
    answers.append(("log", log.read_text("utf-8", "replace")))
    assert seen(tried.root, tried.planted, *answers) == {}
