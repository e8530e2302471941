"""`fenji forget`: take the rows of a landing file out of the warehouse."""

from pipelines import terminal
from pipelines.commands.common import say_waiting
from pipelines.running import hold_warehouse
from project.folder import Project
from releases import state, store


def forget(project: Project, file: str, *, as_json: bool) -> None:
    """Take a landing file's rows out of the warehouse."""
    import duckdb  # noqa: PLC0415

    from ingest.forget import forget as take_out  # noqa: PLC0415

    with hold_warehouse(project, on_wait=say_waiting):
        con = duckdb.connect(str(project.warehouse))
        try:
            state.set_computed_for(con, None)
            forgotten = take_out(con, project, file, store.now(project))
        finally:
            con.close()
    if as_json:
        still_at = str(forgotten.still_at) if forgotten.still_at else None
        terminal.say_json(
            {"file": file, "n_rows": forgotten.n_rows, "still_at": still_at}
        )
        return
    told = f"Forgot {file}: {forgotten.n_rows:,} rows. "
    if forgotten.still_at is None:
        told += "`fenji run` publishes without them."
    else:
        place = forgotten.still_at
        if place.is_relative_to(project.root):
            place = place.relative_to(project.root)
        told += (
            f"The file is still at {place}: remove it, or the next run loads it again."
        )
    terminal.console().print(told, soft_wrap=True)
