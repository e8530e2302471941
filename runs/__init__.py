"""The life of one run: whether it is needed, its key, opening it, what it knows.

`opening` decides and opens, `key` says what makes two runs equal, `run` is the run
while it lasts, `warehouse_state` what it leaves behind for the next. What a run
computes is in `assets`; what it publishes, in `releases`.
"""
