"""The report in the forms in which people and programs read it: HTML, JSON, SARIF and JUnit."""

from strictly_necessary.audit.report._comparing import Comparison, Known, compare
from strictly_necessary.audit.report._html import as_html
from strictly_necessary.audit.report._json import as_document, as_json, report_schema
from strictly_necessary.audit.report._junit import as_junit
from strictly_necessary.audit.report._sarif import as_sarif

__all__ = [
    "Comparison",
    "Known",
    "as_document",
    "as_html",
    "as_json",
    "as_junit",
    "as_sarif",
    "compare",
    "report_schema",
]
