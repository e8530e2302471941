"""Records of a service with a REST interface, read through dlt into Parquet.

dlt finds page after page as the settings describe them. Each value lands as text, as
the service writes it; what is within a record, such as a list, as JSON, unless
`columns` names places in it. dlt is imported where records are read.
"""

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ingest.databases.quiet import QUIET
from ingest.sql_text import Sql, identifier, listed, literal, sql
from project.errors import ConfigurationError, FenjiError, RunError
from project.folder import Project
from project.origins import PulledResource
from project.places import Place

if TYPE_CHECKING:
    from ingest.databases.sessions import Session

_AT_A_TIME = 10_000  # records that are in memory
# Of the status of an answer, and what it means.
_MEANINGS = {
    401: "the service does not accept the secret",
    403: "the secret does not allow it",
    404: "the service knows no such path",
    429: "the service asks to come later",
}
_LARGEST = 128 * 1024 * 1024  # bytes of one record


def read(
    project: Project,
    service: str,
    pulled: PulledResource,
    since: object | None,
    folder: Path,
    place: Place,
) -> int:
    """Write the records into Parquet files in a folder; returns how many there are.

    Args:
        project: the project.
        service: the name of the service in its settings.
        pulled: the list of records.
        since: the cursor from which on records are asked for; None: all.
        folder: that is empty.
        place: of the list in the settings, for errors.

    Raises:
        ConfigurationError: the environment holds no secret, or the settings do not fit
            what the service answers.
        RunError: the service cannot be reached, or refuses what is asked.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from ingest.databases.sessions import Session, identify  # noqa: PLC0415 - dlt

    settings = project.settings.services[service]
    session = Session(settings.base_url, place, pulled)
    if settings.auth is not None:
        identify(session, project, service, settings.auth)
    n_rows = 0
    with session, duckdb.connect() as con:
        records = _records(settings.base_url, session, pulled, since, place)
        for number in itertools.count():
            batch = list(itertools.islice(records, _AT_A_TIME))
            if not batch:
                return n_rows
            if not all(isinstance(record, dict) for record in batch):
                raise ConfigurationError(
                    "'rows' is no list of records with fields", place
                )
            page = folder.parent / "records.json"
            page.write_text(json.dumps(batch, ensure_ascii=False), encoding="utf-8")
            _as_parquet(con, page, pulled, folder / f"{number:08}.parquet", place)
            n_rows += len(batch)
    return n_rows


def _records(
    base_url: str,
    session: "Session",
    pulled: PulledResource,
    since: object | None,
    place: Place,
) -> Iterator[Any]:
    """The records of all pages, one after the other.

    Raises:
        ConfigurationError: as for `read`.
        RunError: as for `read`.
    """
    import requests  # noqa: PLC0415
    from dlt.common.exceptions import DltException  # noqa: PLC0415
    from dlt.sources.rest_api import rest_api_resources  # noqa: PLC0415

    params = dict(pulled.params)
    if since is not None and pulled.cursor_param is not None:
        params[pulled.cursor_param] = str(since)
    config: Any = {  # in dlt's words
        "client": {"base_url": base_url, "session": session},
        "resources": [
            {
                "name": "records",
                "endpoint": {
                    "path": pulled.path,
                    "params": params,
                    "paginator": pulled.paginator,
                    "data_selector": pulled.rows,
                },
            }
        ],
    }
    try:
        (resource,) = rest_api_resources(config)
        yield from resource
    except (DltException, requests.RequestException, ValueError, TypeError) as err:
        causes = list(_causes(err))
        for cause in causes:
            if isinstance(cause, FenjiError):
                raise cause from None
        raise _in_words(causes, place) from None


def _causes(err: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it follows from."""
    seen: set[int] = set()
    while err is not None and id(err) not in seen:
        seen.add(id(err))
        yield err
        err = err.__cause__ or err.__context__


def _in_words(causes: list[BaseException], place: Place) -> FenjiError:
    """What went wrong, without the address that libraries quote."""
    import requests  # noqa: PLC0415
    from dlt.common.exceptions import DictValidationException  # noqa: PLC0415

    for cause in causes:
        if isinstance(cause, requests.HTTPError) and cause.response is not None:
            status = cause.response.status_code
            meaning = _MEANINGS.get(status, "the service refuses")
            return RunError(f"{place}: {meaning} (HTTP {status})")
    for kind, meaning in (
        (requests.exceptions.SSLError, "its certificate was not accepted"),
        (requests.exceptions.Timeout, "the service did not answer in time"),
        (requests.exceptions.TooManyRedirects, "the service redirects without end"),
        (requests.exceptions.RetryError, "the service asks to come later"),
        (requests.exceptions.JSONDecodeError, "an answer is no JSON"),
        (requests.exceptions.ConnectionError, "nothing answers at its host and port"),
        (requests.exceptions.RequestException, "the service cannot be asked"),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return RunError(f"{place}: {meaning}")
    if any(isinstance(cause, DictValidationException) for cause in causes):
        return ConfigurationError(
            "'paginator' or 'params' are not as dlt knows them; see"
            " https://dlthub.com/docs, REST API, Pagination",
            place,
        )
    told = type(causes[-1]).__name__
    return ConfigurationError(
        f"'paginator' or 'rows' do not fit what the service answers ({told})", place
    )


def _as_parquet(
    con: duckdb.DuckDBPyConnection,
    page: Path,
    pulled: PulledResource,
    target: Path,
    place: Place,
) -> None:
    """Write records as text columns."""
    source = sql(
        "read_json_objects({page}, format = 'array', maximum_object_size = {largest})",
        page=literal(str(page)),
        largest=literal(_LARGEST),
    )
    try:
        paths = {name: f"$.{name}" for name in pulled.columns}
        if not paths:
            fields = con.execute(
                sql(
                    "select distinct unnest(json_keys(json)) as field from {source}"
                    " order by field",
                    source=source,
                )
            ).fetchall()
            paths = {field: _path_of(field) for (field,) in fields}
        con.execute(
            sql(
                "copy (select {columns} from {source}) to {target} (format parquet)",
                columns=listed(_column(name, path) for name, path in paths.items()),
                source=source,
                target=literal(str(target)),
            )
        )
    except duckdb.Error as err:
        raise ConfigurationError(
            f"its records cannot be made rows ({type(err).__name__}): name in 'columns'"
            " what is to land",
            place,
        ) from None


def _path_of(field: str) -> str:
    """The place of a field in a record, whatever characters its name has."""
    return '$."' + field.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _column(name: str, path: str) -> Sql:
    return sql(
        "json_extract_string(json, {path}) as {name}",
        path=literal(path),
        name=identifier(name),
    )
