"""Every report that a test reads has to be what the documentation says: its JSON Schema is checked."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_FILE = Path(__file__).parents[1] / "docs" / "reference" / "report.schema.json"


def valid(text: str) -> dict[str, Any]:
    """Decode a report and check it against the documented schema."""
    document: dict[str, Any] = json.loads(text)
    _validator().validate(document)
    return document


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
