"""Verdicts of `rules test` as JUnit XML, for the test view of any CI."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from runcase.lab.testing import Verdict
from runcase.model.text import present


def junit(verdicts: Sequence[Verdict]) -> str:
    """One suite a pack, one case an example or scenario; no times, so that the same packs give the same bytes."""
    failed = sum(not v.passed for v in verdicts)
    root = ET.Element("testsuites", name="runcase rules test", tests=str(len(verdicts)), failures=str(failed))
    for pack in sorted({v.pack for v in verdicts}):
        mine = [v for v in verdicts if v.pack == pack]
        count = sum(not v.passed for v in mine)
        suite = ET.SubElement(root, "testsuite", name=pack, tests=str(len(mine)), failures=str(count))
        for verdict in mine:
            _case(suite, verdict)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, verdict: Verdict) -> None:
    name = present(f"{verdict.subject}: {verdict.title}")
    case = ET.SubElement(suite, "testcase", classname=verdict.pack, name=name, file=verdict.place.split(":")[0])
    if not verdict.passed:
        shown = present(verdict.failure, keep="\n")
        failure = ET.SubElement(case, "failure", message=shown.split("\n")[0], type="rule")
        failure.text = f"{verdict.place}\n{shown}"
