"""The sections of a report: figures are read, then laid out as blocks for a page."""
