"""What schemes say of assessments, and ingest holds them to."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Band:
    """The points that an assessment may have where it states a word, or any."""

    characteristic: str
    value: str | None  # in small letters; None: whatever the assessment states
    low: Decimal
    high: Decimal
    is_high_included: bool
