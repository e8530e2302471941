"""The JSON Schema of scheme files, with which editors complete and check them.

It describes the form only. Whether names exist and rules fit together is checked by
`fenji lint`.
"""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from schemes.language.model import Scheme

SCHEMA_FILE = Path(__file__).parent.parent / "scheme.schema.json"


def json_schema() -> str:
    """The JSON Schema of a scheme file, as `scheme.schema.json` holds it."""
    by_kind = TypeAdapter(Annotated[Scheme, Field(discriminator="kind")])
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scheme of Fenji",
        **by_kind.json_schema(by_alias=True),
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"
