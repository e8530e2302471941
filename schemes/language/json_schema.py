"""The JSON Schemas of schemes and work lists, with which editors check their files.

They describe the form only. Whether names exist and rules fit together is checked by
`fenji lint`.
"""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from schemes.language.lists import ListFile
from schemes.language.model import Scheme

SCHEMA_FILE = Path(__file__).parent.parent / "scheme.schema.json"
LIST_SCHEMA_FILE = SCHEMA_FILE.with_name("list.schema.json")


def json_schema() -> str:
    """The JSON Schema of a scheme file, as `scheme.schema.json` holds it."""
    by_kind = TypeAdapter(Annotated[Scheme, Field(discriminator="kind")])
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scheme of Fenji",
        **by_kind.json_schema(by_alias=True),
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def list_json_schema() -> str:
    """The JSON Schema of a file of a work list, as `list.schema.json` holds it."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ListFile.model_json_schema(by_alias=True),
        "title": "A work list of Fenji",
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"
