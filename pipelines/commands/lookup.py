"""`fenji lookup`: who calls, and how to treat them.

The contact that is asked for is never shown or logged.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pipelines.commands import terminal
from pipelines.commands.common import release_of
from project.choices import Language
from project.contacts import contact_key, hashes_of
from project.errors import ConfigurationError
from project.folder import Project
from releases import lease, store

if TYPE_CHECKING:
    from releases.lookup import Caller

_WORDS = {
    "en": {
        "nobody": "Nobody has this contact, or {variable} holds another key than it"
        " did when the release was made.",
        "manager": "account manager {id}",
        "standing": "service level {level}, list {flag}, queue {priority},"
        " asked lately: {need}",
        "ticket": "ticket {id}: {kind}, severity {severity}, {level}, since {since}",
        "callback": "call {id} is to be returned by {due}: {status}",
        "say": "What to do:",
    },
    "zh": {
        "nobody": "没有客户使用该联系方式，或{variable}中的密钥与生成本次发布时不同。",
        "manager": "客户经理{id}",
        "standing": "服务等级{level}，名单{flag}，排队优先级{priority}，近期诉求{need}",
        "ticket": "工单{id}：{kind}，严重程度{severity}，{level}，开单{since}",
        "callback": "来电{id}须在{due}前回访：{status}",
        "say": "应对要点：",
    },
}
# The codes of service tables in Chinese.
_ZH = {
    "high": "高", "mid": "中", "general": "一般", "normal": "普通", "red": "红名单",
    "black": "黑名单", "complaint": "投诉", "consult": "咨询", "fault": "故障",
    "other": "其他", "none": "无", "due": "待回访", "overdue": "已超时",
    "L1": "一线", "L2": "二线", "phone": "电话", "email": "邮箱", "card": "会员卡",
}  # fmt: skip


def lookup(
    project: Project, contact: str, as_of: str | None, lang: Language, *, as_json: bool
) -> None:
    """Show the customers who have the contact.

    Raises:
        ConfigurationError: there is no key, here or when the release was made.
    """
    settings = project.settings.lookup
    variable = settings.key_variable
    key = contact_key(variable)
    if key is None:
        raise ConfigurationError(
            f"{variable}: is not set; set it to the key that the run had"
        )
    from releases import reading  # noqa: PLC0415 - imports DuckDB
    from releases.lookup import Desk  # noqa: PLC0415

    with (
        lease.held(project, lambda: release_of(project, as_of)) as manifest,
        reading.opened(store.database(project, manifest.release_id)) as con,
    ):
        desk = Desk(con, settings.schemes, project.settings.timezone, lang)
        callers = desk.callers(hashes_of(key, contact, settings.country))
        if not callers and not desk.knows_contacts:
            raise ConfigurationError(
                f"{variable}: was not set when the release was made, or no customer"
                " has a contact; with it set, `fenji run` makes the release again"
            )
    if as_json:
        found = [caller.as_dict() for caller in callers]
        date = manifest.as_of_date.isoformat()
        terminal.say_json({"as_of_date": date, "callers": found})
        return
    words = _WORDS[lang]
    out = terminal.console()
    if not callers:
        out.print(words["nobody"].format(variable=variable))
    for caller in callers:
        for line in _lines(caller, words, lang):
            out.print(line, markup=False, highlight=False)


def _lines(caller: "Caller", words: Mapping[str, str], lang: Language) -> Iterator[str]:
    """What a person reads of a caller."""

    def said(code: object) -> str:
        shown = "-" if code is None else str(code)
        return _ZH.get(shown, shown) if lang == "zh" else shown

    yield f"{caller.customer_id} ({', '.join(map(said, caller.contact_kinds))})"
    if caller.account_manager_id is not None:
        yield "  " + words["manager"].format(id=caller.account_manager_id)
    yield "  " + words["standing"].format(
        level=said(caller.service_level),
        flag=said(caller.list_flag),
        priority=said(caller.queue_priority),
        need=said(caller.service_need),
    )
    for tier in caller.tiers:
        yield f"  {tier.scheme_name} ({tier.scheme}): {tier.tier_name}"
    for ticket in caller.open_tickets:
        yield "  " + words["ticket"].format(
            id=ticket.ticket_id,
            kind=said(ticket.kind),
            severity=said(ticket.severity),
            level=said(ticket.ticket_level),
            since=f"{ticket.opened_at:%Y-%m-%d %H:%M}",
        )
    for call in caller.open_callbacks:
        yield "  " + words["callback"].format(
            id=call.call_id,
            due=f"{call.due_at:%Y-%m-%d %H:%M}",
            status=said(call.status),
        )
    actions = [point.text for point in caller.advice if point.part == "action"]
    if actions:
        yield f"  {words['say']}"
    # Tiers of several schemes may advise the same.
    yield from (f"  + {text}" for text in dict.fromkeys(actions))
