"""What may be chosen where a few words are possible, each list written once.

The command line reads its options from these types, and the rooms below it take them as
arguments. They stand here because the command line imports nothing heavy before it
knows which command is called.
"""

from typing import Literal

Language = Literal["en", "zh"]  # of names and reasons
Every = Literal["day", "month"]  # the as-of dates of a backfill
Publish = Literal["all", "last"]  # the releases that a backfill leaves
SampleFormat = Literal["csv", "parquet"]  # of the files of `fenji generate`
NotifyEvent = Literal["failure", "gate", "alerts"]  # what people are told of a run
# How numbers are written in a file: an example of the signs that stand in them.
NumberFormat = Literal["1,234.50", "1.234,50", "1 234,50", "1'234.50"]
