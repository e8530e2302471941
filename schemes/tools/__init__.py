"""Tools for people: the linter, explanations of grades, the page of the library.

No run needs them, so an edit here changes no key of a run.
"""
