"""Zuul: `job-output.json` of one build, and the manifest of its log folder.

The first is a list of playbooks with their plays, tasks and results by host (callback plugin zuul_json); a playbook
that was killed is not in it. The second is a tree of the files that were uploaded (role generate-zuul-manifest).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runcase.intake.instants import Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, Path
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, list_of, member, number_of, text_of
from runcase.intake.readers.zuul import build_of

_PLAYBOOK = re.compile(rb'"(?:phase|playbook|trusted)"\s*:')
_TREE = re.compile(rb'^\s*\{\s*(?:"hash"\s*:[^,{}]*,\s*)?"tree"\s*:\s*\[')
_MIME = re.compile(rb'"mimetype"\s*:')
_OPENED = ("plays", "tasks")
_BEFORE_THE_END = ("pre", "run")
_BUILD = "build"
"""What playbooks and tasks are parts of: they end, and the build may go on."""

MAX_OUTPUT_LINES = 40
"""Last lines of a failed command that a record shows."""


class ZuulOutput(DocumentReader):
    """Playbooks as stages, tasks as tool calls, failed tasks with what they printed."""

    name = "zuul_json"
    versions = "job-output.json of Zuul 3 to 11"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A list of playbooks with phases."""
        if not sniff.head.lstrip().startswith(b"["):
            return None
        found = {m[0] for m in _PLAYBOOK.finditer(sniff.head)}
        return Taken("playbooks with phases and plays", 86) if len(found) >= 2 and b'"plays"' in sniff.head else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Playbooks in order; the build has a result when its run and its post-run phase are there."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        books = list(_playbooks(text))
        ids = build_of(path)
        for book in books:
            _tell_playbook(book, draft, ids)
        _conclude(books, draft, ids)
        return draft.facts()


@dataclass(slots=True)
class _Playbook:
    """What stands under one element of the list."""

    members: dict[str, Leaf] = field(default_factory=dict)
    tasks: list[Leaf] = field(default_factory=list)
    plays: list[Leaf] = field(default_factory=list)

    @property
    def phase(self) -> str | None:
        """`setup`, `pre`, `run`, `post`, `cleanup`."""
        return text_of(self.members["phase"].value) if "phase" in self.members else None

    @property
    def name(self) -> str:
        """The playbook's path."""
        return (text_of(self.members["playbook"].value) if "playbook" in self.members else None) or "playbook"

    @property
    def bad(self) -> bool:
        """Whether a host failed or could not be reached."""
        stats = self.members["stats"].members if "stats" in self.members else {}
        return any((number_of(member(s, k)) or 0) > 0 for s in stats.values() for k in ("failures", "unreachable"))


def _opens(path: Path) -> bool:
    return len(path) <= 1 or path[-1] in _OPENED or (len(path) == 3 and path[1] == "plays")


def _playbooks(text: JsonText) -> Iterator[_Playbook]:
    number, book = None, _Playbook()
    for leaf in text.walk(_opens):
        if leaf.path and leaf.path[0] != number:
            if number is not None:
                yield book
            number, book = leaf.path[0], _Playbook()
        match leaf.path:
            case (_, str(name)):
                book.members[name] = leaf
            case (_, "plays", _, "play"):
                book.plays.append(leaf)
            case (_, "plays", _, "tasks", _):
                book.tasks.append(leaf)
    if number is not None:
        yield book


def _tell_playbook(book: _Playbook, draft: Draft, ids: Mapping[str, Any]) -> None:
    for leaf in book.tasks:
        _tell_task(leaf, book.name, draft, ids)
    times = [member(p.members, "duration", key) for p in book.plays for key in ("start", "end")]
    stated = [w for t in times if (w := instant(t)[0]) is not None]
    if book.plays and stated:
        status = "error" if book.bad else "ok"
        place = Place(book.plays[0].start, book.plays[0].length)
        draft.span(place, f"playbook:{book.plays[0].start}", book.name, kind="stage", start=min(stated),
                   end=max(stated), status=status, parent_span_id=_BUILD, attributes={"phase": book.phase},
                   **ids)  # fmt: skip


def _tell_task(leaf: Leaf, stage: str, draft: Draft, ids: Mapping[str, Any]) -> None:
    place = Place(leaf.start, leaf.length)
    name = text_of(member(leaf.members, "task", "name")) or "task"
    begin, end = (instant(member(leaf.members, "task", "duration", key)) for key in ("start", "end"))
    hosts = leaf.members.get("hosts")
    results = [(h, r) for h, r in hosts.items() if isinstance(r, dict)] if isinstance(hosts, dict) else []
    failed = [(h, r) for h, r in results if r.get("failed") is True or r.get("unreachable") is True]
    bad = [(h, r) for h, r in failed if not r.get("ignore_errors")]
    status = "error" if bad else "skipped" if results and all(r.get("skipped") for _, r in results) else "ok"
    draft.span(place, f"task:{leaf.start}", name, kind="tool", start=begin[0], end=end[0], status=status,
               parent_span_id=_BUILD, **ids)  # fmt: skip
    when: Instant = end if end[0] is not None else begin
    if bad:
        host, result = bad[0]
        fields = {"host": host, "exit_code": number_of(result.get("rc")), "action": text_of(result.get("action"))}
        draft.record(place, "error.task", f"task {name} failed on {host}", when, _said(result), fields,
                     stage=stage, level="error", **ids)  # fmt: skip
    else:
        draft.record(place, "tool.finished", f"task {name}", when, stage=stage, **ids)


def _said(result: Mapping[str, object]) -> list[str | None]:
    """The message, then the last lines that the command printed."""
    printed = [*list_of(result.get("stdout_lines")), *list_of(result.get("stderr_lines"))]
    return [text_of(result.get("msg")), *(text_of(line) for line in printed[-MAX_OUTPUT_LINES:])]


def _conclude(books: list[_Playbook], draft: Draft, ids: Mapping[str, Any]) -> None:
    phases = {b.phase for b in books}
    stats = [b.members["stats"] for b in books if "stats" in b.members]
    if draft.problems or not stats or not phases >= {"run", "post"}:
        return
    bad = any(b.bad for b in books if b.phase in _BEFORE_THE_END)
    status = "failed" if bad else "succeeded"
    ended = [w for b in books for p in b.plays if (w := instant(member(p.members, "duration", "end")))[0] is not None]
    when = max(ended, key=lambda w: str(w[0]), default=instant(None))
    draft.record(Place(stats[-1].start, stats[-1].length), "run.finished", f"the playbooks say: {status}", when,
                 fields={"status": status}, level="error" if bad else None, **ids)  # fmt: skip


class ZuulManifest(DocumentReader):
    """The files of a build, as it listed them."""

    name = "zuul_manifest"
    versions = "zuul-manifest.json of zuul-jobs"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A tree of names with MIME types."""
        return (
            Taken("a tree of names with MIME types", 86)
            if _TREE.search(sniff.head) and _MIME.search(sniff.head)
            else None
        )

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """One record and one `listed` claim a file."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        ids = build_of(path)
        names: dict[Path, str] = {}
        entries: dict[Path, dict[str, Leaf]] = {}
        for leaf in text.walk(lambda p: not p or p[-1] in ("tree", "children") or isinstance(p[-1], int)):
            if len(leaf.path) > 1:
                entries.setdefault(leaf.path[:-1], {})[str(leaf.path[-1])] = leaf
                if leaf.path[-1] == "name":
                    names[leaf.path[:-1]] = text_of(leaf.value) or ""
        for at, members in entries.items():
            _tell_entry(at, members, names, draft, ids)
        return draft.facts()


def _tell_entry(
    at: Path, members: Mapping[str, Leaf], names: Mapping[Path, str], draft: Draft, ids: Mapping[str, Any]
) -> None:
    kind = text_of(members["mimetype"].value) if "mimetype" in members else None
    if at not in names or kind is None or kind == "application/directory":
        return
    full = "/".join(names.get(at[:n], "") for n in range(2, len(at) + 1, 2))
    spans = sorted((leaf.start, leaf.start + leaf.length) for leaf in members.values())
    place = Place(members["name"].start, members["name"].length)
    size = number_of(members["size"].value) if "size" in members else None
    when = instant(members["last_modified"].value if "last_modified" in members else None)
    fields = {"mimetype": kind, "size": size, "listed_in": spans[0][0]}
    draft.record(place, "log.manifest_row", f"manifest: {full}", when, fields=fields, artifacts=[full], **ids)
    draft.artifact(place, full, "listed", path=full, size_bytes=size, ts=when[0], **ids)
