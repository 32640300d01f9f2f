"""Storages that tests put cases on: a server that speaks the protocol of S3, and folders whose process dies."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked: `GET`, `PUT`, `COPY`, `POST`, ..., and the path with its bucket."""

    verb: str
    path: str


@dataclass
class Served:
    """A server of S3 in this process: its address, what it was asked, and what it does after answering."""

    address: str = ""
    asked: list[Request] = field(default_factory=list)
    afterwards: Callable[[Request], None] = lambda _: None

    def environment(self) -> dict[str, str]:
        """What leads clients of S3 to this server."""
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
        return {**os.environ, **keys, "AWS_ENDPOINT_URL": self.address}

    def paths(self, verb: str) -> list[str]:
        """What was asked with one verb."""
        return [r.path for r in self.asked if r.verb == verb]


@contextmanager
def s3() -> Iterator[Served]:
    """A server on the loopback address, with nothing in it."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # type: ignore[attr-defined]
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            pass

    served = Served()
    application = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        verb = "COPY" if "HTTP_X_AMZ_COPY_SOURCE" in environ else environ["REQUEST_METHOD"]
        asked = Request(verb, environ["PATH_INFO"])
        served.asked.append(asked)
        said: Iterable[bytes] = application(environ, start)
        served.afterwards(asked)
        return said

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}"
    urlopen(f"{served.address}/moto-api/reset", data=b"").close()  # moto keeps buckets in the process
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Shelf(LocalFileSystem):  # type: ignore[misc]
    """A folder as a storage, whose process is killed before a write, a copy or a removal when `steps` are used up."""

    protocol = "shelf"
    cachable = False
    steps: int | None = None

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(p) for p in path]
        return LocalFileSystem._strip_protocol(os.fspath(path).removeprefix("shelf://"))

    def _step(self) -> None:
        if Shelf.steps is not None:
            if Shelf.steps == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            Shelf.steps -= 1

    def pipe_file(self, *args: Any, **given: Any) -> Any:
        self._step()
        return super().pipe_file(*args, **given)

    def put_file(self, path1: str, path2: str, **_: Any) -> None:
        self.cp_file(path1, path2)

    def cp_file(self, *args: Any, **given: Any) -> Any:
        self._step()
        return super().cp_file(*args, **given)

    def rm(self, path: Any, **_: Any) -> None:
        for each in [path] if isinstance(path, str) else path:
            self._step()
            os.remove(each)


class Careless(MemoryFileSystem):  # type: ignore[misc]
    """A storage that replaces an object where it is asked to make one only if there is none."""

    protocol = "careless"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return MemoryFileSystem._strip_protocol(path.replace("careless://", "memory://"))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **given: Any) -> Any:
        return super().pipe_file(path, value, mode="overwrite", **given)


for _kind in (Shelf, Careless):
    fsspec.register_implementation(_kind.protocol, _kind, clobber=True)


def objects(url: str) -> dict[str, bytes]:
    """Every object below a URL and its bytes, but for those that a case keeps for itself."""
    storage, root = fsspec.url_to_fs(url)
    storage.invalidate_cache()
    names = {p: p.removeprefix(root).lstrip("/") for p in storage.find(root)}
    return {n: storage.cat_file(p) for p, n in names.items() if not n.startswith(".runcase/")}


def own_objects(url: str) -> list[str]:
    """Names of the objects that a case at a URL keeps for itself, below `.runcase/`."""
    storage, root = fsspec.url_to_fs(url)
    storage.invalidate_cache()
    names = (p.removeprefix(root).lstrip("/") for p in storage.find(root))
    return sorted(n.removeprefix(".runcase/") for n in names if n.startswith(".runcase/"))


def put(tree: Path, url: str) -> None:
    """Copies a folder to a URL as any tool does."""
    storage, root = fsspec.url_to_fs(url)
    for path in sorted(p for p in tree.rglob("*") if p.is_file()):
        storage.pipe_file(f"{root}/{path.relative_to(tree).as_posix()}", path.read_bytes())
