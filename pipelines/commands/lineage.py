"""`fenji lineage`: what a column is computed from, and what depends on it.

It follows from the settings and the code: no release is needed, and no run disturbed.
"""

from collections.abc import Iterable, Mapping

from rich.text import Text
from rich.tree import Tree

from pipelines.commands import terminal
from pipelines.lineage.asking import Asked, Behind, Dependent, Kind, Questions
from pipelines.lineage.keeping import kept_lineage, lineage_of
from project.choices import Language
from project.errors import ConfigurationError
from project.folder import Project

_KINDS: Mapping[Language, Mapping[Kind, str]] = {
    "en": {
        "feed": "feed",
        "former": "the release before",
        "loaded": "written as files are loaded",
        "constant": "a fixed value",
        "written": "as schemes, tags and lists say",
        "python": "made by Python",
        "column": "",
    },
    "zh": {
        "feed": "数据源",
        "former": "上一次发布",
        "loaded": "加载文件时写入",
        "constant": "固定值",
        "written": "取自方案、标签和清单的定义",
        "python": "由 Python 生成",
        "column": "",
    },
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "works": "Reading the selects of all tables; the next answer comes at once.",
        "scheme": "scheme {}",
        "parameter": "parameter {}",
        "rows": "rows of {}",
        "repeated": "see above",
        "hint": "…: what is behind one scheme: --scheme ID.",
        "computed from": "computed from",
        "column": "column",
        "table": "table",
        "columns": "columns",
        "nothing": "Nothing depends on {}.",
        "ask": "All that is behind a column: fenji lineage {}.COLUMN",
        "depends": "Depends on {}",
        "released": "* in a release",
    },
    "zh": {
        "works": "正在解析所有表的 SQL，下次查询将立即返回。",
        "scheme": "方案 {}",
        "parameter": "参数 {}",
        "rows": "{} 的行",
        "repeated": "见上文",
        "hint": "…：查看单个方案的来源：--scheme ID。",
        "computed from": "来源",
        "column": "列",
        "table": "表",
        "columns": "列",
        "nothing": "没有表依赖 {}。",
        "ask": "查看某一列的全部来源：fenji lineage {}.列名",
        "depends": "依赖 {} 的表和列",
        "released": "* 发布中的表",
    },
}


def lineage(
    project: Project,
    name: str,
    scheme: str | None,
    lang: Language,
    *,
    down: bool,
    as_json: bool,
) -> None:
    """Say what a table or column is computed from, or what depends on it.

    Raises:
        ConfigurationError: there is no such table, column or scheme.
    """
    kept = kept_lineage(project)
    if kept is None:
        terminal.say_note(_WORDS[lang]["works"])
        kept = lineage_of(project)
    questions = Questions(kept)
    asked = questions.find(name)
    if scheme is not None:
        if down:
            raise ConfigurationError("--scheme: does not go with --down; leave one out")
        questions.refuse_unknown(scheme)
    if down:
        found = questions.dependents(asked)
        if as_json:
            terminal.say_json(
                {"name": asked.name, "dependents": list(map(vars, found))}
            )
        else:
            _show_dependents(asked, found, lang)
        return
    columns = [asked]
    if asked.column is None:
        names = questions.columns_of(asked.table)
        columns = [Asked(asked.table, column) for column in names]
    most = 1 if asked.column is None else None
    trees = [
        [*questions.behind(column, scheme, most=most, in_full=as_json)]
        for column in columns
    ]
    if as_json:
        terminal.say_json(
            {
                "name": asked.name,
                "why_none": questions.why_none(asked.table),
                # The order and the depth say which column is behind which.
                "behind": [vars(node) for tree in trees for node in tree],
            }
        )
    elif asked.column is None:
        _show_table(asked, trees, lang)
    else:
        _show_tree(trees[0], lang)
    why_none = questions.why_none(asked.table)
    if why_none is not None and not as_json:
        terminal.console().print(f"{asked.table}: {why_none}")


def _show_tree(nodes: Iterable[Behind], lang: Language) -> None:
    """Print what is behind a column as a tree."""
    out = terminal.console()
    branches: list[Tree] = []
    named: set[str] = set()  # each file is named once
    is_cut = False
    for node in nodes:
        label = _label(node, lang, with_file=node.file not in named)
        named.add(node.file)
        is_cut = is_cut or node.is_cut
        del branches[node.depth :]
        branches.append(branches[-1].add(label) if branches else Tree(label))
    out.print(branches[0])
    if is_cut:
        out.print(_WORDS[lang]["hint"])


def _label(node: Behind, lang: Language, *, with_file: bool) -> Text:
    """A column, and by what it comes about."""
    words = _WORDS[lang]
    notes = [_KINDS[lang][node.kind]] if node.kind != "column" else []
    if node.scheme is not None:
        notes.append(words["scheme"].format(node.scheme))
    notes += [words["parameter"].format(name) for name in node.parameters]
    notes += [words["rows"].format(name) for name in node.rows]
    if with_file and node.file and node.kind not in {"feed", "former", "loaded"}:
        notes.append(node.file)
    if node.is_repeated:
        notes = [words["repeated"]]
    label = Text(node.column)
    if notes:
        label.append(f"  {' · '.join(notes)}", style="dim")
    if node.is_cut:
        label.append(" …")
    return label


def _show_table(asked: Asked, trees: list[list[Behind]], lang: Language) -> None:
    """Print from which columns each column of a table is computed."""
    words = _WORDS[lang]
    rows = terminal.table(asked.table, words["column"], words["computed from"])
    for root, *others in trees:
        told = [node.column for node in others]
        told += [words["parameter"].format(name) for name in root.parameters]
        told += [words["rows"].format(name) for name in root.rows]
        rows.add_row(
            root.column.rpartition(".")[2],
            "\n".join(told) or _KINDS[lang][root.kind],
        )
    out = terminal.console()
    out.print(rows)
    out.print(words["ask"].format(asked.table.partition(".")[2]))


def _show_dependents(asked: Asked, found: list[Dependent], lang: Language) -> None:
    """Print which columns of which tables depend on a column or table."""
    words = _WORDS[lang]
    out = terminal.console()
    if not found:
        out.print(words["nothing"].format(asked.name))
        return
    title = words["depends"].format(asked.name)
    rows = terminal.table(title, words["table"], words["columns"])
    for dependent in found:
        mark = " *" if dependent.is_published else ""
        rows.add_row(dependent.table + mark, ", ".join(_short(dependent)))
    out.print(rows)
    out.print(words["released"])


def _short(dependent: Dependent) -> Iterable[str]:
    """The columns of a table; of those that each scheme has, one name a scheme."""
    return dict.fromkeys(
        f"{scheme}__…"
        if (scheme := name.partition("__")[0]) in dependent.schemes and "__" in name
        else name
        for name in dependent.columns
    )
