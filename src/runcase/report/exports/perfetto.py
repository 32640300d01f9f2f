"""Perfetto's own trace format (protobuf): a track for each attempt and kind of span, and no two slices overlap on one.

Field numbers are those of `protos/perfetto/trace/perfetto_trace.proto`; they are frozen there.
"""

from __future__ import annotations

from collections.abc import Iterator

from runcase.report.build import Reported
from runcase.report.dossier import Dossier, Window
from runcase.report.exports.base import Exported, Timed, digest, timed, unended
from runcase.report.instants import micros

SEQUENCE = 1
CLEARED = 1
"""`SEQ_INCREMENTAL_STATE_CLEARED`, required on the first packet of a sequence."""

BEGIN, END, INSTANT = 1, 2, 3


def perfetto(one: Reported) -> Exported:
    """A `Trace` that ui.perfetto.dev opens; a span without an end is a slice that the viewer draws open."""
    d = one.dossier
    root = _track(d.run.run_id)
    tracks = [_descriptor(root, 0, f"{d.run.run_id} {d.run.status}")]
    events: list[tuple[int, int, bytes]] = []
    for title, lanes in _lanes(d):
        for n, lane in enumerate(lanes):
            own = _track(title, n)
            tracks.append(_descriptor(own, root, title if len(lanes) == 1 else f"{title} {n + 1}"))
            for order, t in enumerate(lane):
                events += _slice(own, t, len(events) + order)
    events += _open(d, root, tracks)
    packets = [_packet(t, first=n == 0) for n, t in enumerate(tracks)]
    packets += [_packet(event) for _, _, event in sorted(events)]
    loss = ["evidence, artifacts, lineage, the verdict and the replay plan", "how uncertain an instant is"]
    loss += [f"{w.name} is {w.state} and has no begin" for w in unended(d) if micros(w.start) is None]
    return Exported(b"".join(_field(1, p) for p in packets), tuple(loss), binary=True)


def _lanes(d: Dossier) -> Iterator[tuple[str, list[list[Timed]]]]:
    """Spans of one attempt and kind in as few lanes as keep them apart."""
    groups: dict[str, list[Timed]] = {}
    for t in timed(d):
        where = "run" if t.window.attempt is None else f"attempt {t.window.attempt}"
        groups.setdefault(f"{where} {t.window.kind}", []).append(t)
    for title in sorted(groups):
        lanes: list[list[Timed]] = []
        for t in groups[title]:
            free = next((lane for lane in lanes if lane[-1].end <= t.start), None)
            if free is None:
                lanes.append([t])
            else:
                free.append(t)
        yield title, lanes


def _slice(track: int, t: Timed, order: int) -> Iterator[tuple[int, int, bytes]]:
    """Begin and end; `order` keeps an end before a begin of the same instant on its track."""
    yield t.start, 2 * order + 1, _timestamp(t.start) + _event(BEGIN, track, t.window)
    yield t.end, 2 * order + 2, _timestamp(t.end) + _event(END, track, None)


def _open(d: Dossier, root: int, tracks: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
    for n, w in enumerate(unended(d)):
        at = micros(w.start)
        if at is not None:
            own = _track("open", n, w.name)
            tracks.append(_descriptor(own, root, f"{w.name}, {w.state}"))
            yield at, 1_000_000 + n, _timestamp(at) + _event(BEGIN, own, w)


def _track(*parts: object) -> int:
    return int(digest(*parts, chars=15), 16)


# --- protobuf -------------------------------------------------------------------------------------


def _descriptor(uuid: int, parent: int, name: str) -> bytes:
    body = _number(1, uuid) + _text(2, name) + (_number(5, parent) if parent else b"")
    return _field(60, body)


def _event(sort: int, track: int, window: Window | None) -> bytes:
    body = _number(9, sort) + _number(11, track)
    if window is not None:
        body += _text(23, window.name) + _text(22, window.kind)
        notes = (("reason", window.reason), ("detail", window.detail), ("state", window.state))
        body += b"".join(_field(4, _text(10, k) + _text(6, v)) for k, v in notes if v)
    return _field(11, body)


def _timestamp(at: int) -> bytes:
    return _number(8, max(0, at) * 1000)


def _packet(body: bytes, first: bool = False) -> bytes:
    return body + _number(10, SEQUENCE) + (_number(13, CLEARED) if first else b"")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode("utf-8", "backslashreplace"))
