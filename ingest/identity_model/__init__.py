"""Which customer ids are only alike, and how probably they are one customer.

`trained` is the file that holds what was learned: a project keeps and reviews it, so
that a run learns nothing and says of the same rows the same. `records` makes what is
compared, `splinked` says it in Splink's words and has it compared, and `training`
learns from the landing files. What follows from pairs that are alike is in
`ingest.identity`. Splink is imported where a model is asked for, and only then.
"""
