"""Releases in PostgreSQL, for BI tools that read a server: `publish.postgres`.

`pushing` is the face. Each release is a schema of plain tables, which `loading` fills.
Readers are shown views in schemas whose names stay: `views` points them all at another
release in one transaction. `roles` says which role is shown which columns and rows.
Needs psycopg, which is the extra `fenji[postgres]`: imported only where the setting is.
"""
