"""pytest and unittest."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runcase.analysis.test_reports.base import Line, LineTool, Report, Tool, distinct, first

_PYTEST_END = re.compile(
    r"^(?:=+ |)(?=.*\b(?:passed|failed|errors?|skipped|no tests ran)\b)"
    r"((?:\d+ [a-z]+(?: [a-z]+)?(?:, )?)+|no tests ran) in [\d.:]+ ?(?:s|seconds)"
)
_PART = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|rerun)")
_PYTEST_NAME = re.compile(
    r"^(?:FAILED|ERROR|SUBFAIL(?:ED)?(?: ?\[.*?\])?(?: ?\(.*?\))?) (\S+?\.py(?:::[^\[\s]*\[.*?\]|\S*?))(?: - |\s*$)"
    r"|^(\S+\.py::\S.*?) (?:FAILED|ERROR)(?:\s+\[|\s*$)|^\[gw\d+\].* FAILED (\S+\.py::\S.*?)\s*$"
)
_PYTEST_TITLE = re.compile(r"^_{3,} (?:ERROR (?:at (?:setup|teardown) of|collecting) )?(\S.*?) _{3,}$")
_RAN = re.compile(r"^Ran (\d+) tests? in ")
_UNITTEST_END = re.compile(r"^(?:FAILED|OK|PASSED)(?: \((.*)\))?$")
_UNITTEST_PART = re.compile(r"(?:^|, )(failures|errors|unexpected successes|skipped|skips|SKIP)=(\d+)")
_UNITTEST_NAME = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (?:Doctest: )?(?:(\S+) \((\S+?)\)|(.+))")
_RULE = re.compile(r"^={50,}$")
_GREEN_NAME = re.compile(r"^(?:Failure|Error) in (?:test )?(\S.*?)\s*$")
_TRIAL_KIND = re.compile(r"^\[(?P<kind>FAIL|ERROR|[A-Z!? ]+)\]$")
_TRIAL_NAME = re.compile(r"^\w+(?:\.\w+){2,}$")


_SUGAR = re.compile(r"^Results \([\d.]+s\):$")
_SUGAR_COUNT = re.compile(r"^ {7}(\d+) (passed|failed|error|skipped|xfailed|xpassed|deselected|rerun)")


class Pytest(Tool):
    """pytest 2 to 9: the last line with counts, the short summary, or the titles of the failures."""

    name = "pytest"
    wanted = (
        r"^=* ?(?:\d+ [a-z]+(?: [a-z]+)?,? )+in [\d.:]+ ?s|^=+ no tests ran|^(?:FAILED|ERROR|SUBFAIL).* \S+\.py"
        r"|\.py::\S.* (?:FAILED|ERROR)"
        rf"|^\[gw\d+\].* FAILED \S|^_{{3,}} \S.* _{{3,}}$|{_SUGAR.pattern}|{_SUGAR_COUNT.pattern}"
    )
    sign = (
        r"^=* ?(?:\d+ [a-z]+,? )*\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|warnings?)\b.* in [\d.:]+ ?s"
        r"|no tests ran|^Results \([\d.]+s\):$"
    )

    def report(self, lines: Sequence[Line]) -> Report | None:
        """Ends are summed: each is one invocation. Errors count as failures."""
        ends = [(line, m[1]) for line in lines if (m := _PYTEST_END.match(line.text))]
        sugar = any(_SUGAR.match(line.text) for line in lines)
        ends += [(line, m[0]) for line in lines if sugar and (m := _SUGAR_COUNT.match(line.text))]
        if not ends:
            return None
        total: dict[str, int] = {}
        for _, end in ends:
            for number, what in _PART.findall(end):
                key = what.removesuffix("s") if what.startswith("error") else what
                total[key] = total.get(key, 0) + int(number)
        listed = [first(m) for line in lines if (m := _PYTEST_NAME.match(line.text))]
        titles = [m[1] for line in lines if (m := _PYTEST_TITLE.match(line.text))]
        names = [dotted(n) for n in listed] or [dotted(_node(t)) for t in titles]
        passed = total.get("passed", 0) + total.get("xpassed", 0) + total.get("xfailed", 0)
        failed = total.get("failed", 0) + total.get("error", 0)
        places = tuple(line.place for line, _ in ends)
        skipped = total.get("skipped", 0)
        return Report(self.name, passed + failed, passed, failed, skipped, distinct(names) if failed else (), places)


def _node(title: str) -> str:
    """The node that a title between rules names: `Class.test`, a file, `[doctest] package.module.Thing`."""
    if title.startswith("[doctest] "):
        module, _, thing = title.removeprefix("[doctest] ").rpartition(".")
        return f"{module}::{thing}" if module else thing
    return title if ".py" in title else title.replace(".", "::")


def dotted(node: str) -> str:
    """`tests/test_a.py::B::c` as `tests.test_a::B::c`, the way reports name modules."""
    path, _, rest = node.partition("::")
    module = path.removesuffix(".py").replace("/", ".") if path.endswith(".py") else path
    return f"{module}::{rest}" if rest else module


class Unittest(Tool):
    """unittest, nose, Django's runner, green and Twisted's trial: `Ran N tests`, then OK or FAILED with counts."""

    name = "unittest"
    wanted = (
        rf"^Ran \d+ tests? in |^(?:FAILED|OK|PASSED)(?: \(.*\))?$|^(?:FAIL|ERROR|UNEXPECTED SUCCESS): |{_RULE.pattern}"
        r"|^(?:Failure|Error) in \S|^\[[A-Z!? ]+\]$|^\w+(?:\.\w+){2,}$"
    )
    sign = r"^Ran \d+ tests? in "

    def report(self, lines: Sequence[Line]) -> Report | None:
        """`Ran` counts skipped tests too."""
        ran = skipped = failed = 0
        places = []
        for line in lines:
            if m := _RAN.match(line.text):
                ran += int(m[1])
                places.append(line.place)
            elif (m := _UNITTEST_END.match(line.text)) and m[1] and places:
                for what, number in _UNITTEST_PART.findall(m[1]):
                    failed += int(number) if what in ("failures", "errors", "unexpected successes") else 0
                    skipped += int(number) if what.lower().startswith("skip") else 0
        if not places:
            return None
        ruled = {line.place + 1 for line in lines if _RULE.match(line.text)}
        titles = [line.text for line in lines if not ruled or line.place in ruled]
        names = [_case(m[1] or m[3], m[2] or "") for text in titles if (m := _UNITTEST_NAME.match(text))]
        names += [m[1] for line in lines if (m := _GREEN_NAME.match(line.text))] + _below_kinds(lines)
        passed = max(0, ran - failed - skipped)
        return Report(self.name, ran, passed, failed, skipped, distinct(names) if failed else (), tuple(places))


def _case(name: str, holder: str) -> str:
    """`name (holder)` as the tool writes it; a module that broke has no holder of its own."""
    return f"{name} ({holder})" if holder and ".loader." not in holder else name


def _below_kinds(lines: Sequence[Line]) -> list[str]:
    """What trial lists under the traceback that several tests may share, below `[FAIL]` or `[ERROR]`."""
    failing, names = False, []
    for line in lines:
        if m := _TRIAL_KIND.match(line.text):
            failing = m["kind"] in ("FAIL", "ERROR")
        elif _RULE.match(line.text) or _RAN.match(line.text):
            failing = False
        elif failing and _TRIAL_NAME.match(line.text):
            names.append(line.text)
    return names


STESTR = LineTool(
    "stestr",
    r"^ - (?:Passed|Skipped|Failed|Expected Fail|Unexpected Success): \d+|^\{\d+\} \S+ .*\.\.\. FAILED",
    re.compile(
        r"^ - (?:(?:Passed|Expected Fail): (?P<passed>\d+)|Skipped: (?P<skipped>\d+)"
        r"|(?:Failed|Unexpected Success): (?P<failed>\d+))$"
    ),
    re.compile(r"^\{\d+\} (\S+) .*\.\.\. FAILED"),
)
