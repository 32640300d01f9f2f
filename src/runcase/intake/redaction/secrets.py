"""What a secret looks like: one table of kinds, each with the words that announce it.

Sources: the token formats that providers document for secret scanning (GitHub,
GitLab, AWS, Google, Slack, Stripe, npm, PyPI, Azure, Vault and others), RFC 7235
for Authorization headers, RFC 3986 for userinfo, RFC 7468 for PEM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runcase.intake.redaction.marks import entropy


@dataclass(frozen=True, slots=True)
class SecretKind:
    """One kind of secret.

    `pattern` is tried on lines that hold one of `anchors` (lower case); the group
    `secret` is what is replaced. `certain` kinds are recognised by their own shape, so
    that the same value may be replaced wherever it stands.
    """

    name: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[bytes]
    certain: bool = True


def _kind(name: str, anchors: str, pattern: str, certain: bool = True) -> SecretKind:
    return SecretKind(name, tuple(anchors.split()), re.compile(pattern.encode()), certain)


def _token(name: str, anchors: str, pattern: str) -> SecretKind:
    """A token that its own prefix tells; it begins where no word goes on."""
    return _kind(name, anchors, rf"(?<![A-Za-z0-9_])(?P<secret>{pattern})")


_KEY = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|token|api[_-]?key|apikey"
    r"|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|client[_-]?secret|credentials?|auth[_-]?key)"
)
_NAMED = rf"(?i:(?<![a-z])(?:[a-z0-9]{{1,40}}[_.-]){{0,6}}{_KEY})(?![A-Za-z])"
"""A key whose last part tells, such as `DB_PASSWORD` or `spring.datasource.password`."""

_QUOTED = (
    rf"""{_NAMED}\\*["']?\s{{0,4}}(?:=>|[:=])\s{{0,4}}\\*(?P<q>["'])(?P<secret>(?:(?!\\*(?P=q))[^\r\n]){{1,4096}})"""
)
_ASSIGNED = rf"""{_NAMED}(?:=|%3[dD])(?P<secret>[^\s"'&,;<>(){{}}\[\]|\\]{{1,4096}})"""
_STATED = rf"""{_NAMED}\s{{0,4}}(?::|=|=>)\s{{1,4}}(?P<secret>[^\s"'&,;<>(){{}}\[\]|\\]{{6,4096}})"""
_FLAG = rf"""(?<!\S)--?{_NAMED}[ \t]{{1,4}}(?P<secret>[^\s"'-][^\s"']{{0,4095}})"""

_KEY_ANCHORS = 'passw passp passc pass= pass: pass" pwd secret token apikey accesskey privatekey _key -key credential'

KINDS: tuple[SecretKind, ...] = (
    _token("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,255}"),
    _token("github_token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,255}"),
    _token("gitlab_token", "glpat- glptt- gldt- glrt- glcbt- glft- glsoat-", r"gl[a-z]{1,5}-[A-Za-z0-9_.-]{16,255}"),
    _token("aws_key_id", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])"),
    _token(
        "slack_token",
        "xoxa- xoxb- xoxp- xoxo- xoxr- xoxs- xoxe xapp-",
        r"(?:xox[abeoprs][.-]|xapp-)[A-Za-z0-9.-]{10,255}",
    ),
    _kind(
        "slack_webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_-]{10,255})",
    ),
    _token(
        "stripe_key",
        "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
        r"(?:(?:sk|rk)_(?:live|test)|whsec)_[A-Za-z0-9]{10,255}",
    ),
    _token("google_key", "aiza", r"AIza[0-9A-Za-z_-]{35}"),
    _token("google_token", "ya29. gocspx-", r"(?:ya29\.|GOCSPX-)[0-9A-Za-z_.-]{20,2048}"),
    _token("npm_token", "npm_", r"npm_[A-Za-z0-9]{30,64}"),
    _token("pypi_token", "pypi-", r"pypi-[A-Za-z0-9_-]{40,1024}"),
    _token("huggingface_token", "hf_", r"hf_[A-Za-z0-9]{30,64}"),
    _token("sendgrid_key", "sg.", r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    _token("model_api_key", "sk-", r"sk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,255}"),
    _token("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _token("vault_token", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{20,255}"),
    _token("docker_token", "dckr_pat_", r"dckr_pat_[A-Za-z0-9_-]{20,64}"),
    _token("databricks_token", "dapi", r"dapi[a-f0-9]{32}(?![a-f0-9])"),
    _token("shopify_token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _token("rubygems_key", "rubygems_", r"rubygems_[a-f0-9]{48}"),
    _token("age_key", "age-secret-key-", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _token("telegram_token", ":aa", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])"),
    _token("jwt", "eyj", r"eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{0,4096}"),
    _kind(
        "azure_key",
        "accountkey= sharedaccesskey=",
        r"(?i:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/=]{20,256})",
    ),
    _kind(
        "signature", "sig= signature=", r"[?&](?i:sig|X-Amz-Signature|Signature)=(?P<secret>[A-Za-z0-9%+/=_-]{16,512})"
    ),
    _kind(
        "authorization",
        "authorization",
        r"""(?i:authorization)\\*["']?\s{0,4}(?:=>|[:=])\s{0,4}\\*["']?(?i:(?:basic|bearer|token|digest|apikey|negotiate|bot)\s{1,4})?(?P<secret>[^\s"',;<>\\]{6,4096})""",
    ),
    _kind("bearer", "bearer", r"(?i:bearer)\s{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{16,4096})"),
    _kind(
        "cookie",
        "cookie",
        r"(?i:(?:set-)?cookie)\\*[\"']?\s{0,4}:\s{0,4}\\*[\"']?(?P<secret>[^\s\"';\\=]{1,255}=[^\r\n\"'\\]{1,4096})",
        False,
    ),
    _kind(
        "url_password",
        "://",
        r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@'\"]{0,255}:(?P<secret>[^\s/@'\"]{1,1024})@",
        False,
    ),
    _kind("url_password", "://", r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://(?P<secret>[A-Za-z0-9_.~%+-]{20,1024})@", False),
    _kind("password", _KEY_ANCHORS, _QUOTED, False),
    _kind("password", _KEY_ANCHORS, _ASSIGNED, False),
    _kind("password", _KEY_ANCHORS, _STATED, False),
    _kind("password", _KEY_ANCHORS, _FLAG, False),
)
"""In order of priority: where two overlap, the earlier kind names the mark."""

ANNOUNCED = re.compile(
    rb"""(?i)(?:passw|passp|passc|pass|pwd|secret|token|apikey|accesskey|privatekey|[_-]key|credential)"""
    rb"""(?:[a-z_-]{0,24}\\*["']?[ \t]{0,4}(?:=|:|%3[dD])|[a-z_-]{0,24}[ \t])"""
)
"""A key's word is common in prose: it counts where an assignment follows it, or white space (as behind a flag)."""

_PLACEHOLDER = re.compile(
    rb"(?i:\*+|x{3,}|\.{3,}|-+|null|none|nil|undefined|true|false|yes|no|empty|unset|missing|required|redacted|masked|hidden"
    rb"|\[?(?:secret|redacted|masked|filtered|hidden)[^\s]*|<[^>]*>?|\$.*|%[A-Za-z_]+%?|\{\{.*|@.*)"
)
_PROSE = re.compile(rb"[A-Za-z]+[.:!?]?|[0-9]{1,5}[.:%]?|[a-z_.]+\(.*")
"""A word or a small number after `token: ` is prose; a secret is more than that."""


_VERDICT = re.compile(rb"(?<![A-Za-z0-9_.-])PASS: {1,2}$")
_OF_GO = re.compile(rb"--- PASS: $")
_TEST = re.compile(rb"(?i)test|spec|bench")


_COUNTS = re.compile(rb"(?<![A-Za-z0-9_.-])PASS=$")
_COUNT = re.compile(rb"[0-9]{1,4}")


def is_verdict(before: bytes, value: bytes) -> bool:
    """Whether `PASS: ` before a value says that a test passed: the value is its name; or `PASS=` how many did (dbt).

    Go writes dashes before it; elsewhere the name has to look like one of a test.
    """
    if _COUNTS.search(before):
        return _COUNT.fullmatch(value) is not None
    if not before.endswith((b"PASS: ", b"PASS:  ")):
        return False
    return bool(_OF_GO.search(before) or (_VERDICT.search(before) and _TEST.search(value)))


def is_secret(kind: SecretKind, value: bytes, spaced: bool) -> bool:
    """Whether a value that stands where `kind` expects one is worth replacing.

    Args:
        kind: What the pattern says.
        value: The value.
        spaced: Whether white space stood between the key and the value, as prose has it.
    """
    if kind.certain:
        return True
    if _PLACEHOLDER.fullmatch(value):
        return False
    return not (spaced and _PROSE.fullmatch(value))


def is_distinctive(value: bytes) -> bool:
    """Whether a value is so unlike a word that it may be replaced wherever it stands.

    At least 10 bytes of at least two classes (lower, upper, digit, other) with 2.8
    bits of entropy a byte: `changeme`, `postgres` and dates are not.
    """
    if len(value) < 10 or re.fullmatch(rb"[0-9:./T-]+Z?", value):
        return False
    classes = sum(bool(re.search(c, value)) for c in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9]"))
    return classes >= 2 and bool(re.search(rb"[0-9]", value)) and entropy(value) >= 2.8
