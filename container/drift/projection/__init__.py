"""Accuracy of a window without its labels: estimated where the assumptions hold, refused where they do not."""

from plumbline.drift.projection.projector import Projector
from plumbline.drift.projection.refusals import Limits

__all__ = ["Limits", "Projector"]
