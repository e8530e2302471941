"""What is wrong, or likely not meant, in files of schemes and tags.

Each finding names file, line, field and way out.

Errors keep a scheme from running; warnings point at what reads like a slip: a rule that
never applies, a tier that nobody gets, a parameter that nothing uses.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
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
    LIBRARY,
    TAGS_FILE,
    Scheme,
    read_scheme,
    read_schemes,
    scheme_files,
    set_at,
    taken_id,
)
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
from schemes.language.tags import Dictionary, read_tags
from schemes.plan import plan_of
from schemes.tables.rfm import SCHEME as RFM
from schemes.tables.tag_rules import compile_tags
from sql.contracts import all_columns

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
    """Everything found in the files; without any, in the project's own.

    A setting about schemes that is wrong is found either way.
    """
    others = _others(project)
    findings = [_wrong_setting(project), *_lint_files(project, files, others)]
    # What is wrong with one file may be met with in others that read it.
    return tuple(dict.fromkeys(one for one in findings if one is not None))


def library_files() -> list[Path]:
    """The files of the library, whose warnings are for its authors."""
    return sorted(LIBRARY.glob("*.yaml"))


def _wrong_setting(project: Project) -> Finding | None:
    """What is wrong with `schemes:` in fenji.yaml; None where nothing is."""
    try:
        read_schemes(project)
    except ConfigurationError as err:
        found = finding_of(err, project.schemes)
        return found if found.place.path == project.settings_file else None
    return None


def _lint_files(
    project: Project, files: Sequence[Path], others: tuple[Scheme, ...]
) -> Iterator[Finding]:
    chosen = [Path(file) for file in files] or _own_files(project)
    for path in chosen:
        if path.name == TAGS_FILE:
            yield from _lint_tags(project, path, others)
        else:
            yield from _lint_file(project, path, others)


def _own_files(project: Project) -> list[Path]:
    """The project's files of schemes and tags."""
    own = [path for path in scheme_files(project) if path.parent != LIBRARY]
    tags = project.schemes / TAGS_FILE
    return [*own, tags] if tags.is_file() else own


def _others(project: Project) -> tuple[Scheme, ...]:
    """The schemes that a file may read, as far as they can be read themselves."""
    try:
        return read_schemes(project)
    except ConfigurationError:
        # What is wrong with them is found when they are looked at.
        found: dict[str, Scheme] = {}
        for path in scheme_files(project):
            with contextlib.suppress(ConfigurationError):
                scheme = read_scheme(path)
                found.setdefault(scheme.scheme, scheme)
        return tuple(found.values())


def _lint_file(
    project: Project, path: Path, others: Iterable[Scheme]
) -> Iterator[Finding]:
    try:
        scheme = read_scheme(path)
        _check_id(project, scheme, others)
        # Tags may read any scheme, and are judged by themselves.
        plan_of(_with_inputs(scheme, others), project, all_columns(), Dictionary(()))
    except ConfigurationError as err:
        yield finding_of(err, path)
        return
    for check in _CHECKS:
        yield from check(scheme)


def _lint_tags(
    project: Project, path: Path, others: tuple[Scheme, ...]
) -> Iterator[Finding]:
    """What is wrong with a file of tags, rule by rule."""
    try:
        dictionary = read_tags(project, path)
        plan = plan_of(others, project, all_columns(), Dictionary(()))
    except ConfigurationError as err:
        yield finding_of(err, path)
        return
    outputs = {one.scheme.scheme: one.as_output for one in plan.schemes}
    for group in dictionary.groups:
        for tag in group.tags:
            alone = Dictionary((replace(group, tags=(tag,)),))
            program = plan.programs[CUSTOMERS.name]
            try:
                compile_tags(alone, program, outputs, all_columns(), project.settings)
            except ConfigurationError as err:
                yield finding_of(err, path)


def _check_id(project: Project, scheme: Scheme, others: Iterable[Scheme]) -> None:
    """An id is of one scheme; a draft elsewhere may bear that of the project's own."""
    path, own = scheme.path.resolve(), project.schemes.resolve()
    for other in others:
        is_beside = other.path.parent == LIBRARY or path.parent == own
        if other.scheme == scheme.scheme and other.path.resolve() != path and is_beside:
            raise taken_id(scheme, other)


def _with_inputs(scheme: Scheme, others: Iterable[Scheme]) -> tuple[Scheme, ...]:
    """The scheme with those that it reads, directly or not."""
    known = {one.scheme: one for one in others} | {scheme.scheme: scheme}
    taken: dict[str, Scheme] = {}
    ahead = [scheme.scheme, RFM]
    while ahead:
        name = ahead.pop()
        if name in known and name not in taken:
            taken[name] = known[name]
            ahead.extend(known[name].reads_schemes)
    return tuple(taken.values())


def finding_of(err: ConfigurationError, path: Path) -> Finding:
    """An error as a finding; it is about the file `path` where it has no place."""
    return Finding(err.place or Place(path), "error", err.message)


def _warning(scheme: Scheme, field: FieldPath, message: str) -> Finding:
    return Finding(place_of(scheme.path, field), "warning", message)


# Checks.


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
    """Parameters, definitions and optional inputs that nothing reads."""
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
        for one in getattr(document, "characteristics", ())
        for number in (one.max, *(attribute.from_ for attribute in one.attributes))
        if isinstance(number, str)
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
    """Feeds and columns in `needs` and `wants` that there are not."""
    known = all_columns()
    schemes = set(scheme.reads_schemes)
    for field in ("needs", "wants"):
        for place, need in enumerate(getattr(scheme.document, field)):
            feed, _, column = need.partition(".")
            if feed in schemes:
                continue
            if feed not in known:
                hint = nearest(feed, {*known, *schemes})
                message = f"there is no feed or scheme read that is '{feed}'{hint}"
                yield _warning(scheme, (field, place), message)
            elif column and column not in known[feed]:
                hint = nearest(column, set(known[feed]))
                message = f"feed {feed} has no column '{column}'{hint}"
                yield _warning(scheme, (field, place), message)


def _unreachable(scheme: Scheme) -> Iterator[Finding]:
    """Tiers that no rule gives, and cells that an earlier tier has taken."""
    document = scheme.document
    if isinstance(document, Ladder | Flags):
        given = {rule.tier for rule in (*document.rules, *document.first)}
        given |= {cap.tier_at_most for cap in document.caps}
        for place, tier in enumerate(document.tiers):
            if tier.tier not in given:
                yield _warning(scheme, ("tiers", place), "no rule gives this tier")
    if isinstance(document, Matrix):
        cells = list(
            product(*([level.level for level in a.all_levels] for a in document.axes))
        )
        taken: set[tuple[str, ...]] = set()
        for place, tier in enumerate(document.tiers):
            own = {cell for cell in cells if matches(tier.cell, cell)}
            if own <= taken:
                message = "tiers above it have all its cells"
                yield _warning(scheme, ("tiers", place, "cell"), message)
            elif own & taken:
                message = "a tier above it has one of its cells, and comes first"
                yield _warning(scheme, ("tiers", place, "cell"), message)
            taken |= own


def _gap_below(scheme: Scheme) -> Iterator[Finding]:
    """A lowest tier with a bound: whoever is below it has no tier."""
    document = scheme.document
    if not isinstance(document, Bands | Scorecard):
        return
    place, lowest = len(document.tiers) - 1, document.tiers[-1]
    bound = document.number(lowest.from_)
    if bound is not None and BELOW_LOWEST not in {one.code for one in document.unrated}:
        message = (
            f"values below {bound} are unrated; add a tier without 'from' below it,"
            f" or say so by the code {BELOW_LOWEST} in 'unrated'"
        )
        yield _warning(scheme, ("tiers", place, "from"), message)


def _dead_rules(scheme: Scheme) -> Iterator[Finding]:
    """Rules that can never apply: an earlier one holds whenever they do."""
    document = scheme.document
    if not isinstance(document, Ladder):
        return
    trees = dict(scheme.trees())
    before: list[tuple[int, Node]] = []
    for place in range(len(document.rules)):
        tree = trees.get(("rules", place, "when"))
        if tree is None:
            continue
        if isinstance(tree, Constant):
            verb = "always" if tree.value else "never"
            yield _warning(scheme, ("rules", place, "when"), f"{verb} holds")
        for earlier, other in before:
            if _implies(scheme, tree, other):
                message = f"never applies: rule {earlier + 1} holds whenever it does"
                yield _warning(scheme, ("rules", place, "when"), message)
                break
        before.append((place, tree))


def _left_out(scheme: Scheme) -> Iterator[Finding]:
    """Bounds that neither side includes: `x < 5` in one rule and `x > 5` in another."""
    document = scheme.document
    if not isinstance(document, Ladder):
        return
    sides: dict[tuple[Node, Decimal], dict[str, FieldPath]] = {}
    for place, tree in scheme.trees():
        for node in tree.walk():
            if isinstance(node, Binary) and node.operator in {
                "<",
                "<=",
                ">",
                ">=",
                "=",
            }:
                bound = _constant(scheme, node.right)
                if bound is not None:
                    found = sides.setdefault((node.left, bound), {})
                    found.setdefault(node.operator, place)
    for (_, bound), found in sides.items():
        if {"<", ">"} <= found.keys() and not found.keys() & {"<=", ">=", "="}:
            message = (
                f"{bound} itself is in neither rule; write <= or >= in one of them"
            )
            yield _warning(scheme, found[">"], message)


def _translations(scheme: Scheme) -> Iterator[Finding]:
    """Chinese texts without a Chinese character, or that quote something else."""
    for text in _texts(scheme):
        place: FieldPath = ("name",)
        english, chinese = (
            set(_PLACEHOLDER.findall(one)) for one in (text.en, text.zh)
        )
        if english != chinese:
            odd = ", ".join(sorted(english ^ chinese))
            message = f"'{text.en}': only one language quotes {{{odd}}}"
            yield _warning(scheme, place, message)
        plain = _PLACEHOLDER.sub("", text.zh)
        if not _CHINESE.search(plain) and re.search(r"[A-Za-z]{4,}", plain):
            yield _warning(scheme, place, f"'{text.zh}' is not translated")


def _benefits(scheme: Scheme) -> Iterator[Finding]:
    """Benefits without a value or a translation, or that a lower tier gives already."""
    document = scheme.document
    order = {tier.tier: place for place, tier in enumerate(document.tiers)}
    below: dict[str, Benefit] = {}  # what the tiers below hand up
    for tier in sorted(document.entitlements, key=lambda one: -order[one]):
        given = document.entitlements[tier]
        for place, one in enumerate(given):
            at: FieldPath = ("entitlements", tier, place)
            if one.value is None:
                yield _warning(
                    scheme,
                    (*at, "benefit"),
                    "is not set, so nobody has it; set"
                    f" {scheme.scheme}.entitlements.{tier}.{one.benefit} in fenji.yaml",
                )
            if one.name is None:
                message = f"'{one.benefit}' has no name; write name: {{en: …, zh: …}}"
                yield _warning(scheme, (*at, "benefit"), message)
            if document.inherit and one == below.get(one.benefit):
                message = f"'{one.benefit}' comes from a lower tier already"
                yield _warning(scheme, (*at, "benefit"), message)
        below |= {one.benefit: one for one in given}


def _parameter_sets(scheme: Scheme) -> Iterator[Finding]:
    """Sets of parameters that cannot be put into the scheme."""
    for name, values in scheme.document.parameter_sets.items():
        content = read_yaml(scheme.path)
        try:
            for path, value in values.items():
                set_at(content, path, value)
            read_scheme(scheme.path, content)
        except (ValueError, ConfigurationError) as err:
            said = err.without_path if isinstance(err, ConfigurationError) else str(err)
            place = place_of(scheme.path, ("parameter_sets", name))
            yield Finding(place, "error", said)


_CHECKS: tuple[Callable[[Scheme], Iterable[Finding]], ...] = (
    _unset,
    _unused,
    _unknown_feeds,
    _unreachable,
    _gap_below,
    _dead_rules,
    _left_out,
    _translations,
    _benefits,
    _parameter_sets,
)


def _texts(scheme: Scheme) -> Iterator[Text]:
    """Every text of the scheme in both languages."""
    ahead: list[object] = [scheme.document]
    while ahead:
        one = ahead.pop()
        if isinstance(one, Text):
            yield one
        elif isinstance(one, dict):
            ahead.extend(one.values())
        elif isinstance(one, tuple):
            ahead.extend(one)
        elif isinstance(one, Document):
            ahead.extend(getattr(one, name) for name in type(one).model_fields)


def _constant(scheme: Scheme, node: Node) -> Decimal | None:
    """The number that a node always is: a literal, or a parameter."""
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


def _implies(scheme: Scheme, one: Node, other: Node) -> bool:
    """Whether the first condition holds only where the second does, as far as seen."""
    joins = {"and", "or"}
    if one == other:
        return True
    if isinstance(other, Binary) and other.operator in joins:
        sides = [_implies(scheme, one, side) for side in (other.left, other.right)]
        return any(sides) if other.operator == "or" else all(sides)
    if isinstance(one, Binary) and one.operator in joins:
        sides = [_implies(scheme, side, other) for side in (one.left, one.right)]
        return any(sides) if one.operator == "and" else all(sides)
    return _bound_implies(scheme, one, other)


def _bound_implies(scheme: Scheme, one: Node, other: Node) -> bool:
    """Whether `x >= 10` lies within `x >= 2`, and the like."""
    if not (isinstance(one, Binary) and isinstance(other, Binary)):
        return False
    inner, outer = _constant(scheme, one.right), _constant(scheme, other.right)
    if one.left != other.left or inner is None or outer is None:
        return False
    is_strict = one.operator == other.operator
    upwards, downwards = {">", ">=", "="}, {"<", "<=", "="}
    holds = {
        ">=": one.operator in upwards and inner >= outer,
        ">": one.operator in upwards
        and (inner > outer or (inner == outer and is_strict)),
        "<=": one.operator in downwards and inner <= outer,
        "<": one.operator in downwards
        and (inner < outer or (inner == outer and is_strict)),
    }
    return holds.get(other.operator, False)
