"""Logs of containers: CRI and Docker's json-file (kubelet, CRI v1; Docker 1.x to 27).

The lines are read by their format; the generic pack takes the pod from the path,
which joins the log to the run of its pod or job.
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader

_CRI = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP]\b")
_DOCKER = re.compile(rb'(?m)^\{"log":".*","stream":"(?:stdout|stderr)",(?:"attrs":\{.*\},)?"time":"\d{4}-')


class ContainerLog(TextReader):
    """One container's log."""

    name = "kubernetes_log"
    versions = "CRI v1 and docker json-file logs"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines of a container runtime."""
        for pattern, what in ((_CRI, "CRI"), (_DOCKER, "docker json-file")):
            found = len(pattern.findall(sniff.head))
            if found:
                return Taken(f"{found} {what} lines", 58)
        return None

    def annotator(self, path: str) -> Annotator:
        """Nothing is added: format and path say all."""
        return _Annotator()


class _Annotator(Annotator):
    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """The records as they are."""
        return records
