"""Tables of databases, brought into the landing folders as Parquet.

`pulling` decides which rows are asked for and which file they land in; `reading` asks
the database for them, through dlt, and `address` knows where it is. A run does not come
here: for it, what was pulled is a landing file like any other.
"""
