"""Accuracy of a window without its labels: estimated where the assumptions hold, refused where they do not."""

from drift.projection.limits import Limits
from drift.projection.projector import Projector

__all__ = ["Limits", "Projector"]
