"""Which points an expert may give: what the cards that read assessments say of them.

Points beyond these bands are rejected where assessments are loaded; here is no SQL.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from schemes.language.expressions import Call, Literal, parse_expression
from schemes.language.files import Scheme
from schemes.language.model import Characteristic, Scorecard
from sql.bands import Band

# The metric of `sql/metrics/assessments.yaml` that hands an expert's points on.
_METRIC, _ARGUMENT = "assessed_points", "characteristic"


def assessed_bands(schemes: Iterable[Scheme]) -> tuple[Band, ...]:
    """The bands of all enabled schemes; an assessment must lie in each that is its own.

    A characteristic that takes assessed points as they are allows from 0 to its `max`,
    both included. Where an assessment states one of its words, only from that word's
    bound to the next better word's.

    Raises:
        ConfigurationError: a characteristic has words, and no assessments or no `max`.
    """
    return tuple(
        band
        for scheme in schemes
        if scheme.is_enabled and isinstance(scheme.document, Scorecard)
        for place, characteristic in enumerate(scheme.document.characteristics)
        for band in _bands(scheme, place, characteristic)
    )


def _bands(
    scheme: Scheme, place: int, characteristic: Characteristic
) -> Iterator[Band]:
    assessed = _assessed(characteristic.points)
    most = scheme.document.number(characteristic.max)
    if assessed is None or most is None:
        if characteristic.attributes:
            raise scheme.error(
                ("characteristics", place, "attributes"),
                "are the words of assessments; give 'max', and 'points:"
                f" {_METRIC}({_ARGUMENT} = …)'",
            )
        return
    yield Band(assessed, None, Decimal(0), most, is_high_included=True)
    above = most
    for attribute in characteristic.attributes:
        low = scheme.document.number(attribute.from_)
        if low is None:
            # The parameter is not set, so that the scheme does not run.
            return
        if low >= above:
            raise scheme.error(
                ("characteristics", place, "attributes"),
                "stand best first, so 'from' falls, and is below 'max'",
            )
        for value in attribute.values:
            yield Band(
                assessed, value.lower(), low, above, is_high_included=above == most
            )
        above = low


def _assessed(points: str) -> str | None:
    """The characteristic whose assessed points are taken as they are."""
    tree = parse_expression(points)
    if not isinstance(tree, Call) or tree.name != _METRIC:
        return None
    given = dict(tree.named).get(_ARGUMENT)
    if isinstance(given, Literal) and isinstance(given.value, str):
        return given.value
    return None
