"""The audit: what a real browser did, compared with what the site declares, in both directions.

`observe` drives the browser and writes down what happened; `judge` compares it with the declaration; `make_report`
makes of both what people read. `audit` does all three. See decision 11.

To drive a browser needs `pip install strictly-necessary[audit]`; to import this module, or to show a report, needs
nothing more.
"""

from __future__ import annotations

from strictly_necessary.audit._finding import AuditFinding, Evidence, ItemProof, Judgement, Sighting
from strictly_necessary.audit._making import make_report
from strictly_necessary.audit._observation import Act, Deed, Observation, State, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit._report import Report
from strictly_necessary.audit._running import AuditError, audit, judge, observe
from strictly_necessary.audit._waivers import Waiver, load_waivers, waive

__all__ = [
    "Act",
    "AuditError",
    "AuditFinding",
    "Deed",
    "Evidence",
    "ItemProof",
    "Judgement",
    "Observation",
    "Plan",
    "Report",
    "Sighting",
    "State",
    "Visit",
    "Waiver",
    "audit",
    "judge",
    "load_waivers",
    "make_report",
    "observe",
    "waive",
]
