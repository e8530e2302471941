"""Tables of databases and what services and buckets give, brought to landing folders.

`pulling` decides which rows are asked for and which file they land in, as Parquet.
`reading` asks a database for them, through dlt, and `address` knows where it is;
`services` asks a REST interface, by a session of `sessions` that asks nobody else;
`buckets` copies files of object storage as they are. A run does not come here: for it,
what was pulled is a landing file like any other.
"""
