"""The encoding of a source is decided on its first bytes, recorded, and every byte stays visible."""

from __future__ import annotations

import random

import pytest
from tests.intake.texts import read

from runcase.intake.encoding import decide

GERMAN = "Prüfung der Größe für die Übertragung ist fehlgeschlagen\nDatei nicht geöffnet\n"
FRENCH = "Le fichier spécifié n'a pas été trouvé, opération annulée à l'étape «préparation»\n"
RUSSIAN = "INFO Ошибка: файл не найден, операция прервана\nWARN нет места на диске\n"
POLISH = "Błąd: nie można znaleźć pliku, proszę spróbować później, żądanie odrzucone\n"
GREEK = "Σφάλμα: το αρχείο δεν βρέθηκε στον δίσκο\n"


@pytest.mark.parametrize(
    ("text", "encoding", "recorded"),
    [
        (GERMAN, "utf-8", "utf-8"),
        (GERMAN, "utf-8-sig", "utf-8"),
        (GERMAN, "latin-1", "latin-1"),
        (FRENCH, "latin-1", "latin-1"),
        (GERMAN + "„Wert“ – 5 €\n", "cp1252", "cp1252"),
        (GERMAN, "cp850", "cp850"),
        (GERMAN, "mac-roman", "mac-roman"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (RUSSIAN, "cp866", "cp866"),
        (POLISH, "cp1250", "cp1250"),
        (GREEK, "iso8859-7", "iso8859-7"),
        (GERMAN, "utf-16", "utf-16-le"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
    ],
)
def test_a_text_reads_the_same_in_every_encoding(text: str, encoding: str, recorded: str) -> None:
    got = read(text.encode(encoding))

    assert got.account.encoding == recorded
    assert got.messages == text.splitlines()


def test_utf_16_keeps_lines_whole_where_a_character_holds_the_byte_of_a_line_end() -> None:
    assert read("Ċ and 𐐊\nnext\n".encode("utf-16")).messages == ["Ċ and 𐐊", "next"]


def test_broken_bytes_in_utf_8_are_shown_one_by_one() -> None:
    got = read("grüße ".encode() * 20 + b"\xff\xc3 end\n")

    assert got.account.encoding == "utf-8"
    assert got.messages == ["grüße " * 20 + "\\xff\\xc3 end"]


def test_nuls_are_taken_from_the_text_and_kept_in_the_bytes() -> None:
    line = b"2026-03-01 10:\x00\x0000:00 INFO x\x00y\n"
    got = read(line + b"2026-03-01 10:00:01 INFO plain line\n" * 9)

    assert got.messages[0] == "INFO xy"
    assert got.times[0] == "2026-03-01T10:00:00"
    assert got.records["byte_len"][0] == len(line)


def test_ends_of_lines_may_be_mixed() -> None:
    got = read(b"one\r\ntwo\nthree\r\nfour")

    assert got.messages == ["one", "two", "three", "four"]
    assert got.records["byte_len"].to_list() == [5, 4, 7, 4]


def test_a_lone_carriage_return_may_end_every_line() -> None:
    assert read(b"first thing\rsecond thought\rthird try\r").messages == ["first thing", "second thought", "third try"]


@pytest.mark.parametrize("size", [40, 100, 1000, 65536])
def test_bytes_that_are_no_text_have_no_encoding(size: int) -> None:
    noise = random.Random(size)

    assert [decide(noise.randbytes(size)) for _ in range(10)] == [None] * 10


def test_a_chat_log_with_its_colour_codes_is_text() -> None:
    assert decide(b"T 1 \x0319*\x0f\tnow talking\nT 2 \x02\x0304<a>\x0f hello\n") == "utf-8"
