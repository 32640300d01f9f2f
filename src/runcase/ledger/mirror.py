"""A case at a URL, mirrored in a folder of this machine: files come when they are asked for, and go back in one commit.

Below the URL every file lies under its own name, as in a folder. Beside them, `.runcase/`:

    heads/0000000007   what the case consists of: name and digest of each file. The highest is the case.
    staged/<sha256>    bytes that the next head names, or that have not reached their names yet
    lock               see `lease.py`

A build stages what changed, makes the next head (the commit: a storage that makes an object only where there is none
lets one of two builds pass), copies what is staged to its names, and removes what the head does not list. So a kill
leaves the names as they were, or a head whose files are found under their names or staged; the next build goes on
from there. A reader believes no byte but by the digest in its head.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from secrets import token_hex

from runcase.ledger.lease import Lease
from runcase.ledger.objects import Objects
from runcase.ledger.sums import NAME as SUMS
from runcase.ledger.sums import digest_of, listed, listing
from runcase.model.problems import RuncaseError

_OWN = ".runcase/"
_HEADS = f"{_OWN}heads/"
_STAGED = f"{_OWN}staged/"
_FIRST_LINE = "# runcase case at a URL, 1"
_COMMITTED = "case.json"
_BATCHES = "ledger/"
_DOSSIERS = "runs/"
_CONCLUSIONS = "analysis/"
_MADE_HERE = (_BATCHES, _DOSSIERS, _CONCLUSIONS, "index-")
"""Where builds make files of changing names, of which a killed one may leave some."""

_DIGEST = re.compile(r"[0-9a-f]{64}")

_TRIES = 5
"""Heads that may be replaced while one is looked for."""


class Mirror:
    """What a `Case` asks of its storage, for one at a URL."""

    def __init__(self, objects: Objects, folder: Path) -> None:
        self._objects = objects
        self._folder = folder
        self._generation = 0
        self._latest = 0
        self._digests: dict[str, str] = {}
        self._damaged: set[str] = set()
        self._sorted: tuple[dict[str, str], dict[str, list[str]]] = (self._digests, {})
        self.name = objects.shown
        self.committed = False
        """Whether the case is what was sent."""

    # --- reading ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Lays out the folder with what each question needs: the provenance and the conclusions, of the latest head.

        Raises:
            RuncaseError: `not_a_case`.
        """
        for _ in range(_TRIES):
            self._find_head()
            if not self._digests:
                break
            self._lay_out(_BATCHES)
            asked = [n for n in self._digests if n.startswith(_CONCLUSIONS) or n == _COMMITTED]
            if self._bring(asked):
                return
            self._damaged.clear()
            for name in asked:
                (self._folder / name).unlink(missing_ok=True)
        raise RuncaseError("not_a_case", f"{self.name} is not a case", "make one with: runcase build INPUT... -o CASE")

    def bring(self, names: Iterable[str]) -> None:
        """Makes files of the case local that are not yet; one that is missing stays so, a damaged one comes as it is.

        Raises:
            RuncaseError: `renewed` when a build has replaced them since this mirror was opened.
        """
        if not self._bring(names):
            raise RuncaseError("renewed", f"{self.name} was renewed while it was read", "ask again")

    def bring_all(self) -> list[str]:
        """Makes every file local, also those that the case does not list; returns those that are not as listed."""
        self.bring(self._digests)
        others = [n for n in self._objects.sizes() if n not in self._digests and not n.startswith(_OWN) and _safe(n)]
        self._objects.fetch([(n, self._place(n)) for n in others])
        return sorted(self._damaged)

    def withholds(self, name: str) -> bool:
        """Whether a file is there and has not been made local."""
        return name in self._digests and name not in self._damaged and not (self._folder / name).exists()

    def inside(self, folder: str) -> Sequence[str]:
        """Names of the files that lie in a folder of the case, local or not."""
        if self._sorted[0] is not self._digests:
            folders: dict[str, list[str]] = {}
            for name in self._digests:
                place, _, own = name.rpartition("/")
                folders.setdefault(place, []).append(own)
            self._sorted = self._digests, folders
        return self._sorted[1].get(folder, [])

    def _find_head(self) -> None:
        """Reads the latest head; a case that was copied to a URL by other means has none, and its sums stand for it.

        Raises:
            RuncaseError: `not_a_case`, `newer_case`.
        """
        for _ in range(_TRIES):
            heads = self._heads()
            self._latest = max(heads, default=0)
            for generation in sorted(heads, reverse=True):
                found = self._head(self._objects.read(_named(generation)) or b"")
                if found is not None:
                    self._generation, self._digests = generation, found
                    return
            if not heads:
                self._find_sums()
                return
        hint = f"remove {_HEADS} there, and its {SUMS} will stand for it"
        raise RuncaseError("not_a_case", f"{self.name}/{_HEADS} has nothing that is whole", hint)

    def _find_sums(self) -> None:
        data = self._objects.read(SUMS)
        if data is None:
            return
        own = {SUMS: data, _COMMITTED: self._objects.read(_COMMITTED) or b""}
        self._digests = _only_safe(listed(data)) | {n: hashlib.sha256(d).hexdigest() for n, d in own.items()}

    def _heads(self) -> list[int]:
        names = (n.removeprefix(_HEADS) for n in self._objects.sizes(_HEADS))
        return [int(n) for n in names if n.isascii() and n.isdigit()]

    def _head(self, data: bytes) -> dict[str, str] | None:
        """The files that a head names; None for one that is not whole, or gone.

        Raises:
            RuncaseError: `newer_case`.
        """
        body, last = data[:-65], data[-65:]
        if hashlib.sha256(body).hexdigest().encode() + b"\n" != last:
            return None
        first, _, files = body.partition(b"\n")
        if not first.startswith(f"{_FIRST_LINE} ".encode()):
            hint = "read it with a newer runcase, or build into a new place"
            raise RuncaseError("newer_case", f"{self.name} was written by a later version", hint)
        return _only_safe(listed(files))

    def _lay_out(self, *folders: str) -> None:
        """Makes the folders of files that are not local: that they are there says which batches and runs there are."""
        for inside in {n.rpartition("/")[0] for n in self._digests if n.startswith(folders)}:
            (self._folder / inside).mkdir(parents=True, exist_ok=True)

    def _bring(self, names: Iterable[str]) -> bool:
        """False when what is asked for is no longer part of the case, or not as it was."""
        wanted = [n for n in names if self.withholds(n)]
        wanted = self._fetched(wanted, lambda n: n)
        wanted = self._fetched(wanted, self._staged)
        wanted = self._fetched(wanted, lambda n: n, anyway=True)  # it may have reached its name meanwhile
        if not wanted:
            return True
        self._damaged.update(wanted)
        return max(self._heads(), default=0) == self._latest

    def _fetched(self, names: Sequence[str], source: Callable[[str], str], anyway: bool = False) -> list[str]:
        """Fetches files from objects; those that are not as listed are returned, and taken only if `anyway`."""
        parts = {n: self._place(n).with_name(f".{PurePosixPath(n).name}.part-{token_hex(4)}") for n in names}
        self._objects.fetch([(source(n), part) for n, part in parts.items()])
        wrong = []
        for name, part in parts.items():
            right = part.exists() and digest_of(part) == self._digests[name]
            if not right:
                wrong.append(name)
            if part.exists():
                part.replace(self._folder / name) if right or anyway else part.unlink()
        return wrong

    def _place(self, name: str) -> Path:
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _staged(self, name: str) -> str:
        return _STAGED + self._digests[name]

    # --- writing ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Completes what a killed build left, and lays out the folder for one that goes on from there.

        Raises:
            RuncaseError: `not_a_case` when something else lies below the URL.
        """
        self._find_head()
        there = self._objects.sizes()
        foreign = sorted(n for n in there if not n.startswith(_OWN))
        if not self._digests and foreign:
            what = f"{self.name} is neither empty nor a case (it holds {foreign[0]})"
            raise RuncaseError("not_a_case", what, "name a new place with -o")
        if self._generation:
            self._settle(there, self._digests, kept_staged=True)
        self._damaged = {n for n in self._digests if n not in there and self._staged(n) not in there}
        self._lay_out(_BATCHES, _DOSSIERS)
        self.bring(n for n in self._digests if not n.startswith((_BATCHES, _DOSSIERS)))

    def send(self, lease: Lease) -> None:
        """Makes the folder's state that of the case, at once; nothing is sent that is there already.

        Raises:
            RuncaseError: `busy` when another build came first.
        """
        before = self._digests
        now = listed((self._folder / SUMS).read_bytes())
        now |= {n: digest_of(self._folder / n) for n in (SUMS, _COMMITTED)}
        fresh = {n: d for n, d in now.items() if before.get(n) != d or self._mended(n, d)}
        if fresh or now.keys() != before.keys() or not self._generation:
            self._stage(fresh)
            lease.assure()
            if not self._objects.create(_named(self._latest + 1), _head_text(now)):
                raise RuncaseError("busy", f"another build of {self.name} came first", "build again")
            self.committed = True
            self._latest += 1
            self._generation, self._digests = self._latest, now
        self._settle(self._objects.sizes(), fresh, before.keys() - now.keys())

    def _mended(self, name: str, digest: str) -> bool:
        """Whether a file that was damaged at its place is here as it should be."""
        place = self._folder / name
        return name in self._damaged and place.exists() and digest_of(place) == digest

    def _stage(self, fresh: Mapping[str, str]) -> None:
        there = self._objects.sizes(_STAGED)
        by_digest = {_STAGED + digest: self._folder / name for name, digest in fresh.items()}
        left = [(path, staged) for staged, path in by_digest.items() if there.get(staged) != path.stat().st_size]
        self._objects.send(left)

    def _settle(
        self, there: Mapping[str, int], fresh: Iterable[str], gone: Iterable[str] = (), kept_staged: bool = False
    ) -> None:
        """Copies what is staged to its names, and removes what the head does not name.

        Args:
            there: What lies below the URL.
            fresh: Files that may not have reached their names.
            gone: Files of the head before that are no longer listed.
            kept_staged: Whether to keep what is staged for a head that did not come about.
        """
        self._objects.copy({n: s for n in fresh if (s := self._staged(n)) in there})
        head = _named(self._generation)
        named = {self._staged(n) for n in self._digests}
        over = {n for n in there if n.startswith(_MADE_HERE) and n not in self._digests}
        over |= {n for n in there if n.startswith(_HEADS) and n < head}
        over |= {n for n in gone if n in there}
        self._objects.remove(sorted(over))
        staged = {n for n in there if n.startswith(_STAGED) and (n in named or not kept_staged)}
        self._objects.remove(sorted(staged))


def _named(generation: int) -> str:
    return f"{_HEADS}{generation:010}"


def _head_text(digests: Mapping[str, str]) -> bytes:
    """A head: who made it, the files in the format of sha256sum(1), and a digest that says that it is whole."""
    body = f"{_FIRST_LINE} {token_hex(8)}\n{listing(digests)}".encode("utf-8", "surrogateescape")
    return body + hashlib.sha256(body).hexdigest().encode() + b"\n"


def _only_safe(digests: Mapping[str, str]) -> dict[str, str]:
    """Without names that are also folders of others, or that leave the folder: a case may be a stranger's."""
    folders = {str(p) for n in digests for p in PurePosixPath(n).parents}
    return {n: d for n, d in digests.items() if n not in folders and _safe(n) and _DIGEST.fullmatch(d)}


def _safe(name: str) -> bool:
    """Whether a name stays within the folder, and is none that builds use for what is under way."""
    return "\0" not in name and all(part and not part.startswith(".") for part in name.split("/"))
