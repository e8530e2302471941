"""Releases in object storage, for readers elsewhere: `publish.object_storage`.

`pushing` is the face, `bucket` what it says to the server and the errors in words. Each
release is a folder of objects that never change; `current.json` names the one to read.
Needs obstore, which is the extra `fenji[object-storage]`: imported only where the
setting is.
"""
