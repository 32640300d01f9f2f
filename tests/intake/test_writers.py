"""Several writers in one text: each one's lines are put together, and every byte stays in one record."""

from __future__ import annotations

from textwrap import dedent

from tests.intake.texts import Read, read


def _read(text: str) -> Read:
    return read(dedent(text).lstrip("\n"))


def _told(got: Read) -> list[tuple[str | None, str]]:
    return [(s, m) for s, m in zip(got.records["stream"], got.messages, strict=True) if m]


def test_parts_of_a_cri_line_are_joined_stream_by_stream() -> None:
    got = _read("""
        2026-03-01T10:00:00.1Z stdout P one\x20
        2026-03-01T10:00:00.2Z stderr F other
        2026-03-01T10:00:00.3Z stdout P line\x20
        2026-03-01T10:00:00.4Z stdout F only
        2026-03-01T10:00:00.5Z stdout F next
        """)

    assert _told(got) == [("stdout", "one line only"), ("stderr", "other"), ("stdout", "next")]
    assert got.records["n_lines"].to_list() == [1, 1, 2, 1]
    assert got.records["fields"][2] == '{"continues_line": 1}'


def test_docker_s_json_lines_are_joined_where_the_text_does_not_end() -> None:
    got = _read(r"""
        {"log":"one ","stream":"stdout","time":"2026-03-01T10:00:00.1Z"}
        {"log":"error\n","stream":"stderr","time":"2026-03-01T10:00:00.2Z"}
        {"log":"line\n","stream":"stdout","time":"2026-03-01T10:00:00.3Z"}
        {"log":"next\n","stream":"stdout","time":"2026-03-01T10:00:00.4Z"}
        """)

    assert _told(got) == [("stdout", "one line"), ("stderr", "error"), ("stdout", "next")]


def test_compose_services_keep_their_traces_apart() -> None:
    got = _read("""
        web_1  | Traceback (most recent call last):
        db_1   | ready
        web_1  |   File "a.py", line 1, in f
        db_1   | java.lang.Error: x
        web_1  | ValueError: no
        db_1   | \tat a.b(c.java:1)
        web_1  | next
        """)

    assert _told(got) == [
        ("web_1", 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no'),
        ("db_1", "ready"),
        ("db_1", "java.lang.Error: x\n\tat a.b(c.java:1)"),
        ("web_1", "next"),
    ]


def test_kubectl_prefixes_name_the_pod_and_stamps_behind_them_count() -> None:
    got = _read("""
        [pod/api-1/app] 2026-03-01 10:00:00 INFO a
        [pod/api-2/app] 2026-03-01 10:00:00 INFO b
        [pod/api-1/app]   more of a
        [pod/api-2/app] 2026-03-01 10:00:01 INFO c
        """)

    assert _told(got) == [
        ("pod/api-1/app", "INFO a\n  more of a"),
        ("pod/api-2/app", "INFO b"),
        ("pod/api-2/app", "INFO c"),
    ]
    assert got.times == ["2026-03-01T10:00:00", "2026-03-01T10:00:00", None, "2026-03-01T10:00:01"]


def test_a_table_is_no_text_of_several_writers() -> None:
    got = _read("""
        id | name
        ---+-----
        1  | a
        2  | b
        """)

    assert set(got.records["stream"]) == {None}
