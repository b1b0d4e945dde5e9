"""drift_report.json files in, one self-contained page and PNG plots out."""

from plumbline.report.assemble import PAGE, build
from plumbline.report.collect import ReportError
from plumbline.report.timeline import Event

__all__ = ["PAGE", "Event", "ReportError", "build"]
