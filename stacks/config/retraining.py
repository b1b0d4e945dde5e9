"""The retraining loop: what may start it and when, the gate for its challenger, and how the challenger takes over."""

import json
from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, model_validator

from plumbline.contract.retraining import HARM, Approval, Traffic, TriggerKind
from plumbline.stacks.config.availability import ProcessingInstance
from plumbline.stacks.config.thresholds import HOURS_A_DAY, LabelsSection
from plumbline.stacks.config.values import MAX_VARIABLE, ConfigSection, FeatureName, Fraction, Share

MIN_CANARY_INSTANCES = 2
"""SageMaker Developer Guide, "Use canary traffic shifting": a canary is at most half of the fleet."""
NEEDS_LABELS = frozenset({TriggerKind.QUALITY, TriggerKind.CONCEPT_SHIFT})
"""Triggers whose alarms there are only with a section [labels]."""
MAX_FRESH_HOURS = 720
"""A month of hours: each is a prefix that the controller lists and the job reads."""


def _trigger(value: object) -> TriggerKind:
    """Read the name of a trigger; the refusal names the nearest one."""
    text = value.lower().replace("-", "_") if isinstance(value, str) else ""
    if text == value and text in tuple(TriggerKind):
        return TriggerKind(text)
    *others, last = TriggerKind
    nearest = get_close_matches(text, [*TriggerKind], n=1, cutoff=0.5)
    hint = f" (nearest: {nearest[0]})" if nearest else ""
    raise ValueError(f"must be {', '.join(others)} or {last}, got {value!r}{hint}")


class RetrainingSection(ConfigSection):
    """When the controller starts the pipeline, and the gate that its challenger must pass."""

    enabled: StrictBool
    """State of the loop's switch when it is made; `plumbline retrain --off` and `--on` change it."""
    triggers: tuple[Annotated[TriggerKind, BeforeValidator(_trigger)], ...] = HARM
    """What starts a retraining; the alarms on anything else notify people. Empty: only people start one."""
    cooldown_hours: Annotated[StrictInt, Field(ge=0, le=720)]
    """No run starts within so many hours of the last one's start."""
    runs_per_day: Annotated[StrictInt, Field(ge=1, le=24)]
    """The most runs in any 24 hours."""
    minimum_fresh_rows: Annotated[StrictInt, Field(ge=1)]
    """With fewer labelled captures no run starts: labels are needed."""
    fresh_hours: Annotated[StrictInt, Field(ge=1, le=MAX_FRESH_HOURS)]
    """Labelled captures of so many hours before a run are its fresh rows."""
    holdout_margin: Fraction
    """Non-inferiority margin: what the challenger may lose at most on the newest rows, the holdout, beyond chance."""
    test_margin: Fraction
    """The same on the original test set."""
    slice_columns: tuple[FeatureName, ...]
    """Categorical features no value of which may fare much worse; empty: none."""
    slice_margin: Fraction
    """What the challenger may lose at most on the rows of one value."""
    minimum_slice_rows: Annotated[StrictInt, Field(ge=1)]
    """Values with fewer rows are not judged."""
    fresh_weight_fraction: Share
    """Fraction of the total weight in training that the fresh rows have together."""
    instance_type: ProcessingInstance
    """Of the jobs before and after training; training has its own."""
    volume_gb: Annotated[StrictInt, Field(ge=1, le=16384)]
    max_runtime_seconds: Annotated[StrictInt, Field(ge=60, le=86400)]

    @property
    def rules(self) -> str:
        """How a challenger is trained and judged, as JSON: with the same rows these keys give the same verdict."""
        names = {"fresh_hours", "fresh_weight_fraction", "holdout_margin", "test_margin"}
        return self.model_dump_json(include={*names, "slice_columns", "slice_margin", "minimum_slice_rows"})

    @model_validator(mode="after")
    def _each_trigger_is_listed_once(self) -> Self:
        if len(set(self.triggers)) < len(self.triggers):
            raise ValueError(f"must have triggers that differ, got {', '.join(self.triggers)}")
        return self

    @model_validator(mode="after")
    def _slice_columns_are_one_argument(self) -> Self:
        text = ",".join(self.slice_columns)
        if any("," in name for name in self.slice_columns) or len(text) > MAX_VARIABLE:
            raise ValueError(
                f"must have slice_columns without commas and of {MAX_VARIABLE} characters together, got {text!r}"
            )
        return self


class PromotionSection(ConfigSection):
    """Who lets an accepted challenger serve, and how the traffic moves to it."""

    approval: Approval
    traffic: Traffic
    canary_percent: Annotated[StrictInt, Field(ge=10, le=50)] | None = None
    """Share of the fleet that the new model gets first; only for `traffic = "canary"`."""
    bake_minutes: Annotated[StrictInt, Field(ge=1, le=60)]
    """How long the new model is watched before the old one is let go; with a canary twice, before and after."""
    latency_milliseconds: Annotated[StrictInt, Field(ge=1, le=60000)]
    """An average above this in one minute is an alarm, and takes a new model back."""

    @model_validator(mode="after")
    def _canary_has_a_size(self) -> Self:
        if self.traffic is Traffic.CANARY and self.canary_percent is None:
            raise ValueError('must have canary_percent for traffic "canary", got none')
        if self.traffic is not Traffic.CANARY and self.canary_percent is not None:
            raise ValueError(f'must have canary_percent for traffic "canary" only, got {self.canary_percent}')
        return self


def check_canary(promotion: PromotionSection, *, instance_count: int) -> None:
    """Refuse a canary that no fleet of `instance_count` can hold.

    Raises
    ------
    ValueError
        If it is; the text is a rule of the whole file.
    """
    if promotion.traffic is Traffic.CANARY and instance_count < MIN_CANARY_INSTANCES:
        raise ValueError(
            f'must have endpoint.instance_count of at least {MIN_CANARY_INSTANCES} for promotion.traffic "canary", '
            f"got {instance_count}"
        )


def check_triggers(retraining: RetrainingSection, *, has_labels: bool, is_multivariate: bool) -> None:
    """Refuse a listed trigger whose analysis is switched off; of the default list such a trigger is just absent.

    Raises
    ------
    ValueError
        If it is refused; the text is a rule of the whole file.
    """
    if "triggers" not in retraining.model_fields_set:
        return
    listed = ", ".join(retraining.triggers)
    if not has_labels and (unseen := [kind for kind in retraining.triggers if kind in NEEDS_LABELS]):
        raise ValueError(
            f"must have retraining.triggers without {' and '.join(unseen)} where there is no section [labels], got "
            f"{listed}; leave out what only labels show, or add [labels]"
        )
    if not is_multivariate and TriggerKind.MULTIVARIATE in retraining.triggers:
        raise ValueError(
            f"must have retraining.triggers without {TriggerKind.MULTIVARIATE} where monitor.multivariate is false, "
            f"got {listed}; leave it out, or set monitor.multivariate = true"
        )


def silent_triggers(retraining: RetrainingSection, *, has_labels: bool) -> str | None:
    """Return what to tell where labels are missing and the file lists no triggers; None: nothing.

    The default list then shrinks to what can be seen without labels, and nobody has written that down.
    """
    if has_labels or "triggers" in retraining.model_fields_set:
        return None
    left = [kind for kind in retraining.triggers if kind not in NEEDS_LABELS]
    return (
        f"Without a section [labels], of the default retraining.triggers only {' and '.join(left)} is left: no other "
        f"alarm starts a retraining. If that is meant, write retraining.triggers = {json.dumps(left)} into the file; "
        "if not, list others too."
    )


def check_fresh_rows(retraining: RetrainingSection, *, labels: LabelsSection | None, capture_days: int) -> None:
    """Refuse retraining that could never have a labelled row, or whose rows are deleted before they are used.

    Raises
    ------
    ValueError
        If it is refused; the text is a rule of the whole file.
    """
    if labels is None:
        if retraining.enabled:
            raise ValueError(
                "must have retraining.enabled = false without a section [labels], as only labelled captures are "
                "trained on, got true"
            )
        return
    kept_hours = capture_days * HOURS_A_DAY
    if retraining.fresh_hours > kept_hours:
        raise ValueError(
            f"must have retraining.fresh_hours within retention.capture_days, {kept_hours} hours, "
            f"got {retraining.fresh_hours}"
        )
