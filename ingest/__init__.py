"""From files in landing folders to typed, accounted rows in the warehouse.

`landing` finds files, `ledger` knows which are new, `unpacking` and `workbooks` guard
against files that break readers, `sniffing` and `mapping` work out what columns are,
`sources` and `casts` build the statement that reads them, `load` runs it, `duplicates`
and `rejections` say which rows count, `staging` shows those as of a date. Nothing here
knows about customers' figures, schemes or Dagster.
"""
