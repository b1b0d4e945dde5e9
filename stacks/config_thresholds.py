"""What counts as drift: for all features, for one, for the accuracy and between groups."""

from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from contract.records import EffectMeasure
from stacks.config_values import Fraction, Positive, Section, Share, text

FeatureName = Annotated[str, text(r"(?s:.{1,256})", "be 1 to 256 characters")]


class Thresholds(Section):
    """What counts as drift; the container documents each."""

    alpha: Fraction
    effect_measure: EffectMeasure
    effect_threshold: Positive
    missing_threshold: Fraction
    minimum_rows: Annotated[StrictInt, Field(ge=2)]
    accuracy_tolerance: Fraction
    """Drop of the accuracy, projected or realised, from which on it counts."""
    drifted_share: Share | None = None
    """Share of the judged features from which a window drifts; absent: any one feature."""

    @model_validator(mode="after")
    def _effect_threshold_lies_in_the_measures_range(self) -> Self:
        check_effect("effect_threshold", self.effect_measure, self.effect_threshold)
        return self


class FeatureSettings(Section):
    """What one feature has of its own; an absent key: as for all."""

    alpha: Fraction | None = None
    effect_measure: EffectMeasure | None = None
    effect_threshold: Positive | None = None
    """Absent, with an effect measure: the container's default for that measure."""
    critical: StrictBool = False
    """The window drifts when this feature does."""
    ignore: StrictBool = False
    """The feature is described and never judged."""

    @model_validator(mode="after")
    def _judged_or_not(self) -> Self:
        if self.critical and self.ignore:
            raise ValueError("must be critical or ignored, got both")
        if not self.model_fields_set:
            raise ValueError("must have at least one key, got none")
        return self


class Bias(Section):
    """The groups that the model is to treat as it did on the test set; absent section: bias is not measured."""

    facet: FeatureName
    """Categorical feature whose values are the groups."""
    tolerance: Fraction | None = None
    """Move of a bias metric from which on it counts; absent: the container's default."""


def check_effect(key: str, measure: EffectMeasure, threshold: float) -> None:
    """Refuse a threshold that its measure never reaches.

    Raises
    ------
    ValueError
        If it does; the text is a rule of the section that holds `key`.
    """
    if not threshold < measure.declaration.upper_end:
        raise ValueError(f"must have {key} below {measure.declaration.upper_end:g} for the {measure}, got {threshold}")
