"""Find what is wrong, or probably a mistake, in files of schemes, tags and lists.

An error keeps a scheme from running; the linter compiles the file as a run would, and
reports what that raises. A warning is about what can run but is probably not meant: a
rule that never applies, a tier that nobody gets, a parameter that nothing reads. Each
finding has its place and says what to do. No data is read.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from project.documents import Document, nearest, place_of, read_yaml
from project.errors import ConfigurationError
from project.folder import Project
from project.places import FieldPath, Place
from project.quantities import read_percent
from schemes.compiler.compiled import BELOW_LOWEST
from schemes.compiler.program import CUSTOMERS
from schemes.language.expressions import Binary, Call, Name, Node
from schemes.language.expressions import Literal as Constant
from schemes.language.files import (
    Scheme,
    read_scheme,
    read_schemes,
    set_at,
    taken_id,
)
from schemes.language.lists import read_list, read_lists, refuse_taken
from schemes.language.model import (
    Bands,
    Benefit,
    Flags,
    Ladder,
    Matrix,
    Scorecard,
    Text,
    matches,
)
from schemes.language.sources import (
    LIBRARY,
    LIBRARY_LISTS,
    TAGS_FILE,
    files_in,
    scheme_files,
)
from schemes.language.tags import Dictionary, read_tags
from schemes.plan import plan_of
from schemes.tables.rfm import SCHEME as RFM
from schemes.tables.tag_rules import compile_tags
from sql.contracts import all_columns

_BOUNDS = {"<", "<=", ">", ">=", "="}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a file, or likely not meant, and its place."""

    place: Place
    severity: Literal["error", "warning"]
    message: str

    def __str__(self) -> str:
        """The finding as one line."""
        return f"{self.place}: {self.severity}: {self.message}"

    def as_dict(self) -> dict[str, object]:
        """The finding as `fenji lint --json` lists it; line None: not known."""
        return {
            "path": str(self.place.path),
            "line": self.place.line,
            "field": self.place.field_name or "the file",
            "severity": self.severity,
            "message": self.message,
        }


def lint(project: Project, files: Sequence[Path] = ()) -> tuple[Finding, ...]:
    """The findings in some files, each once.

    Args:
        project: the files are read with its settings and next to its schemes.
        files: files of schemes, tags or lists; none: all of the project's own. A wrong
            setting about schemes or lists is found in either case.
    """
    others = _others(project)
    findings = [_wrong_setting(project), *_lint_files(project, files, others)]
    # An error of one file comes up again in each file that reads it.
    return tuple(dict.fromkeys(filter(None, findings)))


def library_files() -> list[Path]:
    """The files of schemes, then of lists, of the library, sorted."""
    return [*sorted(LIBRARY.glob("*.yaml")), *files_in(LIBRARY_LISTS)]


def _wrong_setting(project: Project) -> Finding | None:
    """The error of `schemes:` or `lists:` in fenji.yaml; None where there is none."""
    try:
        read_schemes(project)
        read_lists(project)
    except ConfigurationError as err:
        found = finding_of(err, project.schemes)
        return found if found.place.path == project.settings_file else None
    return None


def _lint_files(
    project: Project, files: Sequence[Path], others: tuple[Scheme, ...]
) -> Iterator[Finding]:
    """As `lint`, without the settings."""
    chosen = [Path(file) for file in files] or _own_files(project)
    for path in chosen:
        if path.name == TAGS_FILE:
            yield from _lint_tags(project, path, others)
        elif _is_list(project, path):
            yield from _lint_list(project, path, others)
        else:
            yield from _lint_file(project, path, others)


def _own_files(project: Project) -> list[Path]:
    """The project's own files of schemes, tags and lists."""
    own = [path for path in scheme_files(project) if path.parent != LIBRARY]
    tags = project.schemes / TAGS_FILE
    lists = files_in(project.lists)
    return [*own, tags, *lists] if tags.is_file() else [*own, *lists]


def _others(project: Project) -> tuple[Scheme, ...]:
    """The schemes that a file may read; those that are wrong are left out."""
    try:
        return read_schemes(project)
    except ConfigurationError:
        # Their own findings tell what is wrong with them.
        found: dict[str, Scheme] = {}
        for path in scheme_files(project):
            with contextlib.suppress(ConfigurationError):
                scheme = read_scheme(path)
                found.setdefault(scheme.scheme, scheme)
        return tuple(found.values())


def _lint_file(
    project: Project, path: Path, others: Iterable[Scheme]
) -> Iterator[Finding]:
    """The error of a scheme file, or where it has none its warnings."""
    try:
        scheme = read_scheme(path)
        _check_id(project, scheme, others)
        # Without tags: they may read any scheme, and are linted by themselves.
        plan_of(_with_inputs(scheme, others), project, all_columns(), Dictionary(()))
    except ConfigurationError as err:
        yield finding_of(err, path)
        return
    for check in _CHECKS:
        yield from check(scheme)


def _lint_tags(
    project: Project, path: Path, others: tuple[Scheme, ...]
) -> Iterator[Finding]:
    """The errors of a file of tags: of the file, or else of each rule."""
    try:
        dictionary = read_tags(project, path)
        plan = plan_of(others, project, all_columns(), Dictionary(()))
    except ConfigurationError as err:
        yield finding_of(err, path)
        return
    outputs = {compiled.scheme.scheme: compiled.as_output for compiled in plan.schemes}
    for group in dictionary.groups:
        for tag in group.tags:
            alone = Dictionary((replace(group, tags=(tag,)),))
            program = plan.programs[CUSTOMERS.name]
            try:
                compile_tags(alone, program, outputs, all_columns(), project.settings)
            except ConfigurationError as err:
                yield finding_of(err, path)


def _is_list(project: Project, path: Path) -> bool:
    """Whether a file is one of a work list: by its folder, or by how it begins."""
    if path.resolve().parent in {project.lists.resolve(), LIBRARY_LISTS}:
        return True
    with contextlib.suppress(ConfigurationError):
        content = read_yaml(path)
        return isinstance(content, dict) and "list" in content
    return False


def _lint_list(
    project: Project, path: Path, others: tuple[Scheme, ...]
) -> Iterator[Finding]:
    """The error of a file of a work list; none where it can be made."""
    try:
        work_list = read_list(path)
        known = [other for other in files_in(LIBRARY_LISTS) if other != path.resolve()]
        refuse_taken(work_list, known)
        tags = Dictionary(())
        plan_of(others, project, all_columns(), tags, lists=[work_list])
    except ConfigurationError as err:
        yield finding_of(err, path)
        return
    document = work_list.document
    for text in (
        document.name,
        document.why,
        *(source.why for source in document.sources),
    ):
        if text is not None and not _CHINESE.search(_PLACEHOLDER.sub("", text.zh)):
            place = place_of(path, ("name",))
            yield Finding(place, "warning", f"'{text.zh}' is not translated")


def _check_id(project: Project, scheme: Scheme, others: Iterable[Scheme]) -> None:
    """Refuse an id that another scheme has.

    A draft outside of the project's folder may have the id of one of its schemes, which
    it is going to replace.
    """
    path, own = scheme.path.resolve(), project.schemes.resolve()
    for other in others:
        if other.scheme != scheme.scheme or other.path.resolve() == path:
            continue
        if other.path.parent == LIBRARY or path.parent == own:
            raise taken_id(scheme, other)


def _with_inputs(scheme: Scheme, others: Iterable[Scheme]) -> tuple[Scheme, ...]:
    """The scheme with those that it reads, directly or indirectly.

    The RFM scheme is always there: some tables of a release are made from it.
    """
    known = {other.scheme: other for other in others} | {scheme.scheme: scheme}
    needed: dict[str, Scheme] = {}
    to_visit = [scheme.scheme, RFM]
    while to_visit:
        name = to_visit.pop()
        if name in known and name not in needed:
            needed[name] = known[name]
            to_visit.extend(known[name].reads_schemes)
    return tuple(needed.values())


def finding_of(err: ConfigurationError, path: Path) -> Finding:
    """An error as a finding, about the file `path` where the error has no place."""
    return Finding(err.place or Place(path), "error", err.message)


def _warning(scheme: Scheme, field: FieldPath, message: str) -> Finding:
    return Finding(place_of(scheme.path, field), "warning", message)


# Checks: each takes a scheme that compiles, and yields warnings about it.


def _unset(scheme: Scheme) -> Iterator[Finding]:
    """Parameters without a value: the scheme cannot run before they are set."""
    for name, parameter in scheme.document.parameters.items():
        if parameter.default is None:
            yield _warning(
                scheme,
                ("parameters", name),
                f"is not set, so the scheme cannot run; set {scheme.scheme}.{name} in"
                " fenji.yaml",
            )


def _unused(scheme: Scheme) -> Iterator[Finding]:
    """Parameters and definitions that nothing reads."""
    document = scheme.document
    used = {
        node.name
        for _, tree in scheme.trees()
        for node in tree.walk()
        if isinstance(node, Name | Call)
    }
    used |= {name for text in _texts(scheme) for name in _PLACEHOLDER.findall(text.en)}
    used |= {
        str(number)
        for tier in document.tiers
        for number in (tier.from_, tier.top)
        if isinstance(number, str)
    }
    used |= {
        number
        for part in getattr(document, "characteristics", ())
        for number in (part.max, *(attribute.from_ for attribute in part.attributes))
        if isinstance(number, str)
    }
    used |= {
        hours
        for targets in document.service_policy.values()
        for target in targets
        for hours in (target.response_hours, target.resolution_hours)
        if isinstance(hours, str)
    }
    if isinstance(document, Ladder) and document.forward_only is not None:
        used.add(document.forward_only.silence)
    if (validity := document.validity) is not None:
        used |= {str(validity.length), str(validity.grace), str(validity.margin)}
    for name in document.parameters:
        if name not in used:
            yield _warning(scheme, ("parameters", name), "nothing reads it")
    for name in document.define:
        if name not in used and document.grades != "opportunities":
            yield _warning(scheme, ("define", name), "nothing reads it")


def _unknown_feeds(scheme: Scheme) -> Iterator[Finding]:
    """Feeds and columns in `needs` and `wants` that do not exist."""
    known = all_columns()
    schemes = set(scheme.reads_schemes)
    for field in ("needs", "wants"):
        for number, need in enumerate(getattr(scheme.document, field)):
            feed, _, column = need.partition(".")
            if feed in schemes:
                continue
            if feed not in known:
                hint = nearest(feed, {*known, *schemes})
                message = f"there is no feed or scheme read that is '{feed}'{hint}"
                yield _warning(scheme, (field, number), message)
            elif column and column not in known[feed]:
                hint = nearest(column, set(known[feed]))
                message = f"feed {feed} has no column '{column}'{hint}"
                yield _warning(scheme, (field, number), message)


def _unreachable(scheme: Scheme) -> Iterator[Finding]:
    """Tiers of a ladder or of flags that no rule gives."""
    document = scheme.document
    if not isinstance(document, Ladder | Flags):
        return
    given = {rule.tier for rule in (*document.rules, *document.first)}
    given |= {cap.tier_at_most for cap in document.caps}
    for number, tier in enumerate(document.tiers):
        if tier.tier not in given:
            yield _warning(scheme, ("tiers", number), "no rule gives this tier")


def _shared_cells(scheme: Scheme) -> Iterator[Finding]:
    """Tiers of a matrix with cells that an earlier tier has as well."""
    document = scheme.document
    if not isinstance(document, Matrix):
        return
    cells = document.cells()
    taken: set[tuple[str, ...]] = set()
    for number, tier in enumerate(document.tiers):
        own = {cell for cell in cells if matches(tier.cell, cell)}
        if own <= taken:
            message = "tiers above it have all its cells"
            yield _warning(scheme, ("tiers", number, "cell"), message)
        elif own & taken:
            message = "a tier above it has one of its cells, and comes first"
            yield _warning(scheme, ("tiers", number, "cell"), message)
        taken |= own


def _gap_below(scheme: Scheme) -> Iterator[Finding]:
    """A lowest tier with a bound: customers below it get no tier."""
    document = scheme.document
    if not isinstance(document, Bands | Scorecard):
        return
    number, lowest = len(document.tiers) - 1, document.tiers[-1]
    bound = document.number(lowest.from_)
    codes = {unrated.code for unrated in document.unrated}
    if bound is not None and BELOW_LOWEST not in codes:
        message = (
            f"values below {bound} are unrated; add a tier without 'from' below it,"
            f" or say so by the code {BELOW_LOWEST} in 'unrated'"
        )
        yield _warning(scheme, ("tiers", number, "from"), message)


def _dead_rules(scheme: Scheme) -> Iterator[Finding]:
    """Rules that never apply, since an earlier one holds whenever they do."""
    document = scheme.document
    if not isinstance(document, Ladder):
        return
    trees = dict(scheme.trees())
    earlier: list[tuple[int, Node]] = []
    for number in range(len(document.rules)):
        field = ("rules", number, "when")
        tree = trees.get(field)
        if tree is None:
            continue
        if isinstance(tree, Constant):
            verb = "always" if tree.value else "never"
            yield _warning(scheme, field, f"{verb} holds")
        for other_number, other in earlier:
            if _implies(scheme, tree, other):
                message = (
                    f"never applies: rule {other_number + 1} holds whenever it does"
                )
                yield _warning(scheme, field, message)
                break
        earlier.append((number, tree))


def _left_out(scheme: Scheme) -> Iterator[Finding]:
    """Values that fall between rules, as 5 does with `x < 5` and `x > 5`."""
    document = scheme.document
    if not isinstance(document, Ladder):
        return
    # What is compared, and with which number → operator → the field of its first use.
    sides: dict[tuple[Node, Decimal], dict[str, FieldPath]] = {}
    for field, tree in scheme.trees():
        for node in tree.walk():
            if isinstance(node, Binary) and node.operator in _BOUNDS:
                bound = _constant(scheme, node.right)
                if bound is not None:
                    found = sides.setdefault((node.left, bound), {})
                    found.setdefault(node.operator, field)
    for (_, bound), found in sides.items():
        if {"<", ">"} <= found.keys() and not found.keys() & {"<=", ">=", "="}:
            message = (
                f"{bound} itself is in neither rule; write <= or >= in one of them"
            )
            yield _warning(scheme, found[">"], message)


def _translations(scheme: Scheme) -> Iterator[Finding]:
    """Texts whose Chinese has no Chinese character, or other placeholders."""
    for text in _texts(scheme):
        field: FieldPath = ("name",)
        english, chinese = (
            set(_PLACEHOLDER.findall(words)) for words in (text.en, text.zh)
        )
        if english != chinese:
            odd = ", ".join(sorted(english ^ chinese))
            message = f"'{text.en}': only one language quotes {{{odd}}}"
            yield _warning(scheme, field, message)
        plain = _PLACEHOLDER.sub("", text.zh)
        # Short words such as VIP or RFM are the same in both languages.
        if not _CHINESE.search(plain) and re.search(r"[A-Za-z]{4,}", plain):
            yield _warning(scheme, field, f"'{text.zh}' is not translated")


def _benefits(scheme: Scheme) -> Iterator[Finding]:
    """Benefits without a value or a name, or that a lower tier gives already."""
    document = scheme.document
    order = {tier.tier: number for number, tier in enumerate(document.tiers)}
    inherited: dict[str, Benefit] = {}
    for tier in sorted(document.entitlements, key=lambda tier: -order[tier]):
        benefits = document.entitlements[tier]
        for number, benefit in enumerate(benefits):
            field: FieldPath = ("entitlements", tier, number, "benefit")
            name = benefit.benefit
            if benefit.value is None:
                message = (
                    "is not set, so nobody has it; set"
                    f" {scheme.scheme}.entitlements.{tier}.{name} in fenji.yaml"
                )
                yield _warning(scheme, field, message)
            if benefit.name is None:
                message = f"'{name}' has no name; write name: {{en: …, zh: …}}"
                yield _warning(scheme, field, message)
            if document.inherit and benefit == inherited.get(name):
                message = f"'{name}' comes from a lower tier already"
                yield _warning(scheme, field, message)
        inherited |= {benefit.benefit: benefit for benefit in benefits}


def _parameter_sets(scheme: Scheme) -> Iterator[Finding]:
    """Sets of parameters with which the scheme is wrong: these are errors."""
    for name, values in scheme.document.parameter_sets.items():
        content = read_yaml(scheme.path)
        place = place_of(scheme.path, ("parameter_sets", name))
        try:
            for path, value in values.items():
                set_at(content, path, value)
            read_scheme(scheme.path, content)
        except ConfigurationError as err:
            # The place of this error is where the value was put, which is right.
            yield Finding(place, "error", err.without_path)
        except ValueError as err:
            yield Finding(place, "error", str(err))


_CHECKS: tuple[Callable[[Scheme], Iterable[Finding]], ...] = (
    _unset,
    _unused,
    _unknown_feeds,
    _unreachable,
    _shared_cells,
    _gap_below,
    _dead_rules,
    _left_out,
    _translations,
    _benefits,
    _parameter_sets,
)


def _texts(scheme: Scheme) -> Iterator[Text]:
    """Every text of the scheme that is in both languages."""
    to_visit: list[object] = [scheme.document]
    while to_visit:
        part = to_visit.pop()
        if isinstance(part, Text):
            yield part
        elif isinstance(part, dict):
            to_visit.extend(part.values())
        elif isinstance(part, tuple):
            to_visit.extend(part)
        elif isinstance(part, Document):
            to_visit.extend(getattr(part, name) for name in type(part).model_fields)


def _constant(scheme: Scheme, node: Node) -> Decimal | None:
    """The number of a literal or of a parameter; None for anything else."""
    if isinstance(node, Constant) and isinstance(node.value, Decimal):
        return node.value
    if isinstance(node, Name) and node.owner is None:
        parameter = scheme.document.parameters.get(node.name)
        if parameter is not None and not parameter.is_window:
            share = read_percent(parameter.default)
            if share is not None:
                return share
            value = parameter.default
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return Decimal(value)
    return None


def _implies(scheme: Scheme, condition: Node, other: Node) -> bool:
    """Whether `other` holds whenever `condition` does, as far as the trees show it.

    False also where it cannot be told: then nothing is warned of.
    """
    joins = {"and", "or"}
    if condition == other:
        return True
    if isinstance(other, Binary) and other.operator in joins:
        sides = [
            _implies(scheme, condition, side) for side in (other.left, other.right)
        ]
        return any(sides) if other.operator == "or" else all(sides)
    if isinstance(condition, Binary) and condition.operator in joins:
        sides = [
            _implies(scheme, side, other) for side in (condition.left, condition.right)
        ]
        return any(sides) if condition.operator == "and" else all(sides)
    return _bound_implies(scheme, condition, other)


def _bound_implies(scheme: Scheme, condition: Node, other: Node) -> bool:
    """As `_implies`, of two comparisons: `x >= 10` implies `x >= 2`."""
    if not (isinstance(condition, Binary) and isinstance(other, Binary)):
        return False
    inner = _constant(scheme, condition.right)
    outer = _constant(scheme, other.right)
    if condition.left != other.left or inner is None or outer is None:
        return False
    operator = condition.operator
    # With the same operator, both at the same bound, both are the same condition.
    is_same_bound = inner == outer and operator == other.operator
    is_from, is_to = operator in {">", ">=", "="}, operator in {"<", "<=", "="}
    holds = {
        ">=": is_from and inner >= outer,
        ">": is_from and (inner > outer or is_same_bound),
        "<=": is_to and inner <= outer,
        "<": is_to and (inner < outer or is_same_bound),
    }
    return holds.get(other.operator, False)
