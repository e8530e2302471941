"""Arguments that the benchmarks share."""


def number_of(text: str) -> int:
    """A count such as 10M, 500k or 42."""
    units = {"k": 1_000, "m": 1_000_000}
    scale = units.get(text[-1:].lower(), 1)
    return int(text[:-1] if scale > 1 else text) * scale
