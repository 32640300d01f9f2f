"""JSON Schemas of rule files for editors, generated from the models that check the packs."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from runcase.lab.scenarios import ScenarioSpelled
from runcase.rules.spelling import FileSpelled, PackSpelled

Which = Literal["pack", "rules", "scenario"]
_MODELS: dict[Which, type[BaseModel]] = {"pack": PackSpelled, "rules": FileSpelled, "scenario": ScenarioSpelled}


class _AsWritten(GenerateJsonSchema):
    """Scalars are text to runcase, but YAML lets their authors leave the quotes off: numbers and booleans pass too."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Text, or a scalar that YAML reads as something else."""
        return {**super().str_schema(schema), "type": ["string", "number", "boolean"]}

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        """A duration as packs spell it."""
        return {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(us|ms|s|m|h|d)\s*)+$", "examples": ["90s", "1h 30m"]}


def schema(which: Which) -> str:
    """JSON Schema (draft 2020-12) of one kind of file."""
    made: dict[str, Any] = _MODELS[which].model_json_schema(by_alias=True, schema_generator=_AsWritten)
    named = {"$schema": GenerateJsonSchema.schema_dialect, "title": f"runcase {which} file", **made}
    return json.dumps({**named, "title": f"runcase {which} file"}, indent=2, sort_keys=True) + "\n"
