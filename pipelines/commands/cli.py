"""The command line `fenji`: reads arguments, calls one thing, prints.

Start-up is part of every command, so what is heavy (Dagster, Great Expectations,
DuckDB) is imported where it is used.
"""

import os
import signal
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from pipelines import process
from pipelines.commands import terminal
from pipelines.commands.options import (
    AcceptOption,
    AsOfOption,
    FilesArgument,
    FolderOption,
    ForceOption,
    FullOption,
    JsonOption,
    LangOption,
    ProjectOption,
    ReleaseOfOption,
    VerboseOption,
    examples,
)
from pipelines.commands.usage import usage_line
from project.choices import Every, Language, Publish, SampleFormat
from project.errors import ConfigurationError, FenjiError
from project.folder import open_project
from runs import interrupts

DEBUG_VARIABLE = "FENJI_DEBUG"

app = typer.Typer(
    name="fenji",
    help="Customer grading you can trust, explain and replay (分级).",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


identity_app = typer.Typer(name="identity")
app.add_typer(identity_app)


@app.callback(invoke_without_command=True)
def fenji(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show which version of Fenji this is.")
    ] = False,
) -> None:
    """Customer grading you can trust, explain and replay (分级)."""
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415

        terminal.console().print(f"fenji {installed('fenji')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        terminal.console().print(context.get_help())


@app.command(
    epilog=examples(
        "fenji run --project acme",
        "fenji run --project acme --as-of yesterday",
        "fenji run --as-of 2026-05-31 --known-at 2026-06-02",
    )
)
def run(
    project: ProjectOption = None,
    as_of: AsOfOption = None,
    known_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only what was loaded by the end of a day (or by a time), loading"
            " nothing.",
        ),
    ] = None,
    accept: AcceptOption = False,
    full: FullOption = False,
    make_current: Annotated[
        bool,
        typer.Option(
            "--make-current",
            help="Point data/current at the release, also of an earlier date.",
        ),
    ] = False,
    pull: Annotated[
        bool,
        typer.Option("--pull", help="Do before what `fenji pull` does."),
    ] = False,
    verbose: VerboseOption = False,
    json: JsonOption = False,
) -> None:
    """Ingest what is new, grade, check, and publish one release."""
    from pipelines.commands import run as command  # noqa: PLC0415

    command.run(
        open_project(project),
        as_of,
        known_at,
        pull=pull,
        accept=accept,
        full=full,
        make_current=make_current,
        verbose=verbose,
        as_json=json,
    )


@app.command(
    epilog=examples(
        "fenji pull --project acme",
        "fenji pull crm",
    )
)
def pull(
    databases: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME…]",
            help="Of databases, services and buckets in fenji.yaml; else all.",
        ),
    ] = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Bring what is new in databases, services and buckets to the landing folders."""
    from pipelines.commands import pull as command  # noqa: PLC0415

    command.pull(open_project(project), databases or [], as_json=json)


@identity_app.callback(
    invoke_without_command=True,
    epilog=examples("fenji identity train --project acme"),
)
def identity(context: typer.Context) -> None:
    """Learn which customer ids are one customer."""
    if context.invoked_subcommand is None:
        terminal.console().print(context.get_help())


@identity_app.command(epilog=examples("fenji identity train --project acme"))
def train(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Learn from the landing files which ids are alike; write the model's file."""
    from pipelines.commands import identity as command  # noqa: PLC0415

    command.train(open_project(project), as_json=json)


@app.command(
    epilog=examples(
        "fenji backfill --from 2025-06-01 --to 2026-05-31",
        "fenji backfill --from 2026-05-01 --to 2026-05-31 --every day",
    )
)
def backfill(
    first: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first as-of date.")
    ],
    last: Annotated[
        str, typer.Option("--to", metavar="DATE", help="The last as-of date.")
    ],
    every: Annotated[
        Every, typer.Option(help="Every day, or the last day of every month.")
    ] = "month",
    publish: Annotated[
        Publish, typer.Option(help="Keep the releases of all dates, or the last one.")
    ] = "all",
    project: ProjectOption = None,
    accept: AcceptOption = False,
    full: FullOption = False,
    json: JsonOption = False,
) -> None:
    """Grade as of each date of a range, in order."""
    from pipelines.commands import backfill as command  # noqa: PLC0415

    command.backfill(
        open_project(project),
        first,
        last,
        every,
        publish,
        accept=accept,
        full=full,
        as_json=json,
    )


@app.command(
    epilog=examples(
        "fenji demo",
        "fenji demo company",
    )
)
def demo(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR")] = None,
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 5000,
    project: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Make a demo company in DIR (default: demo), grade it, show the result."""
    from pipelines.commands import demo as command  # noqa: PLC0415

    where = _one_folder(folder, project) or Path("demo")
    command.demo(where, customers, as_json=json)


@app.command(
    epilog=examples(
        "fenji init acme",
        "fenji init acme --preset supermarket",
    )
)
def init(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR")] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="P", help="The trade, such as supermarket or bank."),
    ] = None,
    project: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Write a commented fenji.yaml and the landing folders of a new project."""
    from pipelines.commands import init as command  # noqa: PLC0415

    where = _one_folder(folder, project)
    if where is None:
        raise ConfigurationError("DIR: is missing; name the folder of the project")
    command.init(where, preset, as_json=json)


@app.command(
    epilog=examples(
        "fenji inspect orders.csv customers.xlsx",
        "fenji inspect export.csv --feed transactions",
        "fenji inspect acme/landing/",
    )
)
def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    feed: Annotated[
        str | None,
        typer.Option(metavar="F", help="The feed that the files are of."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Propose a mapping for files, or all of a folder, to review; load nothing."""
    from pipelines.commands import inspect as command  # noqa: PLC0415

    command.inspect(files, feed=feed, as_json=json)


@app.command(
    epilog=examples(
        "fenji generate company --customers 1000 --seed 7",
    )
)
def generate(
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")],
    folder: Annotated[Path | None, typer.Argument(metavar="DIR")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 1,
    file_format: Annotated[SampleFormat, typer.Option(help="csv or parquet.")] = "csv",
    project: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Write all raw feeds of made-up customers below DIR."""
    from pipelines.commands import generate as command  # noqa: PLC0415

    where = _one_folder(folder, project)
    if where is None:
        raise ConfigurationError("DIR: is missing; name the folder to write into")
    command.generate(where, customers, seed, file_format, as_json=json)


@app.command(
    epilog=examples(
        "fenji releases --project acme",
    )
)
def releases(project: ProjectOption = None, json: JsonOption = False) -> None:
    """List the published releases."""
    from pipelines.commands import releases as command  # noqa: PLC0415

    command.list_releases(open_project(project), as_json=json)


@app.command(
    epilog=examples(
        "fenji explain C-1042",
        "fenji explain C-1042 --scheme annual_points --lang zh",
        "fenji explain C-1042 --as-of 2026-04-30",
    )
)
def explain(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER")],
    scheme: Annotated[str | None, typer.Option(metavar="S", help="One scheme.")] = None,
    in_full: Annotated[
        bool, typer.Option("--all", help="The reasons of every scheme.")
    ] = False,
    as_of: ReleaseOfOption = None,
    lang: LangOption = "en",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Say where the customer stands by each scheme; with --scheme or --all, why."""
    from pipelines.commands import explain as command  # noqa: PLC0415

    command.explain(
        open_project(project),
        customer,
        scheme,
        as_of,
        lang,
        in_full=in_full,
        as_json=json,
    )


@app.command(
    epilog=examples(
        "fenji lineage customer_profile.rfm_8_tier",
        "fenji lineage customer_tiers.tier --scheme rfm_8 --lang zh",
        "fenji lineage raw.transactions.amount --down",
        "fenji lineage sla_attainment",
    )
)
def lineage(
    name: Annotated[
        str,
        typer.Argument(metavar="TABLE[.COLUMN]", help="With its layer or without."),
    ],
    down: Annotated[
        bool, typer.Option("--down", help="What depends on it, instead.")
    ] = False,
    scheme: Annotated[
        str | None,
        typer.Option(metavar="S", help="Where schemes come together, one of them."),
    ] = None,
    lang: LangOption = "en",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Say what a column is computed from, down to the feeds."""
    from pipelines.commands import lineage as command  # noqa: PLC0415

    command.lineage(open_project(project), name, scheme, lang, down=down, as_json=json)


@app.command(
    epilog=examples(
        'fenji lookup "138 0013 8000"',
        "fenji lookup ann.lee@example.com",
    )
)
def lookup(
    contact: Annotated[str, typer.Argument(metavar="PHONE|EMAIL|CARD")],
    as_of: ReleaseOfOption = None,
    lang: LangOption = "en",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Say who calls: tiers, level, list, open tickets and calls, what to do."""
    from pipelines.commands import lookup as command  # noqa: PLC0415

    command.lookup(open_project(project), contact, as_of, lang, as_json=json)


@app.command(
    epilog=examples(
        "fenji schemes --project acme",
    )
)
def schemes(project: ProjectOption = None, json: JsonOption = False) -> None:
    """List the schemes, and whether each can run here."""
    from pipelines.commands import schemes as command  # noqa: PLC0415

    command.list_schemes(open_project(project), as_json=json)


@app.command(
    epilog=examples(
        "fenji check",
        "fenji check --feed transactions",
    )
)
def check(
    files: FilesArgument = None,
    feed: Annotated[
        str | None, typer.Option(metavar="FEED", help="Only the files of this feed.")
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Show personal columns, too.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Try the first rows of each file: what would load, what be rejected, and why."""
    from pipelines.commands import check as command  # noqa: PLC0415

    command.check(
        open_project(project), feed, files or [], personal=personal, as_json=json
    )


@app.command(
    epilog=examples(
        "fenji lint",
        "fenji lint schemes/gold.yaml",
    )
)
def lint(
    files: FilesArgument = None,
    library: Annotated[
        bool, typer.Option("--library", help="Fenji's own schemes as well.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Check files of schemes and tags; without any, the whole project."""
    from pipelines.commands import lint as command  # noqa: PLC0415

    command.lint(open_project(project), files or [], library=library, as_json=json)


@app.command(
    epilog=examples(
        "fenji diff 2026-04-30-c2e19bd5 2026-05-31-dcbc1615",
        "fenji diff 2026-04-30-c2e19bd5 2026-05-31-dcbc1615 --scheme rfm_8",
    )
)
def diff(
    former: Annotated[str, typer.Argument(metavar="A", help="A release.")],
    latter: Annotated[str, typer.Argument(metavar="B", help="Another, later one.")],
    scheme: Annotated[
        str | None,
        typer.Option(metavar="S", help="Each way between the tiers of one scheme."),
    ] = None,
    lang: LangOption = "en",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Compare two releases: rows by table, moves between tiers."""
    from pipelines.commands import diff as command  # noqa: PLC0415

    command.diff(open_project(project), former, latter, scheme, lang, as_json=json)


@app.command(
    epilog=examples(
        "fenji export changes --to changes.csv",
        "fenji export work-list --to monday.xlsx --owner A-07",
        "fenji export customer_tiers --to tiers.parquet",
    )
)
def export(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="changes, work-list, or a table.")
    ],
    to: Annotated[
        Path,
        typer.Option(metavar="FILE", help="A .csv, .xlsx, .jsonl or .parquet file."),
    ],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="RELEASE",
            help="Of changes; default: the date before.",
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Customers of one account manager alone."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="These columns alone, in this order."),
    ] = None,
    lang: Annotated[
        Language | None, typer.Option(help="Texts in en or zh alone.")
    ] = None,
    force: ForceOption = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Write what changed, the work list, or a table, for other systems."""
    from pipelines.commands import export as command  # noqa: PLC0415

    command.export(
        open_project(project),
        what,
        to,
        since=since,
        owner=owner,
        columns=columns,
        lang=lang,
        force=force,
        as_json=json,
    )


@app.command(
    epilog=examples(
        "fenji report --scheme value_pyramid --to pyramid.html",
        "fenji report --scheme rfm_8,service_level --to board.html --lang zh",
    )
)
def report(
    scheme: Annotated[
        str, typer.Option(metavar="A,B", help="The schemes, in this order.")
    ],
    to: Annotated[Path, typer.Option(metavar="FILE", help="An .html file.")],
    lang: LangOption = "en",
    force: ForceOption = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Write a page about some schemes of the current release, to send it."""
    from pipelines.commands import report as command  # noqa: PLC0415

    command.report(open_project(project), scheme, to, lang, force=force, as_json=json)


@app.command(
    epilog=examples(
        "fenji plan --set annual_points.tiers.C.from=3500",
        "fenji plan --schemes proposed/",
    )
)
def plan(
    schemes: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Scheme files for those of the same id."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="S.PATH=VALUE", help="A parameter; repeatable."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="Default: the current one.")
    ] = None,
    max_moved: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Fail where more move, such as 5%."),
    ] = None,
    lang: LangOption = "en",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Say what changed schemes would do; publish nothing."""
    from pipelines.commands import plan as command  # noqa: PLC0415

    command.plan(
        open_project(project),
        schemes,
        settings or [],
        against,
        max_moved,
        lang,
        as_json=json,
    )


@app.command(
    epilog=examples(
        "fenji rebuild --project acme",
    )
)
def rebuild(
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Go on without rows of files that are gone, if lost."
        ),
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Make the warehouse again from the landing files."""
    from pipelines.commands import rebuild as command  # noqa: PLC0415

    command.rebuild(open_project(project), accept=accept, as_json=json)


@app.command(
    epilog=examples(
        "fenji verify",
        "fenji verify 2026-05-31-dcbc1615",
    )
)
def verify(
    releases: Annotated[
        list[str] | None, typer.Argument(metavar="[RELEASE…]", help="Default: all.")
    ] = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Prove that releases are what was published, by their manifests."""
    from pipelines.commands import verify as command  # noqa: PLC0415

    command.verify(open_project(project), releases or [], as_json=json)


@app.command(
    epilog=examples(
        "fenji publish --project acme",
    )
)
def publish(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Show the current release in PostgreSQL and object storage, as runs do."""
    from pipelines.commands import publish as command  # noqa: PLC0415

    command.publish(open_project(project), as_json=json)


@app.command(
    epilog=examples(
        "fenji rollback 2026-04-30-c2e19bd5",
    )
)
def rollback(
    release: Annotated[str, typer.Argument(metavar="RELEASE")],
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Point `current` at an older release, without recomputing."""
    from pipelines.commands import rollback as command  # noqa: PLC0415

    command.rollback(open_project(project), release, as_json=json)


@app.command(
    epilog=examples(
        'fenji retract 2026-05-31-dcbc1615 --reason "prices were in cents"',
    )
)
def retract(
    release: Annotated[str, typer.Argument(metavar="RELEASE")],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why it is wrong; it is kept.")
    ],
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Take a wrong release, and what the history says by it, out again."""
    from pipelines.commands import retract as command  # noqa: PLC0415

    command.retract(open_project(project), release, reason, as_json=json)


@app.command(
    epilog=examples(
        "fenji forget transactions/wrong.csv",
        "fenji forget --vanished --dry-run",
    )
)
def forget(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE…", help="As feed/path; also patterns: 'feed/*'."),
    ] = None,
    vanished: Annotated[
        bool, typer.Option("--vanished", help="Only files gone from their folders.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would take out.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Take the rows of landing files out of the warehouse."""
    from pipelines.commands import forget as command  # noqa: PLC0415

    command.forget(
        open_project(project),
        files or [],
        vanished=vanished,
        dry_run=dry_run,
        as_json=json,
    )


@app.command(
    epilog=examples(
        "fenji retry",
        "fenji retry --feed transactions --write",
    )
)
def retry(
    feed: Annotated[
        str | None, typer.Option(metavar="FEED", help="Only the files of this feed.")
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write the files in which rows are corrected."),
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Write rejected rows into files in which they are corrected, for the next run."""
    from pipelines.commands import retry as command  # noqa: PLC0415

    command.retry(open_project(project), feed=feed, write=write, as_json=json)


@app.command(
    epilog=examples(
        "fenji ui --project acme",
        "fenji ui --port 3001",
    )
)
def ui(
    project: ProjectOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
) -> None:
    """Serve the Dagster UI on loopback, with the schedules running."""
    from pipelines.commands import ui as command  # noqa: PLC0415

    command.serve(open_project(project), port)


def main() -> NoReturn:
    """Run a command and end the process with its exit status."""
    process.collect_no_cycles()
    process.end(run_command())


def run_command() -> int:
    """Run a command; its exit status, every expected failure being one line."""
    command = typer.main.get_command(app)
    with interrupts.watched():
        try:
            status = command.main(standalone_mode=False)
        except FenjiError as err:
            terminal.say_error(str(err))
            return err.exit_status
        except TyperException as err:
            terminal.say_error(usage_line(err))
            return ConfigurationError.exit_status
        except (KeyboardInterrupt, typer.Abort):
            ended = interrupts.Interrupted(
                "interrupted; what was not finished is not published",
                interrupts.received() or signal.SIGINT,
            )
            terminal.say_error(str(ended))
            return ended.exit_status
        except Exception as err:  # noqa: BLE001 - the last resort, so that users see a line
            if os.environ.get(DEBUG_VARIABLE):
                traceback.print_exc()
            terminal.say_error(_last_resort(err))
            return FenjiError.exit_status
    return status if isinstance(status, int) else 0


def _last_resort(err: Exception) -> str:
    """A fault of the machine in words; of anything else what it says itself."""
    import duckdb  # noqa: PLC0415

    from sql import machine_faults  # noqa: PLC0415 - imports DuckDB
    from sql.faults import without_values  # noqa: PLC0415

    fault = machine_faults.in_words(err, Path("data"))
    if fault is not None:
        return str(fault)
    said = without_values(err) if isinstance(err, duckdb.Error) else str(err)
    return f"{type(err).__name__}: {said}; {DEBUG_VARIABLE}=1 shows where"


def _one_folder(argument: Path | None, option: Path | None) -> Path | None:
    """The folder to make, which is named either way.

    Raises:
        ConfigurationError: both ways name one.
    """
    if argument is not None and option is not None:
        raise ConfigurationError("--project: names the folder, and so does DIR")
    return argument or option
