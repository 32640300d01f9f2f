"""How tools write failures: patterns by family, each with a weight and the failure class that it suggests."""

from __future__ import annotations

from runcase.analysis.decisive.families.base import Family
from runcase.analysis.decisive.families.builds import BUILDS
from runcase.analysis.decisive.families.causes import CAUSES
from runcase.analysis.decisive.families.general import GENERAL
from runcase.analysis.decisive.families.other_tests import OTHER_TESTS
from runcase.analysis.decisive.families.packages import GIT, PACKAGES
from runcase.analysis.decisive.families.tests import TESTS

FAMILIES: tuple[Family, ...] = TESTS + OTHER_TESTS + BUILDS + GIT + PACKAGES + CAUSES + GENERAL

__all__ = ["FAMILIES", "Family"]
