"""Failure classes that names of errors tell, whatever engine passes them on."""

from __future__ import annotations

import re

_CLASSES = tuple(
    (re.compile(pattern), failure)
    for pattern, failure in (
        (r"OutOfMemory|MemoryError|OOMKilled|\bOOM\b", "resource.oom"),
        (r"Throttl|TooManyRequests|RequestLimitExceeded|ThroughputExceeded|RateLimit|SlowDown", "rate_limit"),
        (r"AccessDenied|UnrecognizedClient|ExpiredToken|InvalidToken|NotAuthorized|Unauthorized|Unauthenticated"
         r"|Forbidden|CredentialsError", "dependency.auth"),
        (r"Timeout|Timed[Oo]ut|DeadlineExceeded", "timeout.operation"),
        (r"ResourceNotFound|NoSuchBucket|NoSuchKey|NoSuchFile|FileNotFound", "input.missing"),
        (r"UnknownHost|NameResolution|gaierror", "dependency.dns"),
        (r"Connection(?:Error|Refused|Reset|Aborted)|ConnectException|NoRouteToHost|SocketException|SSLError"
         r"|SdkClientException|EndpointConnection", "dependency.network"),
        (r"ServiceUnavailable|InternalServerError|InternalFailure|ServiceException", "dependency.service"),
        (r"ModuleNotFound|ImportError|ImportModuleError|ClassNotFound|NoClassDefFound", "dependency.module"),
        (r"ValidationException|InvalidParameter|InvalidArgument", "input.invalid"),
        (r"NoSpaceLeft|DiskFull|ENOSPC", "resource.disk"),
        (r"(?:Error|Exception)$", "crash.exception"),
    )
)  # fmt: skip
"""Pattern -> class, the first that is found counts: names of AWS services, of the JVM, of Python, of gRPC."""


def class_of(name: str | None) -> str | None:
    """The class that a name tells; null for names that a program made up."""
    if name is None:
        return None
    return next((failure for pattern, failure in _CLASSES if pattern.search(name)), None)
