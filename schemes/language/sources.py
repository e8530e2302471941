"""Where the files of schemes, tags and lists are; what they say is read elsewhere."""

from pathlib import Path

from project.folder import Project

TAGS_FILE = "tags.yaml"  # in the folder of schemes, but no scheme
LIBRARY = Path(__file__).parent.parent / "library"
LIBRARY_LISTS = Path(__file__).parent.parent / "lists"
LIBRARY_TAGS = Path(__file__).parent.parent / TAGS_FILE


def files_in(folder: Path | None) -> list[Path]:
    """The scheme files of a folder, sorted; none where there is no such folder."""
    if folder is None or not folder.is_dir():
        return []
    files = sorted(folder.glob("*.yaml"))
    return [file for file in files if file.name != TAGS_FILE]


def scheme_files(project: Project) -> list[Path]:
    """The scheme files of the library, then those of the project."""
    return [*files_in(LIBRARY), *files_in(project.schemes)]


def tag_files(project: Project, own: Path | None = None) -> list[Path]:
    """The library's file of tags, and the project's where it has one.

    Args:
        project: the project.
        own: a file to use instead of the project's own, where it is linted.
    """
    own = own or project.schemes / TAGS_FILE
    return [LIBRARY_TAGS, own] if own.is_file() else [LIBRARY_TAGS]


def list_files(project: Project) -> list[Path]:
    """The files of work lists of the library, then those of the project."""
    return [*files_in(LIBRARY_LISTS), *files_in(project.lists)]
