"""Scaffolds for maintainers: the files of a new table or scheme, ready to be filled.

`make new-table NAME=marts.visits` and `make new-scheme NAME=visit_level` call it. What
it writes passes every check and test as it stands. It is no part of the package.
"""
