"""Landing files that break readers, or try to: each with what must become of it.

Made by code, small, and for the feed `customers` with the columns customer_id and
industry. `tests/faults/` loads all of them beside good files; `benchmarks.fuzz_readers`
begins with them.
"""

import gzip
import io
import json
import random
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import zstandard

HEAD = "customer_id,industry\n"


@dataclass(frozen=True)
class Poison:
    """A file and its fate."""

    name: str  # with the extension by which its kind is told
    data: bytes
    status: str  # refused, empty or loaded
    n_loaded: int | None = None  # rows; None where the file is not loaded
    n_rejected: int | None = None
    reason: str = ""  # a part of the reason of a refusal


def _refused(name: str, data: bytes, reason: str) -> Poison:
    return Poison(name, data, "refused", reason=reason)


def _loaded(name: str, data: bytes, n_loaded: int, n_rejected: int = 0) -> Poison:
    return Poison(name, data, "loaded", n_loaded, n_rejected)


def rows(name: str, n: int) -> bytes:
    """A CSV file with n rows that nobody else has."""
    made = random.Random(name)
    body = (f"{name}-{row},{made.getrandbits(40)}\n" for row in range(n))
    return (HEAD + "".join(body)).encode()


def lines(name: str, n: int) -> bytes:
    """The same as JSON lines."""
    body = rows(name, n).decode().splitlines()[1:]
    objects = (
        dict(zip(HEAD.strip().split(","), row.split(","), strict=True)) for row in body
    )
    return "".join(json.dumps(row) + "\n" for row in objects).encode()


def flipped(data: bytes, place: int) -> bytes:
    """The bytes with one bit turned over."""
    changed = bytearray(data)
    changed[place] ^= 0x10
    return bytes(changed)


def packed(data: bytes) -> bytes:
    """As gzip writes it."""
    return gzip.compress(data, mtime=0)


def zpacked(data: bytes) -> bytes:
    """As zstd writes it, with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def bomb(start: bytes, part: bytes, times: int, *, zst: bool = False) -> bytes:
    """A packed file that becomes `times` parts."""
    if zst:
        frame = zpacked(part)
        return zpacked(start) + frame * times
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    made = [packer.compress(start)]
    made += [packer.compress(part) for _ in range(times)]
    return b"".join((*made, packer.flush()))


def sheet_of(*cells: tuple[str, str]) -> str:
    """A sheet with text cells: their places, such as B2, and what stands there."""
    by_row: dict[str, list[str]] = {}
    for place, text in cells:
        number = "".join(sign for sign in place if sign.isdigit())
        by_row.setdefault(number, []).append(
            f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
        )
    body = "".join(
        f'<row r="{number}">{"".join(made)}</row>' for number, made in by_row.items()
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'


def workbook(
    sheet: str | bytes, parts: Mapping[str, str | bytes] | None = None
) -> bytes:
    """A minimal .xlsx around a sheet."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    relations = f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
    held: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'{relations} Type="{office}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{relations} Type="{office}/worksheet"'
        ' Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
        **(parts or {}),
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in held.items():
            book.writestr(name, content)
    return whole.getvalue()


def parquet(name: str, n: int) -> bytes:
    """A Parquet file with n rows."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        target = Path(folder) / "made.parquet"
        con.sql(
            "select $name || '-' || range as customer_id, 'i' || range as industry"
            " from range($n)",
            params={"name": name, "n": n},
        ).write_parquet(str(target))
        return target.read_bytes()


def poisons() -> list[Poison]:
    """All of them."""
    return [
        *_gzips(),
        *_zstds(),
        *_bombs(),
        *_workbooks(),
        *_encodings(),
        *_texts(),
        *_jsons(),
        *_parquets(),
    ]


_NOT_WHOLE = "cannot be read to its end"


def _gzips() -> list[Poison]:
    whole = packed(rows("gz", 5000))
    members = packed(rows("gm", 3)) + packed(b"gm-3,x\ngm-4,y\n")
    return [
        _refused("crc.csv.gz", flipped(whole, -6), _NOT_WHOLE),
        _refused("size.csv.gz", flipped(whole, -2), _NOT_WHOLE),
        _refused("block.csv.gz", flipped(whole, len(whole) // 2), _NOT_WHOLE),
        _refused("cut.csv.gz", whole[: len(whole) // 2], _NOT_WHOLE),
        _refused("cut_sum.csv.gz", whole[:-3], _NOT_WHOLE),
        _refused("head.csv.gz", whole[:6], _NOT_WHOLE),
        _refused("trailing.csv.gz", whole + b"garbage", _NOT_WHOLE),
        _refused("none.csv.gz", b"customer_id\n1\n", _NOT_WHOLE),
        _refused("flip.jsonl.gz", flipped(packed(lines("gj", 5000)), 9000), _NOT_WHOLE),
        _refused("twice.csv.gz", packed(packed(rows("gt", 99))), "no text"),
        _loaded("members.csv.gz", members, 5),
        _loaded("padded.csv.gz", packed(rows("gp", 3)) + bytes(600), 3),
        Poison("nothing.csv.gz", packed(b""), "empty", 0, 0),
    ]


def _zstds() -> list[Poison]:
    whole = zpacked(rows("zst", 5000))
    # What a frame may carry that is no data, and one that asks for 2 GB of memory.
    aside = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    wide = b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00"
    return [
        _refused("sum.csv.zst", flipped(whole, -2), _NOT_WHOLE),
        _refused("block.csv.zst", flipped(whole, len(whole) // 2), _NOT_WHOLE),
        _refused("cut.csv.zst", whole[: len(whole) // 2], _NOT_WHOLE),
        _refused("cut_sum.csv.zst", whole[:-1], _NOT_WHOLE),
        _refused("trailing.csv.zst", whole + b"garbage", _NOT_WHOLE),
        _refused("window.csv.zst", wide, _NOT_WHOLE),
        _refused("none.jsonl.zst", b"{}", _NOT_WHOLE),
        _loaded("frames.csv.zst", zpacked(rows("zf", 3)) + zpacked(b"zf-3,x\n"), 4),
        _loaded("aside.csv.zst", aside + zpacked(rows("za", 3)), 3),
    ]


def _bombs() -> list[Poison]:
    short = b"1,a\n" * 250_000
    ratio = "limits.expansion_ratio"
    return [
        _refused("rows.csv.gz", bomb(HEAD.encode(), short, 110), ratio),
        _refused("zeros.csv.gz", bomb(HEAD.encode(), bytes(1_000_000), 110), ratio),
        _refused("rows.csv.zst", bomb(HEAD.encode(), short, 110, zst=True), ratio),
        _refused("lines.jsonl.gz", bomb(b"", b"{}\n" * 300_000, 120), ratio),
        _refused(
            "part.xlsx",
            workbook(
                sheet_of(("A1", "customer_id"), ("A2", "1")),
                {"xl/media/image.png": bytes(110_000_000)},
            ),
            ratio,
        ),
        # Repetitive, and honest.
        _loaded("same.csv.gz", packed(HEAD.encode() + b"same,x\n" * 9000), 9000),
    ]


def _workbooks() -> list[Poison]:
    good = [("A1", "customer_id"), ("B1", "industry"), ("A2", "x-1"), ("B2", "i")]
    whole = workbook(sheet_of(*good))
    entities = '<!DOCTYPE z [<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    laughs = sheet_of(*good, ("A3", "&i;")).replace(
        "<worksheet", entities + "]><worksheet", 1
    )
    return [
        _refused("far.xlsx", workbook(sheet_of(*good, ("XFD1048576", "x"))), "memory"),
        _loaded("wide.xlsx", workbook(sheet_of(*_named("xw", good), ("XFD2", "x"))), 1),
        _loaded(
            "tall.xlsx", workbook(sheet_of(*_named("xt", good), ("A999999", "xt-2"))), 2
        ),
        _refused("cut.xlsx", whole[:-200], "no workbook"),
        _refused(
            "zip.xlsx",
            whole.replace(b"xl/workbook.xml", b"xl/warkbook.xml"),
            "no workbook",
        ),
        _refused("xml.xlsx", workbook(sheet_of(*good)[:-60]), "no workbook"),
        _refused("laughs.xlsx", workbook(laughs), "no workbook"),
        _refused(
            "bytes.xlsx", workbook(random.Random(1).randbytes(5000)), "no workbook"
        ),
        _refused("noise.xlsx", random.Random(2).randbytes(5000), "no workbook"),
        _refused("noise.xls", random.Random(3).randbytes(5000), "no workbook"),
        _refused(
            "ole.xls",
            bytes.fromhex("d0cf11e0a1b11ae1") + random.Random(4).randbytes(5000),
            "no workbook",
        ),
        Poison("blank.xlsx", workbook(sheet_of()), "empty", 0, 0),
    ]


def _named(name: str, cells: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(place, text.replace("x-", f"{name}-")) for place, text in cells]


def _encodings() -> list[Poison]:
    def text(name: str) -> str:
        return HEAD + f"{name}-1,北京\n{name}-2,上海\n"

    lone = text("ul").encode("utf-16-le") + b"u\0\0\xd8,\0x\0\n\0u\x009\0,\0y\0"
    beyond = (
        text("u32").encode("utf-32") + b"\xff\xff\xff\x7f" + "\n".encode("utf-32-le")
    )
    return [
        _loaded("odd.csv", text("uo").encode("utf-16") + b"x", 2, 1),
        _loaded(
            "odd_unmarked.csv", rows("uu", 3).decode().encode("utf-16-le") + b"x", 3, 1
        ),
        _loaded("lone.csv", b"\xff\xfe" + lone, 3, 1),
        _loaded("beyond.csv", beyond, 2, 1),
        _loaded("marks.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + text("um").encode(), 2),
        _loaded("surrogate.csv", text("us").encode() + b"x,\xed\xa0\x80\n", 2, 1),
        _refused("wrong_mark.csv", b"\xff\xfe" + text("uw").encode(), ""),
        Poison("mark.csv", b"\xff\xfe", "empty", 0, 0),
    ]


def _texts() -> list[Poison]:
    many = ",".join(f"k{place}" for place in range(100_000))
    return [
        _loaded("zero.csv", rows("t0", 2) + b"a\0,b\n\0\0,c\n", 2, 2),
        _loaded("zeros.csv", rows("tz", 2) + bytes(300), 2, 1),
        _refused("all_zero.csv", bytes(70_000), ""),
        _refused(
            "one_line.csv", b"customer_id,industry," + b"x" * 5_000_000, "first line"
        ),
        _refused("commas.csv", b"customer_id" + b"," * 5_000_000, "first line"),
        _refused("columns.csv", f"customer_id,{many}\n1\n".encode(), "limits.columns"),
        _refused("cell.csv", b"x" * 1_000_000 + b",customer_id\n1,2\n", "no column"),
        _refused("quote.csv", b'"customer_id,industry\n' + b"1,a\n" * 500, "no column"),
        _refused("blank.csv", b"\n" * 5_000_000 + rows("tb", 2), "blank start"),
        _refused("late.csv", b"\n" * 70_000 + rows("tl", 2), "no column"),
        _loaded("ends.csv", HEAD.encode() + b"te1,a\r\nte2,b\rte3,c\nte4,d", 4),
        _loaded("returns.csv", rows("tr", 3).replace(b"\n", b"\r"), 3),
        _loaded("unclosed.csv", rows("tu", 2) + b'x,"a\n' + b"y,b\n" * 99, 2, 1),
        _loaded("quotes.csv", rows("tq", 2) + b'x,""""""""""\n"y"z,1\n', 3, 1),
        _loaded("long.csv", rows("to", 2) + b"x," + b"y" * 3_000_000 + b"\n", 3),
        _refused(
            "picture.csv", b"\x89PNG\r\n\x1a\n" + random.Random(5).randbytes(9000), ""
        ),
        _loaded("empty_header_cells.csv", b"customer_id,,,\nth,1,2,3\n", 1),
    ]


def _jsons() -> list[Poison]:
    def wide(name: str, n: int) -> bytes:
        keys = {f"k{place}": place for place in range(n)}
        return json.dumps({"customer_id": name, **keys}).encode() + b"\n"

    deep = b"[" * 50_000 + b"]" * 50_000
    return [
        _loaded("wide.jsonl", wide("jw1", 1000) * 1 + wide("jw2", 2000), 2),
        _loaded("wider.jsonl", wide("jx", 20_000), 1),
        _loaded(
            "new_keys.jsonl",
            b"".join(
                b'{"customer_id": "jn%d", "k%d": 1}\n' % (n, n) for n in range(3000)
            ),
            3000,
        ),
        _loaded(
            "deep.jsonl",
            lines("jd", 2) + b'{"customer_id": "x", "d": ' + deep + b"}\n",
            3,
        ),
        _loaded(
            "broken.jsonl",
            lines("jb", 2) + b'{"customer_id": \n[]\n1\nnull\n"x"\n',
            2,
            5,
        ),
        _loaded(
            "bytes.jsonl",
            "".join(f'{{"customer_id": "北{n}"}}\n' for n in range(9)).encode()
            + b'{"customer_id": "\xff"}\n'
            + lines("jz", 1),
            10,
            1,
        ),
        _loaded("zero.jsonl", lines("j0", 2) + b'{"customer_id": "\0"}\n', 2, 1),
        _loaded(
            "numbers.jsonl",
            b'{"customer_id": 1' + b"0" * 5000 + b'}\n{"customer_id": 1e999}\n',
            2,
        ),
        _loaded(
            "keys.jsonl", b'{"customer_id": "jk", "customer_id": "jl", "": 1}\n', 1
        ),
        _loaded("half.jsonl", b'{"customer_id": "\\ud800"}\n' + lines("jh", 1), 1, 1),
        _loaded(
            "side.jsonl",
            lines("js", 1) + b'{"customer_id":"a"}{"customer_id":"b"}\n',
            1,
            1,
        ),
        _loaded(
            "long.jsonl",
            lines("jo", 1) + b'{"customer_id":"' + b"y" * 3_000_000 + b'"}\n',
            2,
        ),
        _refused("cut.json", b'[{"customer_id": 1}, {"cust', "is no JSON"),
        _refused("word.json", b"null", "no JSON objects"),
        _refused("arrays.json", b"[[1, 2], [3]]", "no column"),
    ]


def _parquets() -> list[Poison]:
    whole = parquet("pq", 3000)
    broken = "is no Parquet file"
    size = (2**31 - 1).to_bytes(4, "little")
    return [
        _refused("cut.parquet", whole[:-100], broken),
        _refused("start.parquet", whole[: len(whole) // 2], broken),
        _refused("marks.parquet", b"PAR1PAR1", broken),
        _refused("footer.parquet", whole[:-8] + size + b"PAR1", broken),
        _refused("no_size.parquet", whole[:-8] + bytes(4) + b"PAR1", broken),
        _refused(
            "noise.parquet", b"PAR1" + random.Random(6).randbytes(900) + b"PAR1", broken
        ),
        _refused(
            "pages.parquet",
            whole[:4] + bytes(len(whole) // 3) + whole[4 + len(whole) // 3 :],
            "cannot be read",
        ),
        # Who wrote it is told in bytes that are no text.
        _loaded(
            "writer.parquet", parquet("pw", 9).replace(b"DuckDB", b"Duck\xff\xfe"), 9
        ),
        _loaded("none.parquet", parquet("pn", 0), 0),
    ]
