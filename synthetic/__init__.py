"""Made-up companies: the feeds behind `fenji generate`, the demo and the benchmarks.

`sql/<feed>.sql` is one select a feed; `functions.sql` holds the words they share;
`generator` runs them and writes the files. Nothing here knows how feeds are read.
"""
