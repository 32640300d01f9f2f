"""What is done to a case that stands: payloads expire, and its faces say so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from runcase import pipeline
from runcase.ledger.retention import Expired, load_policy
from runcase.ledger.retention import retain as expire
from runcase.ledger.store import Case
from runcase.ledger.sums import write_sums


def retain(path: str, policy: str, as_of: date, dry_run: bool = False) -> Expired:
    """Expires what a policy says, and renders the dossiers of the runs that lost something.

    Raises:
        RuncaseError: `not_a_case`, `busy`, `bad_policy`, `missing_path`.
    """
    ages = load_policy(Path(policy))
    case = Case.open(Path(path))
    if dry_run:
        return expire(case, ages, as_of, dry_run=True)
    with case.locked():
        gone = expire(case, ages, as_of)
        if gone.runs:
            folders = pipeline.render_again(case, gone.runs)
            write_sums(case, [f"runs/{folder}" for run_id, folder in folders.items() if run_id not in gone.runs])
    return gone
