"""The files of the landing folders: found by path alone, never opened here.

Archives are folders of their members; what lies in them, `ingest.archives` says. A file
beside a landing file that corrects records of it is told by its name alone; what it
holds is read in `ingest.corrections`.

This module is imported before anything heavy, to find out whether anything is new.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath

from ingest import archives, sheets
from ingest.mapping import check_feeds, place_in_mapping, position_of
from project.errors import ConfigurationError
from project.folder import Project
from project.mappings import FeedMapping, Join
from project.places import Place
from project.settings import Limits
from sql.contracts import feeds

TEXT = ("csv", "tsv", "txt")
JSON = ("json", "jsonl")
EXCEL = ("xlsx", "xls")
PARQUET = ("parquet",)
COMPRESSIONS = ("gz", "zst")
# The end of the name of a file that corrects records of the one beside it.
CORRECTION = ".retry.csv"

HIDDEN = re.compile(
    r"^[.~]|~$|\.(tmp|temp|part|partial|crdownload|filepart|swp|lock|inprogress)$"
    r"|^_(?!.*\.)|^(Thumbs\.db|desktop\.ini)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class JoinedFile:
    """A file whose columns a mapping reads beside those of the files it takes."""

    name: str  # of the join in the mapping
    place: str  # from the project folder on, where it lies below that
    absolute: Path
    real: Path  # the same for all feeds, but for links within the folder
    size: int
    mtime_ns: int
    sheet: str | None = None  # of the workbook, where the join takes several


@dataclass(frozen=True)
class LandingFile:
    """A file in a feed's folder."""

    feed: str
    path: str  # below the feed's folder, with forward slashes
    absolute: Path
    size: int
    mtime_ns: int
    mapping: FeedMapping
    is_unmatched: bool = False  # there are mappings, and the files of none take it
    joined: tuple[JoinedFile, ...] = ()  # by the mapping
    sheet: str | None = None  # of the workbook, where the mapping takes several
    correction: "LandingFile | None" = None  # the file that corrects records of it
    is_correction: bool = False
    corrects: str | None = None  # the path of the file that a correction file corrects

    @property
    def name(self) -> str:
        """The path in lower case, without the name of a sheet or of a part of rows."""
        path = self.path.removesuffix(_suffix(self.mapping))
        if self.sheet is not None:
            path = path.removesuffix(f"/{self.sheet}")
        return path.lower()

    @property
    def compression(self) -> str | None:
        """`gz` or `zst`, None where the file is not compressed."""
        last = self.name.rpartition(".")[2]
        return last if last in COMPRESSIONS else None

    @property
    def extension(self) -> str:
        """The extension that tells the format, in lower case, without the dot."""
        name = PurePosixPath(self.name).name
        if self.compression:
            name = name.rpartition(".")[0]
        return name.rpartition(".")[2] if "." in name else ""

    @property
    def is_known(self) -> bool:
        """Whether the extension is one that Fenji reads without being told to."""
        if self.compression:
            return self.extension in TEXT + JSON
        return self.extension in TEXT + JSON + EXCEL + PARQUET


def find_files(project: Project, *, feed: str | None = None) -> tuple[LandingFile, ...]:
    """All files of all feeds, or of one, by feed and path, byte by byte.

    Hidden and temporary files are left out. A file that no mapping of its feed takes
    is found without one. Files whose format is unknown are found as well: they will be
    refused by name.

    Raises:
        ConfigurationError: a folder of `landing/` is no feed, a file lies outside the
            feeds' folders, a folder that is named does not exist, or a mapping in
            `fenji.yaml` is wrong.
    """
    check_feeds(project)
    _check_landing(project)
    is_shared = any(
        mapping.folder is not None
        for mappings in project.settings.feeds.values()
        for mapping in mappings
    )
    names = feeds() if feed is None or is_shared else (feed,)
    places = [place for name in names for place in _places_of(project, name)]
    if is_shared:
        # What one feed joins is not lost where another finds no use for it.
        beside = {file.real for place in places for file in place.joined}
        places = [
            place for place in places if _claim(place) or place.real not in beside
        ]
        places = _once(project, places)
    found = [
        file
        for place in places
        if feed in {None, place.feed}
        for file in _found(project, place)
    ]
    found = _paired(project, found)
    return tuple(sorted(found, key=lambda file: (file.feed, file.path.encode())))


def correction_place(project: Project, file: LandingFile) -> Path:
    """Where the file lies, or would lie, that corrects records of a landing file.

    It lies beside the file on disk, and is named by it. A member of an archive, a sheet
    or a part of the rows has a file of its own, and so has each feed that reads a file
    outside its own folder.
    """
    archive = archives.inside(file.absolute)
    container, member = archive or (file.absolute, None)
    parts = [member and member.replace("/", "."), file.sheet, file.mapping.part]
    if not file.absolute.is_relative_to(project.landing / file.feed):
        parts.append(file.feed)
    inner = "".join(f".{part}" for part in parts if part)
    return container.with_name(f"{container.name}{inner}{CORRECTION}")


def _paired(project: Project, found: Sequence[LandingFile]) -> list[LandingFile]:
    """The files, each with the one that corrects it; those that correct none as well.

    A correction file that lies where several feeds look is that of the feed which it
    is named for; one that corrects nothing is listed once.
    """
    by_place: dict[tuple[str, Path], LandingFile] = {
        (file.feed, file.absolute): file for file in found if file.is_correction
    }
    if not by_place:
        return list(found)
    made: list[LandingFile] = []
    paired: dict[tuple[str, Path], LandingFile] = {}
    for file in found:
        if file.is_correction:
            continue
        place = (file.feed, correction_place(project, file))
        if place in by_place and place not in paired:
            paired[place] = replace(by_place[place], corrects=file.path)
            made.append(replace(file, correction=paired[place]))
        else:
            made.append(file)
    listed = {absolute for _, absolute in paired}
    for (feed, absolute), file in by_place.items():
        if (feed, absolute) in paired:
            made.append(paired[feed, absolute])
        elif absolute not in listed:
            listed.add(absolute)
            made.append(file)
    return made


def _corrects(path: str | Path) -> bool:
    """Whether a file of this name corrects records of another one."""
    return PurePosixPath(path).name.lower().endswith(CORRECTION)


def shown_place(project: Project, feed: str, path: str) -> str:
    """Where a file of a feed lies, from the project folder on, as messages name it.

    Args:
        project: the project.
        feed: the feed.
        path: the file's path below the feed's folder, as `LandingFile` and the ledger
            have it.
    """
    folders = {mapping.folder for mapping in project.settings.mappings_of(feed)}
    if len(folders) > 1:
        # Paths below another folder than the feed's own begin with that folder.
        named = [folder.as_posix() for folder in folders if folder is not None]
        own = f"{project.landing.name}/{feed}"
        begins = [f"{name}/" for name in (*named, own)]
        return path if path.startswith(tuple(begins)) else f"{own}/{path}"
    (folder,) = folders
    if folder is None:
        return f"{project.landing.name}/{feed}/{path}"
    if path.startswith(f"{project.landing.name}/{feed}/"):
        return path
    return f"{folder.as_posix()}/{path}"


def _check_landing(project: Project) -> None:
    if not project.landing.is_dir():
        return
    for entry in sorted(project.landing.iterdir()):
        if HIDDEN.search(entry.name):
            continue
        if entry.is_dir() and entry.name not in feeds():
            raise ConfigurationError(
                f"is not the folder of a feed{_way_out(project, entry)}", Place(entry)
            )
        if (
            entry.is_file()
            and LandingFile("", entry.name, entry, 0, 0, FeedMapping()).is_known
        ) or (entry.is_file() and archives.is_archive(entry.name)):
            raise ConfigurationError(
                "belongs to no feed; move it into a folder such as"
                f" {project.landing / 'transactions'}",
                Place(entry),
            )


def _way_out(project: Project, entry: Path) -> str:
    """What to do with a folder of `landing/` that is no feed's."""
    from project.documents import nearest  # noqa: PLC0415 - on the way to an error

    named = {
        (project.root / mapping.folder.expanduser()).resolve()
        for mappings in project.settings.feeds.values()
        for mapping in mappings
        if mapping.folder is not None
    }
    place = entry.resolve()
    is_named = any(place in {folder, *folder.parents} for folder in named)
    near = "" if is_named else nearest(entry.name, list(feeds()))
    return near or (
        f"; move it out of {project.landing.name}/, such as to {entry.name}/, and name"
        f" it so: 'folder: {entry.name}'; or put its files into the feed's own folder,"
        f" such as {project.landing.name}/transactions/{entry.name}/"
    )


@dataclass(frozen=True)
class _Place:
    """A file as one feed sees it; feeds may share folders."""

    feed: str
    path: str  # below the feed's folder
    absolute: Path
    real: Path  # the same for all feeds, but for links within the folder
    mapping: FeedMapping | None  # None: there are mappings, and none takes it
    joined: tuple[JoinedFile, ...] = ()

    @property
    def is_correction(self) -> bool:
        """Whether it corrects records of another file."""
        return _corrects(self.path)


def _places_of(project: Project, feed: str) -> Iterator[_Place]:
    mappings = project.settings.mappings_of(feed)
    several = len({mapping.folder for mapping in mappings}) > 1
    joined = [_joined(project, feed, mapping) for mapping in mappings]
    # Files that are only joined are no files of the feed: the mappings read them.
    beside = {file.real for files in joined for file in files}
    taken = set(beside)
    left: list[_Place] = []
    for own in dict.fromkeys(mapping.folder for mapping in mappings):
        members = [mapping for mapping in mappings if mapping.folder == own]
        folder = _folder(project, feed, mappings.index(members[0]), members[0])
        if folder is None:
            continue
        # Paths of several folders are told apart by the folder as it is written.
        prefix = f"{own.as_posix()}/" if several and own else ""
        real = folder.resolve()
        for path, absolute in _walk(folder, project.settings.limits):
            place = _Place(feed, prefix + path, absolute, real / path, None)
            takers = _takers(members, path, is_joined=place.real in beside)
            if not takers:
                left.append(place)
            for mapping in takers:
                taken.add(place.real)
                yield replace(
                    place,
                    path=place.path + _suffix(mapping),
                    mapping=mapping,
                    joined=joined[mappings.index(mapping)],
                )
    if all(mapping.folder for mapping in mappings):
        # Those folders stand for the feed's own, where files may lie all the same.
        folder = project.landing / feed
        prefix = f"{folder.relative_to(project.root).as_posix()}/"
        if folder.is_dir():
            real = folder.resolve()
            left += [
                _Place(feed, prefix + path, absolute, real / path, None)
                for path, absolute in _walk(folder, project.settings.limits)
            ]
    for place in left:
        # Folders may overlap.
        if place.real not in taken:
            taken.add(place.real)
            yield replace(place, mapping=_read_by_none(place))


def _read_by_none(place: _Place) -> FeedMapping | None:
    """The mapping of a file that none of the feed's takes; a correction file needs one.

    It is read with the file that it corrects.
    """
    return FeedMapping() if place.is_correction else None


def _takers(
    members: Sequence[FeedMapping], path: str, *, is_joined: bool
) -> list[FeedMapping]:
    """The mappings that read a file: the first that takes it, and of each part.

    None takes a correction file: it is read with the file that it corrects.
    """
    if _corrects(path):
        return []
    found: dict[str | None, FeedMapping] = {}
    for member in members:
        if _takes(member.files, path) and (member.files is not None or not is_joined):
            found.setdefault(member.part, member)
    return list(found.values())


def _suffix(mapping: FeedMapping) -> str:
    """What tells a part of a file's rows from the others, at the end of its path."""
    return "" if mapping.part is None else f"#{mapping.part}"


def _joined(
    project: Project, feed: str, mapping: FeedMapping
) -> tuple[JoinedFile, ...]:
    """The files that a mapping joins, by their paths.

    Raises:
        ConfigurationError: the folder of one does not exist.
    """
    found: list[JoinedFile] = []
    for name, join in mapping.join.items():
        own = join.folder or mapping.folder
        folder = project.landing / feed
        if own is not None:
            folder = project.root / own.expanduser()
        if not folder.is_dir():
            if join.folder is None:
                continue  # it is the feed's, of which is told elsewhere
            position = position_of(project, feed, mapping)
            where = place_in_mapping(project, feed, position, "join", name, "folder")
            raise ConfigurationError(f"there is no such folder as {folder}", where)
        real = folder.resolve()
        for path, absolute in _walk(folder, project.settings.limits):
            if _takes(join.files, path) and not _corrects(path):
                found += _joined_files(project, name, join, absolute, real / path)
    return tuple(found)


def _joined_files(
    project: Project, name: str, join: Join, absolute: Path, real: Path
) -> Iterator[JoinedFile]:
    """The file, or its sheets, unless it went away since it was listed."""
    try:
        size, mtime_ns = archives.stat(absolute)
    except FileNotFoundError:
        return
    inside = absolute.is_relative_to(project.root)
    place = (absolute.relative_to(project.root) if inside else absolute).as_posix()
    file = JoinedFile(name, place, absolute, real, size, mtime_ns)
    names: tuple[str, ...] = ()
    is_workbook = absolute.suffix.lower().removeprefix(".") in EXCEL
    if is_workbook and sheets.takes_several(join):
        names = sheets.taken(join, absolute)
    for sheet in names:
        yield replace(file, place=f"{place}/{sheet}", sheet=sheet)
    if not names:
        yield file


def _once(project: Project, places: Sequence[_Place]) -> list[_Place]:
    """What is left of the places where feeds share folders.

    A file is for the feeds whose `files` take it, else for those that share its folder
    and have no `files`; one that nobody takes is listed once, by the feed in whose own
    folder it lies, if any.
    """
    best: dict[Path, int] = {}
    for place in places:
        best[place.real] = max(best.get(place.real, 0), _claim(place))
    listed: set[Path] = set()
    kept = []
    for place in sorted(
        places,
        key=lambda place: (
            not place.absolute.is_relative_to(project.landing / place.feed)
        ),
    ):
        claim = _claim(place)
        if claim < best[place.real] or (claim == 0 and place.real in listed):
            continue
        listed.add(place.real)
        kept.append(place)
    return kept


def _claim(place: _Place) -> int:
    """How much a file is the feed's: no mapping takes it, any would do, or this one."""
    if place.mapping is None:
        return 0
    return 1 if place.mapping.folder and place.mapping.files is None else 2


def _without_mapping(project: Project, feed: str) -> FeedMapping:
    """How a file is read that no mapping takes: by what holds for the whole feed."""
    other = project.settings.mappings_of(feed)[0]
    return FeedMapping(merge=other.merge, amount=other.amount)


def _found(project: Project, place: _Place) -> Iterator[LandingFile]:
    """The file, or its sheets, unless it went away since it was listed."""
    try:
        size, mtime_ns = archives.stat(place.absolute)
    except FileNotFoundError:
        return
    file = LandingFile(
        place.feed,
        place.path,
        place.absolute,
        size,
        mtime_ns,
        place.mapping or _without_mapping(project, place.feed),
        is_unmatched=place.mapping is None,
        joined=place.joined,
        is_correction=place.is_correction,
    )
    names: tuple[str, ...] = ()
    if file.extension in EXCEL and sheets.takes_several(file.mapping):
        names = sheets.taken(file.mapping, file.absolute)
    suffix = _suffix(file.mapping)
    for name in names:
        path = f"{file.path.removesuffix(suffix)}/{name}{suffix}"
        yield replace(file, path=path, sheet=name)
    if not names:
        yield file


def _folder(
    project: Project, feed: str, position: int, mapping: FeedMapping
) -> Path | None:
    if mapping.folder is None:
        folder = project.landing / feed
        return folder if folder.is_dir() else None
    folder = project.root / mapping.folder.expanduser()
    if not folder.is_dir():
        place = place_in_mapping(project, feed, position, "folder")
        raise ConfigurationError(f"there is no such folder as {folder}", place)
    return folder


def _walk(
    folder: Path, limits: Limits, below: str = "", seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Path]]:
    """Path below the folder and full path of each file, links followed once."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    for entry in _entries(folder):
        # A name that is not UTF-8 is shown by its bytes; its file is refused.
        shown = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
        path = f"{below}{shown}"
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:
            continue  # a link to itself
        if is_folder:
            yield from _walk(Path(entry.path), limits, f"{path}/", seen | {real})
        elif is_file:
            for name in _members(Path(entry.path), limits):
                yield f"{path}{name}", Path(f"{entry.path}{name}")


def _members(file: Path, limits: Limits) -> list[str]:
    """What comes behind the file's path: nothing, or a member where it is an archive.

    An archive that cannot be read, or has no members, is found itself.
    """
    if not archives.is_archive(file.name):
        return [""]
    try:
        names = [member.name for member in archives.members(file, limits)]
    except archives.BrokenArchive:
        return [""]
    shown = [
        f"/{name}"
        for name in names
        if not any(HIDDEN.search(part) for part in name.split("/"))
        and not name.startswith("__MACOSX/")
    ]
    return sorted(shown, key=str.encode) or [""]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, hidden and temporary things left out."""
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not HIDDEN.search(entry.name)]
    except OSError as err:
        problem = f"cannot be read: {err.strerror}"
        raise ConfigurationError(problem, Place(folder)) from None
    return sorted(shown, key=lambda entry: os.fsencode(entry.name))


def _takes(files: str | None, path: str) -> bool:
    """Whether a pattern of paths takes a file; None takes each."""
    if files is None:
        return True
    # What takes an archive takes its members.
    parts = path.split("/")
    above = ("/".join(parts[:n]) for n in range(1, len(parts)))
    places = [path, *(place for place in above if archives.is_archive(place))]
    return any(pattern(files).fullmatch(place) for place in places)


@cache
def pattern(glob: str) -> re.Pattern[str]:
    """A pattern of paths.

    `*` and `?` stay within a folder, `**` goes over folders; one without a slash holds
    in any depth.
    """
    if "/" not in glob:
        glob = f"**/{glob}"
    made = ""
    position = 0
    while position < len(glob):
        rest = glob[position:]
        if rest.startswith("**/"):
            made, position = made + "(?:[^/]+/)*", position + 3
        elif rest.startswith("**"):
            made, position = made + ".*", position + 2
        elif rest.startswith("*"):
            made, position = made + "[^/]*", position + 1
        elif rest.startswith("?"):
            made, position = made + "[^/]", position + 1
        elif match := re.match(r"\[(!?)([^]]+)\]", rest):
            inside = re.sub(r"([\\^\[])", r"\\\1", match[2])
            made += f"[{'^' if match[1] else ''}{inside}]"
            position += match.end()
        else:
            made, position = made + re.escape(rest[0]), position + 1
    return re.compile(made)
