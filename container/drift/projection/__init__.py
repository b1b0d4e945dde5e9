"""Accuracy of a window without its labels: estimated where the assumptions hold, refused where they do not."""

from drift.projection.projector import Projector
from drift.projection.refusals import Limits

__all__ = ["Limits", "Projector"]
