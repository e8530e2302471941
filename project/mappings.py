"""The settings of how landing files become rows of feeds: `feeds:` in `fenji.yaml`.

Whether a feed or a column is there, `ingest.mapping` knows.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from project.choices import NumberFormat
from project.documents import Document
from project.setting_types import OwnName


class Expression(Document):
    """A column that is computed from the columns of the landing file."""

    expr: str = Field(examples=["replace(CustomerID, '.0', '')"])
    """An expression over the columns of a file; [input_files.md](input_files.md)."""


class FileForm(Document):
    """How files are read, whatever their columns are for."""

    encoding: str | None = Field(default=None, examples=["gb18030"])
    """Its name in Python; without it, it is detected from the file."""
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=4, examples=[";"]
    )
    """The separator of columns; without it, it is detected from the file."""
    header_row: int | None = Field(default=None, ge=0, examples=[3])
    """The line of the header, from 1; 0: none, columns are column1, column2, …"""
    header_rows: int = Field(default=1, ge=1, le=20, examples=[2])
    """How many lines the header has; a column's names in them are joined by blanks."""
    skip_rows: int = Field(default=0, ge=0, examples=[1])
    """Rows right below the header that are skipped, such as one of units."""
    trailer_rows: int = Field(default=0, ge=0, examples=[1])
    """Rows at the end of each file that are skipped, such as a total."""
    skip_lines: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), examples=[["#", "Total"]]
    )
    """Lines that begin so are skipped wherever they stand: comments, totals, junk."""
    repeated_header: bool = Field(default=False, examples=[True])
    """Whether the header comes again among the rows, as on printed pages: skipped."""
    quote: str | None = Field(default=None, max_length=1, examples=["'"])
    """What stands around values; `""`: nothing does. Without it, `"`."""
    escape: str | None = Field(
        default=None, min_length=1, max_length=1, examples=["\\"]
    )
    """What stands before a quote within quotes; without it, the quote itself."""
    fixed_width: dict[str, tuple[int, int]] = Field(
        default_factory=dict, examples=[{"customer": [1, 10], "total": [11, 20]}]
    )
    """Columns of text without delimiters: name, and its first and last character."""
    sheet: str | tuple[str, ...] | None = Field(
        default=None, examples=["Sheet1", "2026-*", ["North", "South"]]
    )
    """The sheet of a workbook, or several by a pattern or a list; else the first."""

    @property
    def given_form(self) -> frozenset[str]:
        """The names of these parts that say something else than by default."""
        return frozenset(
            name
            for name, field in FileForm.model_fields.items()
            if getattr(self, name) != field.get_default(call_default_factory=True)
        )

    @property
    def form(self) -> dict[str, Any]:
        """These parts by their names, and no others."""
        return {name: getattr(self, name) for name in FileForm.model_fields}


class Join(FileForm):
    """Another file whose columns a mapping reads as well, such as `orders.status`."""

    folder: Path | None = Field(default=None, examples=["landing/customers"])
    """The folder it lies in; without it, that of the mapping."""
    files: str = Field(examples=["orders.csv"])
    """A pattern of paths below the folder; several files are read as one."""
    on: str | tuple[str, ...] | dict[str, str | Expression] = Field(
        examples=["order_id", {"id": "order_id"}]
    )
    """The key: columns that both files have, or column there: column or expression
    here. Each key may stand there once."""
    where: str | None = Field(default=None, examples=["\"type\" = 'OWNER'"])
    """A condition over the columns there: other rows are not looked at."""

    @property
    def keys(self) -> Mapping[str, str | Expression]:
        """Each column of the key there: the column or expression here."""
        if isinstance(self.on, dict):
            return self.on
        names = (self.on,) if isinstance(self.on, str) else self.on
        return {name: name for name in names}


class Explode(Document):
    """How one record of a file becomes several rows; one of three ways."""

    columns: tuple[str, ...] | dict[str, str] | None = Field(
        default=None, examples=[["q1", "q2", "q3", "q4"], ["2026-*"]]
    )
    """A row for each of these columns; `*` and `?` stand for letters. With what each is
    called in the rows, where that is not its name."""
    list_: str | None = Field(default=None, alias="list", examples=["tags"])
    """A row for each part of this column."""
    separator: str = Field(default=",", min_length=1, examples=[";"])
    """What parts them."""
    from_: str | None = Field(default=None, alias="from", examples=["activated_on"])
    """A row for each month from this day on: an expression that is a date."""
    to: str | None = Field(default=None, examples=["coalesce(ended_on, '2026-05-31')"])
    """To this day, its month counted: an expression that is a date."""
    value: str = Field(min_length=1, examples=["amount"])
    """The name of the column with the value, the part, or the month's first day."""
    name: str | None = Field(default=None, min_length=1, examples=["quarter"])
    """The name of the column that says which column it was."""
    place: str | None = Field(default=None, min_length=1, examples=["nth"])
    """The name of a column that numbers the rows of a record, from 1."""

    @model_validator(mode="after")
    def _one_way(self) -> "Explode":
        if self.columns is not None and not self.columns:
            raise ValueError("'columns' names no column")
        given = [
            self.columns is not None,
            self.list_ is not None,
            self.from_ is not None or self.to is not None,
        ]
        if sum(given) != 1:
            raise ValueError("give one of 'columns', 'list', or 'from' and 'to'")
        if (self.from_ is None) != (self.to is None):
            raise ValueError("give both 'from' and 'to'")
        if self.name is not None and self.columns is None:
            raise ValueError("'name' is for 'columns'")
        names = [name for name in (self.value, self.name, self.place) if name]
        if len({name.casefold() for name in names}) != len(names):
            raise ValueError("'value', 'name' and 'place' are columns of their own")
        return self

    @property
    def called(self) -> Mapping[str, str | None]:
        """The columns that become rows: what each is called there; None: its name."""
        if isinstance(self.columns, dict):
            return self.columns
        return dict.fromkeys(self.columns or ())


class FeedMapping(FileForm):
    """How some files of a feed map to its canonical columns."""

    folder: Path | None = Field(default=None, examples=["../export/sales"])
    """A folder other than `landing/<feed>`, relative to the project folder."""
    files: str | None = Field(default=None, examples=["shop/*.csv"])
    """A pattern of paths below the folder; without it, all files."""
    part: OwnName | None = Field(default=None, examples=["refunds"])
    """The name of a part of a file's rows: another mapping may take the file, too."""
    date_format: str | tuple[str, ...] | dict[str, str | tuple[str, ...]] | None = (
        Field(default=None, examples=["%Y/%m/%d", {"birth_date": ["%Y%m%d", "%Y"]}])
    )
    """How dates are written, in the letters of strptime, or `excel`, `epoch` or
    `epoch_ms`; several are tried in their order; by canonical column, if they differ.
    Without it, ISO 8601."""
    number_format: NumberFormat | None = Field(default=None, examples=["1.234,50"])
    """How numbers are written, by an example; also with signs of currencies, brackets
    for less than zero, 万, 亿 and %. Without it, as -1234.50."""
    null_values: tuple[str, ...] | dict[str, tuple[str, ...]] = Field(
        default=(), examples=[["NA", "?"], {"region": ["NA"]}]
    )
    """Words that stand for no value; by canonical column, if they differ."""
    words: dict[str, dict[str, str | int | Decimal | bool]] = Field(
        default_factory=dict,
        examples=[{"status": {"已付款": "paid", "已取消": "cancelled"}}],
    )
    """Canonical column: words of the file, and what each means there. A word that is
    not named stays as it is: it is rejected where the column has a list of its own."""
    where: str | None = Field(default=None, examples=["\"Status\" <> 'draft'"])
    """A condition over the columns of the file: other rows are skipped, and counted."""
    join: dict[OwnName, Join] = Field(
        default_factory=dict,
        examples=[{"orders": {"files": "orders.csv", "on": "order_id"}}],
    )
    """Name: another file, whose columns are read as `name.column`."""
    explode: Explode | None = Field(
        default=None,
        examples=[{"columns": ["q1", "q2"], "name": "quarter", "value": "amount"}],
    )
    """How one record becomes several rows; without it, each is one."""
    merge: Literal["columns"] | None = Field(default=None, examples=["columns"])
    """Of a key that several files have, each gives the columns that it maps; without
    it, the row of the last file takes the place of the others."""
    amount: Literal["none"] | None = Field(default=None, examples=["none"])
    """Of transactions: nobody knows what they were worth, as of visits or tickets."""
    columns: dict[str, str | Expression] = Field(
        default_factory=dict,
        examples=[{"transaction_id": "订单 ID", "amount": {"expr": "cast(…)"}}],
    )
    """Canonical column: a column of the file, or an expression."""
    constants: dict[str, str | int | Decimal | bool] = Field(
        default_factory=dict, examples=[{"channel": "shop"}]
    )
    """Canonical column: a value for every row."""
