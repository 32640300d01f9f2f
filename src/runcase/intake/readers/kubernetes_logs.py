"""Logs of containers: CRI and Docker's json-file, and `kubectl logs --timestamps` in a must-gather.

The lines are read by their format; the path names the pod and so joins the log
to the run of its pod or job (kubelet, CRI v1; Docker 1.x to 27; oc adm must-gather).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader

_CRI = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP]\b")
_DOCKER = re.compile(rb'(?m)^\{"log":".*","stream":"(?:stdout|stderr)",(?:"attrs":\{.*\},)?"time":"\d{4}-')
_STAMPED = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) ")
_PATHS = (
    re.compile(r"/pods/(?P<ns>[a-z0-9.-]+)_(?P<pod>[a-z0-9.-]+)_[0-9a-f-]{4,36}/(?P<container>[a-z0-9-]+)/[^/]+$"),
    re.compile(r"/containers/(?P<pod>[a-z0-9.-]+)_(?P<ns>[a-z0-9.-]+)_(?P<container>[a-z0-9-]+)-[0-9a-f]{12,64}\.log"),
    re.compile(r"/namespaces/(?P<ns>[a-z0-9.-]+)/pods/(?P<pod>[a-z0-9.-]+)/(?P<container>[a-z0-9-]+)/(?:[^/]+/)?logs/"),
    re.compile(r"/pod-logs/(?P<ns>[a-z0-9.-]+)/(?P<pod>[a-z0-9.-]+)-(?P<container>[a-z0-9]+)\.log$"),
)
"""Folders of the kubelet, of its links, of must-gather, and of support bundles."""


class ContainerLog(TextReader):
    """One container's log."""

    name = "kubernetes_log"
    versions = "CRI v1 and docker json-file logs; timestamped kubectl logs under the paths of a must-gather"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines of a container runtime; or stamps of nanoseconds under the path of a pod."""
        for pattern, what in ((_CRI, "CRI"), (_DOCKER, "docker json-file")):
            found = len(pattern.findall(sniff.head))
            if found:
                return Taken(f"{found} {what} lines", 58)
        found = len(_STAMPED.findall(sniff.head))
        if found and _of_path(sniff.path):
            return Taken(f"{found} lines stamped to the nanosecond, under the path of a pod", 58)
        return None

    def annotator(self, path: str) -> Annotator:
        """The path tells the pod."""
        return _Annotator(path)


def _of_path(path: str) -> re.Match[str] | None:
    return next((m for p in _PATHS if (m := p.search(f"/{path}"))), None)


class _Annotator(Annotator):
    def __init__(self, path: str) -> None:
        found = _of_path(path)
        self._pod = f"{found['ns']}/{found['pod']}" if found else None

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """The pod as the invocation of every record."""
        pod = pl.lit(self._pod, dtype=pl.String)
        return records.with_columns(invocation_id=pl.coalesce("invocation_id", pod))
