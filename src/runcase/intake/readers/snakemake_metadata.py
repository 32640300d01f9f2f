"""Snakemake's own records of outputs: `.snakemake/metadata/<base64 of the path>` (Snakemake 5 to 9)."""

from __future__ import annotations

import base64
import binascii
import re

from runcase.intake.instants import instant
from runcase.intake.json_spans import JsonText
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, text_of
from runcase.intake.readers.stated_version import stated

_KEYS = re.compile(rb'"(?:rule|input|shellcmd|incomplete|starttime|endtime|job_hash|code|params|log)"\s*:')


class SnakemakeMetadata(DocumentReader):
    """How one output was made."""

    name = "snakemake_metadata"
    versions = "Snakemake 5 to 9 metadata records"
    stated_version = stated(rb'^\s*\{(?:[^{}\[\]]*,)?\s*"(?:record_format_)?version"\s*:\s*(\d+)', rb"[1-9]")
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """One object with the members of a record."""
        if not sniff.head.lstrip().startswith(b"{"):
            return None
        found = set(_KEYS.findall(sniff.head))
        if len(found) >= 5 and any(b"starttime" in k for k in found) and any(b"rule" in k for k in found):
            return Taken(f"{len(found)} members of a record of an output", 84)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record; the output is named by the file's own name, its inputs in it."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        output = _output(path)
        for leaf in text.walk(lambda _: False):
            row, place = leaf.members, Place(leaf.start, leaf.length)
            rule = text_of(row.get("rule"))
            begun, ended = instant(row.get("starttime")), instant(row.get("endtime"))
            partial = row.get("incomplete") is True
            words = f"rule {rule} made {output or 'an output'}" + (" in part: it was interrupted" if partial else "")
            fields = {"incomplete": partial or None, "shellcmd": text_of(row.get("shellcmd"))}
            kind = "warning" if partial else "log.output"
            draft.record(place, kind, words, ended, fields=fields, stage=rule, level="warning" if partial else None)
            end, status = (None, "open") if partial else (ended[0], "ok")
            draft.span(place, f"output-{place.start}", rule or "rule", kind="stage", parent_span_id="run",
                       start=begun[0], end=end, status=status)  # fmt: skip
            if output:
                made = [t for i in list_of(row.get("input")) if (t := text_of(i))]
                action = "expected" if partial else "written"
                draft.artifact(place, output, action, path=output, stage=rule, ts=ended[0], derived_from=made)
        return draft.facts()


def _output(path: str) -> str | None:
    """The path that a file's name encodes; long ones are folders of pieces, each but the last opened by `@`."""
    name = path.partition("metadata/")[2] or path.rsplit("/", 1)[-1]
    coded = "".join(part.removeprefix("@") for part in name.split("/"))
    try:
        return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
