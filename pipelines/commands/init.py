"""`fenji init`: a project folder to begin with.

The settings that it writes are short, and say in comments what else they may say: which
columns a feed has, and how files with other headers are mapped.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.commands import terminal
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from project.settings import SETTINGS_FILE, SchemeSettings, Settings

_WIDTH = 88
_ABOUT_FILES = """\
# Files go into landing/<feed>/. Where their headers are the names below, there is
# nothing to set; * is required. 表头与下列列名一致时无需映射，* 为必填。
"""
_MAPPING = """\
# Other headers are mapped, canonical column: column of the file. 列名映射示例
# feeds:
#   transactions:
#     files: "*.csv"
#     date_format: "%Y/%m/%d"
#     columns:
#       transaction_id: 订单号
#       occurred_at: 下单时间
#       customer_id: 客户编号
#       amount: {expr: 'cast("数量" as decimal(18,4)) * cast("单价" as decimal(18,4))'}
"""


def init(folder: Path, preset: str | None, *, as_json: bool) -> None:
    """Write a commented `fenji.yaml` and make the landing folders.

    Raises:
        ConfigurationError: there is a project already, or no such preset.
    """
    from schemes.language.presets import presets  # noqa: PLC0415

    if preset is not None and preset not in presets():
        hint = nearest(preset, set(presets()))
        raise ConfigurationError(f"--preset: there is no preset '{preset}'{hint}")
    file = folder / SETTINGS_FILE
    if file.exists():
        problem = "is there already; name another folder, or change this file"
        raise ConfigurationError(problem, Place(file))
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is no folder; name another one", Place(folder))
    feeds = _feeds_of(folder, preset)
    landing = Project(folder, Settings(name="new")).landing
    for feed in feeds:
        (landing / feed).mkdir(parents=True, exist_ok=True)
    name = folder.resolve().name or "my_company"
    file.write_text("".join(_lines(name, preset, feeds)), encoding="utf-8")
    if as_json:
        terminal.say_json(
            {
                "folder": str(folder),
                "settings": str(file),
                "preset": preset,
                "feeds": list(feeds),
            }
        )
        return
    say = terminal.console().print
    say(f"{file}: the settings, with comments 设置文件（含注释）")
    say(f"{landing}: put files into the folder of their feed 按数据源放入文件")
    say(f"  {', '.join(feeds)}")
    say(f"Then 然后: fenji run --project {folder}")


def _feeds_of(folder: Path, preset: str | None) -> tuple[str, ...]:
    """The feeds that the schemes of the preset read, sorted."""
    from schemes.language.names import feed_of  # noqa: PLC0415
    from schemes.plan import make_plan  # noqa: PLC0415
    from sql.contracts import all_columns  # noqa: PLC0415

    settings = Settings(name="new", schemes=SchemeSettings(preset=preset))
    plan = make_plan(Project(folder, settings), all_columns())
    found = {
        feed_of(need, compiled.inputs).partition(".")[0]
        for compiled in plan.running
        for need in compiled.inputs.required | compiled.inputs.optional
    }
    return tuple(sorted(found & set(all_columns())))


def _lines(name: str, preset: str | None, feeds: Iterable[str]) -> Iterator[str]:
    """The lines of `fenji.yaml`."""
    from schemes.language.presets import presets  # noqa: PLC0415

    quoted = json.dumps(name, ensure_ascii=False)
    yield "# Settings of this project; docs/settings.md lists all of them.\n"
    yield "# 项目设置；docs/settings.md 列出全部字段。\n"
    yield f"name: {quoted}\n"
    yield "# The zone in which days are cut, such as Asia/Shanghai. 业务时区\n"
    yield "timezone: UTC\n"
    yield "# The currency of amounts that name none. 默认币种\n"
    yield "# currency: CNY\n\n"
    yield "# Which schemes of the library run. 运行哪些方案\n"
    for known, about in presets().items():
        mark = ">" if known == preset else " "
        yield f"#{mark} {known}: {about.name.en}. {about.about.en}\n"
        yield f"#    {about.name.zh}：{about.about.zh}\n"
    yield "schemes:\n" if preset else "# schemes:\n"
    yield f"  preset: {preset}\n" if preset else "#   preset: supermarket\n"
    yield "  #" if preset else "#  "
    yield " also: [hotel_guest]       # besides 另加\n"
    yield "  #" if preset else "#  "
    yield " except: [shopper_type]    # left out 去掉\n\n"
    yield _ABOUT_FILES
    for feed in feeds:
        yield from _columns(feed)
    yield _MAPPING


def _columns(feed: str) -> Iterator[str]:
    """A feed with its columns, in comments no longer than a line."""
    from sql.contracts import feeds  # noqa: PLC0415

    line = f"#   {feed}:"
    for column in feeds()[feed].columns:
        word = f" {column.name}{'*' if column.required else ''}"
        if len(line) + len(word) >= _WIDTH:
            yield f"{line}\n"
            line = "#    "
        line += word
    yield f"{line}\n"
