"""The digests of schemes, tags and work lists, which are part of a run's key.

They are asked for in every run, to decide whether anything is to be done: what reads
schemes is imported only where a project has schemes of its own.
"""

import hashlib
from pathlib import Path

from project.folder import Project
from schemes.language.sources import LIBRARY, files_in, list_files, tag_files


def schemes_digest(project: Project) -> str:
    """A hash of all schemes, enabled or not, without the parameters of the settings.

    Equal rules in the project's own files have an equal hash, however they are laid
    out. The files of the library, which the project cannot change, are taken as bytes.

    Raises:
        ConfigurationError: an own file of the project is wrong.
    """
    whole = _hash_of(files_in(LIBRARY))
    own = [*files_in(project.change.schemes), *files_in(project.schemes)]
    if own:
        from schemes.language.files import read_file  # noqa: PLC0415 - see above

        for path in own:
            scheme = read_file(path)
            whole.update(f"{scheme.scheme} {scheme.digest}\n".encode())
    return whole.hexdigest()


def tags_digest(project: Project) -> str:
    """A hash of the files of tags."""
    return _hash_of(tag_files(project)).hexdigest()


def lists_digest(project: Project) -> str:
    """A hash of the files of work lists."""
    return _hash_of(list_files(project)).hexdigest()


def _hash_of(files: list[Path]) -> "hashlib._Hash":
    """A hash of files, to which more may be added."""
    whole = hashlib.sha256()
    for path in files:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole
