"""The benchmark: a whole run against a hand-written DuckDB script, on equal figures.

`python -m benchmarks` measures; `floor.sql` and `floor.py` are the script it measures
against; `agreement.py` proves that both say the same. No test depends on it.
"""
