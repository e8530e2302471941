"""The benchmark: a whole run against a hand-written DuckDB script, on equal figures.

`python -m benchmarks` measures; `floor.sql` and `floor.py` are the script it measures
against; `agreement.py` proves that both say the same.

`python -m benchmarks.schemes` measures all schemes without memory on the metrics of a
million customers against `benchmarks/schemes.sql`, and proves that both say the same.

`python -m benchmarks.growth` measures how runs grow with lines, customers, schemes,
files and days. `python -m benchmarks.peers` measures RFM by other means, with the
scripts below `benchmarks/rfm`. `python -m benchmarks.plots` draws both.
"""
