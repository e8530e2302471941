"""Releases: written apart, checked, moved into place whole, never changed again."""
