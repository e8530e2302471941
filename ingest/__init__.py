"""From files in landing folders to typed rows in the warehouse, all accounted for.

`landing` finds files, `ledger` knows which are new, `unpacking` and `workbooks` guard
against files that break readers, `sniffing` and `mapping` work out what the columns
are, `relation` and `casts` build the query that reads them, `load` runs it,
`duplicates` and `rejections` say which rows count, `staging` shows those as of a date.
Selects that never vary stand in `sql/`. Nothing here knows about customers' figures,
schemes or Dagster.
"""
