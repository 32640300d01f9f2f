"""One trace is one record, whatever its language; what comes before and after it stays apart."""

from __future__ import annotations

from textwrap import dedent

import pytest
from tests.intake.texts import read

TRACES = {
    "python": """
        Traceback (most recent call last):
          File "a.py", line 3, in main
            load(path)
            ^^^^^^^^^^
        FileNotFoundError: [Errno 2] No such file or directory: 'x'
        """,
    "python_chained": """
        Traceback (most recent call last):
          File "a.py", line 3, in main
            load(path)
        KeyError: 'x'

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "a.py", line 9, in <module>
            main()
        app.errors.LoadError: cannot load
        """,
    "java": """
        Exception in thread "main" java.lang.IllegalStateException: no
        \tat com.example.Foo.bar(Foo.java:12)
        \tat com.example.Main.main(Main.java:3)
        Caused by: java.io.IOException: disk
        \tat com.example.Disk.read(Disk.java:7)
        \t... 12 more
        """,
    "go": """
        panic: runtime error: invalid memory address or nil pointer dereference
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f]

        goroutine 1 [running]:
        main.work(0x0, 0x1)
        \t/src/main.go:12 +0x1d
        main.main()
        \t/src/main.go:5 +0x20

        goroutine 7 [select]:
        net/http.(*persistConn).writeLoop(0xc000)
        \t/usr/lib/go/src/net/http/transport.go:2410 +0xf0
        created by net/http.(*Transport).dialConn
        \t/usr/lib/go/src/net/http/transport.go:1769 +0x16
        """,
    "rust": """
        thread 'main' panicked at src/main.rs:4:5:
        index out of bounds: the len is 3 but the index is 99
        stack backtrace:
           0: rust_begin_unwind
                     at /rustc/90c5/library/std/src/panicking.rs:595:5
           1: demo::main
                     at ./src/main.rs:4:5
        note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
        """,
    "javascript": """
        TypeError: Cannot read properties of undefined (reading 'x')
            at Object.<anonymous> (/app/index.js:3:9)
            at Module._compile (node:internal/modules/cjs/loader:1105:14)
            [cause]: Error: inner
                at inner (/app/index.js:1:7)
        """,
    "dotnet": """
        Unhandled exception. System.InvalidOperationException: outer
         ---> System.IO.IOException: inner
           at App.Disk.Read() in /src/Disk.cs:line 7
           --- End of inner exception stack trace ---
           at App.Program.Main() in /src/Program.cs:line 3
        """,
    "sanitizer": """
        ==123==ERROR: AddressSanitizer: heap-use-after-free on address 0x602 at pc 0x4a3
        READ of size 4 at 0x602 thread T0
            #0 0x4a3 in main /src/x.c:5
            #1 0x7f in __libc_start_main

        0x602 is located 0 bytes inside of 4-byte region [0x602,0x606)
        freed by thread T0 here:
            #0 0x49 in free
        SUMMARY: AddressSanitizer: heap-use-after-free /src/x.c:5 in main
        Shadow bytes around the buggy address:
          0x0c04: fa fa fa fa
        =>0x0c05: fa fa[fd]fa
        ==123==ABORTING
        """,
    "ruby": """
        app.rb:3:in 'Integer#/': divided by 0 (ZeroDivisionError)
        \tfrom app.rb:3:in 'Object#work'
        \tfrom app.rb:7:in '<main>'
        """,
    "php": """
        PHP Fatal error:  Uncaught Exception: no in /app/x.php:3
        Stack trace:
        #0 /app/x.php(7): work()
        #1 {main}
          thrown in /app/x.php on line 3
        """,
}


UNCAUGHT = 'Exception in thread "main" '
"""What a logger that was given an exception does not write."""


def _trace(name: str) -> str:
    return dedent(TRACES[name]).strip("\n")


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_in_plain_output_is_one_record(name: str) -> None:
    trace = _trace(name)
    got = read(f"starting\n{trace}\nnext step\nlast step\n")

    assert got.messages == ["starting", trace, "next step", "last step"]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_belongs_to_the_stamped_record_that_it_follows(name: str) -> None:
    trace = _trace(name).removeprefix(UNCAUGHT)
    got = read(f"2026-03-01 10:00:00 ERROR failed\n{trace}\n2026-03-01 10:00:01 INFO next\n")

    assert got.messages == [f"ERROR failed\n{trace}", "INFO next"]
    assert got.records["level"].to_list() == ["error", "info"]
    assert got.records["n_lines"].to_list() == [trace.count("\n") + 2, 1]


def test_what_nothing_caught_is_told_by_the_virtual_machine_and_not_by_the_record_above() -> None:
    trace = _trace("java")
    got = read(f"2026-03-01 10:00:00 INFO started\n{trace}\n2026-03-01 10:00:01 INFO next\n")

    assert got.messages == ["INFO started", trace, "INFO next"]


def test_two_traces_in_a_row_are_two_records() -> None:
    trace = _trace("python")

    assert read(f"{trace}\n{trace}\n").messages == [trace, trace]


def test_indented_output_that_belongs_to_no_trace_stays_apart() -> None:
    assert read("list:\n  one\n  two\n").messages == ["list:", "  one", "  two"]


def test_a_record_that_never_ends_is_cut_at_a_count_of_lines() -> None:
    got = read("2026-03-01 10:00:00 x\n" * 4000 + "more\n" * 12000 + "2026-03-01 10:00:01 y\n")

    assert got.records["n_lines"].to_list()[3999:] == [5000, 5000, 2001, 1]


STAMPED = "2026-03-14T10:00:00Z INFO start\n2026-03-14T10:00:01Z ERROR it broke\n  because of x\n"


@pytest.mark.parametrize("end", ["Process exited with code 3", "Child process 17 exited with status 1", "exit code: 2"])
def test_how_a_process_ended_is_no_part_of_what_it_said_last(end: str) -> None:
    assert read(f"{STAMPED}{end}\n").records["message"].to_list()[-1] == end


def test_an_unstamped_sentence_about_codes_goes_on() -> None:
    assert read(f"{STAMPED}see the exit code table\n").records.height == 2
