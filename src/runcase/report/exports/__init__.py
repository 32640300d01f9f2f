"""A dossier in the formats of other tools: one file a format, each with what it could not carry."""

from __future__ import annotations

from collections.abc import Callable

from runcase.report.build import Reported
from runcase.report.exports.base import Exported
from runcase.report.exports.comma_separated import comma_separated
from runcase.report.exports.junit import junit
from runcase.report.exports.openlineage import openlineage
from runcase.report.exports.otlp import otlp
from runcase.report.exports.perfetto import perfetto
from runcase.report.exports.rocrate import rocrate
from runcase.report.exports.sarif import sarif

EXPORTS: dict[str, Callable[[Reported], Exported]] = {
    "junit": junit,
    "sarif": sarif,
    "otlp": otlp,
    "perfetto": perfetto,
    "openlineage": openlineage,
    "rocrate": rocrate,
    "csv": comma_separated,
}
