"""The HTML face."""

from __future__ import annotations

from runcase.report.dossier import Dossier
from runcase.report.index import Index


def render(dossier: Dossier, max_bytes: int) -> str:
    return ""


def render_index(index: Index) -> str:
    return ""


def stylesheet() -> str:
    return ""
