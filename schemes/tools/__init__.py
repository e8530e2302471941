"""Tools for people who write or read schemes; no run needs them."""
