"""drift_report.json files in, one self-contained page and PNG plots out."""

from plumbline.report.assemble import build
from plumbline.report.errors import ReportError
from plumbline.report.timeline import Event

__all__ = ["Event", "ReportError", "build"]
