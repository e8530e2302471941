"""Telling people how a run ended: by mail, chat or whatever Apprise reaches.

Where messages go is in an environment variable, because such addresses hold passwords;
which ends are told is in `notify:` of `fenji.yaml`. A message says how many, never who:
no row of a customer leaves by this way. What cannot be sent changes nothing of the run.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from project.choices import NotifyEvent
from project.folder import Project
from project.quantities import number_of
from project.shown import visible_line
from releases import pointing, reading, store
from releases.manifest import Manifest
from runs.run import Run

_ALERTS = """
select severity, kind, max(n_of_kind) as n_alerts
from main.alerts
group by severity, kind
order by
    case severity when 'high' then 1 when 'medium' then 2 else 3 end, kind
"""
_PUBLISHED = "The release is published all the same. 本次发布不受影响。"
_STAYS = "The last release stays. 上一版本保持不变。"


@dataclass(frozen=True)
class Notice:
    """A message about the end of a run."""

    event: NotifyEvent
    title: str
    lines: tuple[str, ...]


def tell(run: Run, say: Callable[[str], None]) -> None:
    """Send what is to be told of a run that has ended.

    Args:
        run: that has ended, well or not.
        say: told in one line where a message could not be sent.
    """
    if _addresses(run.project):
        notice = notice_of(run)
        if notice is not None:
            _send(run.project, notice, say)


def tell_unserved(
    project: Project, name: str, why: str, say: Callable[[str], None]
) -> None:
    """Send that readers elsewhere do not see the current release, and why.

    Args:
        project: the project.
        name: where they read, such as PostgreSQL.
        why: in one line, without the address.
        say: told in one line where a message could not be sent.
    """
    title = f"{project.settings.name}: {name} was not brought up to date 未更新"
    _send(project, Notice("failure", title, (why, _PUBLISHED)), say)


def _addresses(project: Project) -> str:
    """Where messages go; empty where nobody is told."""
    return os.environ.get(project.settings.notify.urls_variable, "").strip()


def _send(project: Project, notice: Notice, say: Callable[[str], None]) -> None:
    """Send a message, where somebody is to be told of such an event."""
    settings = project.settings.notify
    urls = _addresses(project)
    if not urls or notice.event not in settings.events:
        return
    if not _sent(urls, notice):
        say(
            f"{settings.urls_variable}: the message '{notice.event}' was not delivered"
            " to all its addresses; see docs/scheduling.md"
        )


def notice_of(run: Run) -> Notice | None:
    """What there is to tell of a run; None: it published, and nothing needs anybody."""
    name, date = run.project.settings.name, run.as_of_date
    if run.released is not None:
        return _notice_of_alerts(run.project, run.released)
    stopped = [check for check in run.checks if check.blocks]
    if stopped and all(check.is_gate for check in stopped):
        return Notice(
            "gate",
            f"{name}: a gate stopped the release as of {date} 发布被门槛拦截",
            (*(f"{check.table_name}: {check.observed}" for check in stopped), _STAYS),
        )
    lines = [f"{check.table_name}: {check.check_name}" for check in stopped]
    if run.failure is not None:
        lines.append(visible_line(" ".join(str(run.failure).split())))
    if not lines:  # it was cancelled, or was to make some tables only
        return None
    title = f"{name}: the run as of {date} failed 运行失败"
    return Notice("failure", title, (*lines, _STAYS))


def _notice_of_alerts(project: Project, released: Manifest) -> Notice | None:
    """What a release alerts of; None: nothing, or it looks back."""
    latest = pointing.latest(project)
    if latest is None or latest.release_id != released.release_id:
        return None
    with reading.opened(store.database(project, released.release_id)) as con:
        alerts = con.execute(_ALERTS).fetchall()
    if not alerts:
        return None
    n_alerts = sum(n_of_kind for *_, n_of_kind in alerts)
    lines = [f"{severity}: {kind} {n_of_kind}" for severity, kind, n_of_kind in alerts]
    return Notice(
        "alerts",
        f"{project.settings.name}: {number_of(n_alerts, 'alert')}"
        f" as of {released.as_of_date} 提醒",
        (*lines, f"Release {released.release_id}, table alerts 详见 alerts 表"),
    )


def _sent(urls: str, notice: Notice) -> bool:
    """Whether a message reached all addresses."""
    # Takes 0.3 s: only where there is something to send.
    import logging  # noqa: PLC0415

    import apprise  # noqa: PLC0415

    # Its log quotes addresses, which hold passwords.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    sender = apprise.Apprise()
    return bool(
        sender.add(urls)
        and sender.notify(title=notice.title, body="\n".join(notice.lines))
    )
