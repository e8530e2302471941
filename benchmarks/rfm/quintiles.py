"""Quintiles of a pandas frame of RFM, for the scripts beside it that use pandas."""

import pandas as pd

SCORES = [1, 2, 3, 4, 5]


def add_scores(rfm: pd.DataFrame) -> None:
    """Add r_score, f_score and m_score, 5 the best; ties fall in the order of rows."""
    for score, name, is_better in (
        ("r_score", "recency", False),
        ("f_score", "frequency", True),
        ("m_score", "monetary", True),
    ):
        ranked = rfm[name].rank(method="first", ascending=is_better)
        rfm[score] = pd.qcut(ranked, 5, labels=SCORES).astype(int)
