"""Hostile strings: markup, attributes, addresses, SVG, style, script ends, templates, direction of text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

_MARKUP = (
    "<script>document.title='owned'</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "</title><b>",
    "</style><script>alert(1)</script>", "</script><script>alert(1)</script>", "<!--", "-->", "<![CDATA[", "]]>",
    "<iframe srcdoc='<p>'>", "<base href=//h.invalid>", "<meta http-equiv=refresh content=0>", "<link rel=stylesheet>",
    "<form action=//h.invalid><input>", "<a href='javascript:alert(1)'>x</a>", "<math><mi//xlink:href='data:x'>",
    "<table><tr><td>", "</td></tr></table>", "</pre></figure></section></main>", "<details open ontoggle=alert(1)>",
    "<textarea>", "<plaintext>", "<template>", "<select><option>", "<noscript><p title='</noscript><img src=x>'>",
)  # fmt: skip
_ATTRIBUTES = (
    '" onmouseover="alert(1)', "' onfocus='alert(1)' autofocus='", '"><img src=x>', "'><svg/onload=alert(1)>",
    '" style="x',
    "` onclick=alert(1)", "x\" id=\"why", '\\"', "&quot;&gt;&lt;b&gt;", "&#60;b&#62;", "&amp;lt;", "&NewLine;",
    "\x00<b>",
)  # fmt: skip
_ADDRESSES = (
    "javascript:alert(1)", "http://127.0.0.1:9/x", "//h.invalid/x", "data:text/html,<b>", "file:///etc/passwd", "#why",
    "../../x", "url(http://127.0.0.1:9/x)", "vbscript:x", "https://u:p@h.invalid/?a=b&c=d#e",
)  # fmt: skip
_FIGURES = (
    "</text><rect width='9'/>", "</svg><p>", "</title><script>1</script>", "<use href='//h.invalid#x'/>", "url(#hatch)",
    "<foreignObject><b>", "<animate onbegin=alert(1)>", "<a xlink:href='javascript:1'>", "<desc>", "<style>*{}</style>",
)  # fmt: skip
_STYLES = ("}</style>", "*{display:none}", "@import 'x';", "expression(alert(1))", "\\3c script\\3e", "/*", "*/")
_TEMPLATES = (
    "{{ 7*7 }}", "{% raw %}", "{% include 'x' %}", "{# x #}", "${7*7}", "#{7*7}", "<%= 7 %>", "{{ page.d }}",
    "%s %(x)s",
    "{0.__class__}", "{{ ''.__class__.__mro__ }}",
)  # fmt: skip
_DIRECTION = (
    "\u202eevil\u202c", "\u2066x\u2069", "a\u200bb", "\ufeff", "\u2028", "\u2029", "\u00ad", "e\u0301\u0301",
    "\U000e0041",
    "\x1b[31mred\x1b[0m", "\x1b]8;;http://h.invalid\x07x\x1b]8;;\x07", "\x07\x08\x7f", "\x85\x9b", "\ud800", "\u115f",
    "\r\n<b>", "\t\t", "משהו", "العربية", "日本語のログ", "😀" * 40, "x" * 3000,
)  # fmt: skip

ALL = (*_MARKUP, *_ATTRIBUTES, *_ADDRESSES, *_FIGURES, *_STYLES, *_TEMPLATES, *_DIRECTION)


def strings() -> Iterator[str]:
    """Thousands: each alone, then each joined to each of another sort; endless by repetition."""
    yield from ALL
    pairs = [a + b for a, b in itertools.product(ALL, (*_ATTRIBUTES, *_MARKUP[:12], *_DIRECTION[:6])) if a != b]
    yield from itertools.cycle(pairs)
