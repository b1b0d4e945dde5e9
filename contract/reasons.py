"""Reasons as values: why a part of a report was not judged, or what decided its verdict.

Machines compare `Reason.code`; people read `Reason.text`. A part without a reason has None.
"""

from dataclasses import dataclass, replace

from plumbline.contract.enums import StrEnum


class ReasonCode(StrEnum):
    """Every reason of a drift report, with the template of its text (`str.format`)."""

    template: str

    def __new__(cls, code: str, template: str) -> "ReasonCode":
        """Make a member whose value is `code`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.template = template
        return member

    @classmethod
    def _missing_(cls, _value: object) -> "ReasonCode":
        """Read a code of a later version as `OTHER`: the text still explains it."""
        return cls.OTHER

    def reason(self, **values: object) -> "Reason":
        """Return the reason with the template's fields filled in.

        Raises
        ------
        KeyError
            If a field of the template has no value.
        """
        return Reason(self, self.template.format(**values))

    # Any part.
    OTHER = "other", "{text}"
    SWITCHED_OFF = "switched_off", "switched off"
    MODEL_CHANGED = "model_changed", "model changed"
    WINDOW_NOT_JUDGED = "window_not_judged", "the window is not judged: {why}"
    INTERNAL_FAULT = "internal_fault", "internal fault: {what}; the run's log has the traceback"
    TOO_FEW_ROWS = "too_few_rows", "{n_rows} rows, fewer than the minimum of {min_rows}"
    EVERY_FEATURE_IGNORED = "every_feature_ignored", "every feature is ignored by the policy"
    NO_PREDICTIONS = "no_predictions", "no predictions were captured"
    ANSWERS_UNREADABLE = (
        "answers_unreadable",
        "{percent:.3g} % of the answers could not be read, more than {max_percent:g} %, most of them as {leading} "
        "({remedy}); those that can be read are a selection",
    )
    SOME_ANSWERS_UNREADABLE = "some_answers_unreadable", "{n_unreadable} of {n_read} answers could not be read"
    NO_TEST_SET = "no_test_set", "the baseline has no labelled test set"
    NO_TEST_PREDICTIONS = "no_test_predictions", "the baseline has no predictions for a labelled test set"
    WINDOW_WITHOUT_ROWS = "window_without_rows", "the window has no rows"

    # The window.
    NO_RECORDS = "no_records", "no records in the window"
    NO_USABLE_RECORD = "no_usable_record", "none of the {n_records} records in the window could be used: {loss}"
    REJECTED_FRACTION = (
        "rejected_fraction",
        "{n_lost:,} of the {n_records:,} records in the window ({percent:.1f} %) were rejected, more than "
        "{max_percent:g} %, so that the others need not be like all: {loss}",
    )
    REJECTED_RECORDS = (
        "rejected_records",
        "{n_lost:,} of the {n_records:,} records in the window ({percent:.1f} %) were rejected: {loss}",
    )
    FEATURES_DRIFTED = "features_drifted", "drift in {names}"
    TOO_FEW_FEATURES_DRIFTED = (
        "too_few_features_drifted",
        "drift in {names} only, {n_drifted} of {n_judged} judged features",
    )
    NO_FEATURE_DRIFTED = "no_feature_drifted", "no feature drifted"
    NO_FEATURE_JUDGED = "no_feature_judged", "no feature could be judged"
    ROWS_NEEDED = "rows_needed", "about {n_rows} rows would do for {name}"
    ROWS_NEEDED_FOR_ALL = "rows_needed_for_all", "about {n_rows} for all features that lack rows"
    ROWS_USELESS = "rows_useless", "no number of rows would do, the reference has too few"
    VARIANT_DRIFTED = "variant_drifted", "variant {name}: {why}"
    VARIANT_NOT_JUDGED = "variant_not_judged", "variant {name} is not judged: {why}"
    VARIANTS_UNDECIDED = (
        "variants_undecided",
        "the variants {names} answered the same requests, so that callers saw the answers of one of them, and it is "
        "not known of which: choose it (variant)",
    )
    FEATURES_NOT_JUDGED = "features_not_judged", "not judged: {names}"

    # A feature, or the prediction.
    IGNORED = "ignored", "ignored by the policy"
    IDENTIFIER = "identifier", "an identifier, which is new in every row"
    TIME_COLUMN = "time_column", "a time, which moves on by itself"
    MISSING_COLUMN = "missing_column", "no row of the window names it"
    UNREADABLE_COLUMN = "unreadable_column", "{percent:.0f} % of its values cannot be read"
    COLUMNS_UNREADABLE = "columns_unreadable", "too many values of {names} cannot be read"
    LABELS_ARE_NUMBERS = "labels_are_numbers", "all of its labels are numbers, and most of the reference's are not"
    SIDE_WITHOUT_ROWS = "side_without_rows", "the {side} has no rows"
    SIDE_WITHOUT_VALUES = "side_without_values", "every value is {condition} in the {side}"
    CONSTANT = "constant", "every value is the same one on both sides"
    DISTRIBUTION_DRIFTED = "distribution_drifted", "adjusted p {p} is below {alpha:g} and {effect}"
    MISSING_FRACTION_MOVED = (
        "missing_fraction_moved",
        "the missing fraction moved from {reference:.3g} to {window:.3g} (adjusted p {p})",
    )
    ROWS_SEPARABLE = (
        "rows_separable",
        "the area under the curve {area:.3f} reaches {threshold:g}, with p {p:.2g} below {alpha:g}",
    )
    ROWS_ALIKE = "rows_alike", "the area under the curve {area:.3f} is below {threshold:g}"
    ROWS_SEPARABLE_BY_CHANCE = "rows_separable_by_chance", "p {p:.2g} is not below {alpha:g}"
    OUT_OF_RANGE = "out_of_range", "{percent:.3g} % of the values lie beyond all of the reference's (adjusted p {p})"
    HEAVIER_TAIL = "heavier_tail", "more values lie far out than in the reference (adjusted p {p}), and {effect}"
    NOT_SIGNIFICANT = "not_significant", "adjusted p {p} is not below {alpha:g}"
    NO_EFFECT = "no_effect", "there is no effect"
    EFFECT_WITHIN_CHANCE = (
        "effect_within_chance",
        "the {measure} {value:.3g} is below {null_q99:.3g}, which chance reaches",
    )
    EFFECT_OF_SMALL_SHIFT = (
        "effect_of_small_shift",
        "the {measure} {value:.3g} comes of all values moving together by {shift:.3g}, less than a tenth of a standard "
        "deviation; without that it is {rest:.3g}",
    )
    EFFECT_BELOW_THRESHOLD = "effect_below_threshold", "the {measure} {value:.3g} is below {threshold:.3g}"
    EFFECT_REACHES_THRESHOLD = "effect_reaches_threshold", "the {measure} {value:.3g} reaches {threshold:.3g}"
    WITHIN_PAST = (
        "within_past",
        "no more than its own past shows: the {what} {value:.3g} does not exceed {threshold:.3g}, by {windows}",
    )
    BEYOND_PAST = "beyond_past", "which is more than its own past shows, by {windows}"
    PAST_WINDOWS = "past_windows", "{n_windows} past windows of {n_rows} rows{rhythm}"
    PAST_TOO_SHORT = (
        "past_too_short",
        "{n_windows} past windows of {n_rows} rows{rhythm}, the largest of them as fewer than {enough} are too few for "
        "a level: give a longer history",
    )
    TOO_FEW_VALUES = "too_few_values", "{n_values} values are too few: {effect} takes {min_sample_size} to be found"
    TOO_FEW_REFERENCE_VALUES = (
        "too_few_reference_values",
        "the reference has too few values to find {effect} in any window",
    )
    UNREADABLE_CELLS = "unreadable_cells", "{n_unreadable} of {n_cells} cells could not be read"
    BOUNDED_LABELS = (
        "bounded_labels",
        "the reference has more labels than are told apart: which of the window's are new is not known",
    )
    NO_WASSERSTEIN_DISTANCE = (
        "no_wasserstein_distance",
        "no Wasserstein distance: the reference is constant or a value is infinite",
    )
    BUCKETED_VALUES = (
        "bucketed_values",
        "values counted in buckets of {relative_error:.1%}: the Kolmogorov-Smirnov statistic of the values themselves "
        "is larger by {bound:.3g} at most",
    )

    # Earlier windows and segments.
    EARLIER_FILE_SKIPPED = "earlier_file_skipped", "skipped {file}"
    NO_REFERENCE_SEGMENT = "no_reference_segment", "the baseline has no rows of this segment"

    # Over time.
    WINDOW_WITHOUT_TIMES = "window_without_times", "the window has no times, so that none is before it"
    EARLIER_WINDOWS_UNREADABLE = (
        "earlier_windows_unreadable",
        "what the windows before left could not be read: {error}",
    )
    DAY_INCOMPLETE = (
        "day_incomplete",
        "usable windows cover {hours:.3g} of the last {day_hours:.3g} hours, fewer than {min_hours:.3g}",
    )
    TOO_FEW_STEPS = (
        "too_few_steps",
        "{n_steps} windows that follow others, fewer than {min_steps}: how much they differ by chance is not known",
    )
    NO_REFERENCE_VALUE = "no_reference_value", "the reference has no value of it"
    NO_VALUES_THIS_DAY = "no_values_this_day", "the last day has no value of it"
    CHANGED_OVER_TIME = "changed_over_time", "{what} since {start}"
    FEATURES_CHANGED_OVER_TIME = "features_changed_over_time", "drift over time in {features}"
    NOTHING_CHANGED_OVER_TIME = "nothing_changed_over_time", "no feature changed over time"

    # Accepted windows.
    JUDGED_AGAINST_ACCEPTED = "judged_against_accepted", "{judged} against the windows accepted on {at}"
    ACCEPTED_UNUSABLE = (
        "accepted_unusable",
        "what was accepted as the reference cannot be used, and the window is judged against the training data: {why}",
    )
    ACCEPTED_ENDED = (
        "accepted_ended",
        "what was accepted on {at} ended: it belongs to {other}",
    )
    ACCEPTED_LATER = (
        "accepted_later",
        "what was accepted on {at} holds for windows from {end} on, when the accepted ones end",
    )
    ACCEPTED_SHIFT = (
        "accepted_shift",
        "no feature drifted from the accepted windows; the rows' mix moved in {names} since training, as was accepted "
        "on {at}",
    )
    ACCEPTED_WITHOUT_ROWS = (
        "accepted_without_rows",
        "every feature is judged against accepted windows, of which no rows are kept",
    )
    ACCEPTED_WITHOUT_SEGMENTS = (
        "accepted_without_segments",
        "accepted windows are not kept by segment: not judged are {names}",
    )
    ROWS_WITHOUT_ACCEPTED = "rows_without_accepted", "without {names}, of whose accepted windows no rows are kept"

    # The joint distribution, the Isolation Forest and attributions.
    NO_REFERENCE_ROWS = "no_reference_rows", "the baseline has no rows to compare with"
    SAMPLES_TOO_SMALL = (
        "samples_too_small",
        "{n_reference} reference rows and {n_window} of the window, fewer than {min_rows} on a side",
    )
    ROWS_IDENTICAL = "rows_identical", "too many rows are identical to be divided in two halves"
    NO_BINARY_TEST_SET = (
        "no_binary_test_set",
        "the baseline has no labelled test set of two classes with predictions",
    )
    NO_RIGHT_PREDICTION = "no_right_prediction", "the model predicted no row of the test set right"
    ATTRIBUTION_ROWS_TOO_FEW = (
        "attribution_rows_too_few",
        "{n_window} rows of the window and {n_reference} of the reference, fewer than {min_rows}",
    )
    MODEL_UNUSABLE = "model_unusable", "{error}"
    NO_IMPORTANCE = "no_importance", "the model rests on no feature at all on the reference"
    ATTRIBUTIONS_DRIFTED = (
        "attributions_drifted",
        "the predictions rest on other features than on the test set",
    )

    # Bias.
    BIAS_TARGET_NOT_BINARY = "bias_target_not_binary", "bias is measured where the target has two classes"
    FACET_UNKNOWN = "facet_unknown", "the facet {facet!r} is no categorical column of the baseline"
    BIAS_ROWS_TOO_FEW = (
        "bias_rows_too_few",
        "fewer than {min_rows} rows of the group, or of the others{or_else}, {where}",
    )
    BIAS_METRIC_COMPARED = "bias_metric_compared", "from {reference:.3f} to {window:.3f}, adjusted p {p:.2g}"
    BIAS_METRICS_MOVED = "bias_metrics_moved", "{metrics}"
    BIAS_METRICS_STEADY = "bias_metrics_steady", "no measure moved by the tolerance and beyond chance"
    GROUPS_DRIFTED = "groups_drifted", "{names}"
    GROUPS_TOO_SMALL = "groups_too_small", "no group has rows enough"

    # Projected accuracy.
    TARGET_IS_QUANTITY = (
        "target_is_quantity",
        "the model predicts a quantity, which is neither right nor wrong: only labels can judge it",
    )
    TEST_SET_NOT_PREDICTED = "test_set_not_predicted", "the baseline has no predictions for its test set"
    TEST_SET_TOO_SMALL = "test_set_too_small", "the labelled test set has {n_rows} rows, fewer than {min_rows}"
    NO_PREDICTED_LABELS = "no_predicted_labels", "the baseline does not have the predicted labels of its test set"
    TARGET_NOT_BINARY = (
        "target_not_binary",
        "the target must have two classes, got {n_classes} in the test set",
    )
    TEST_CLASS_TOO_SMALL = (
        "test_class_too_small",
        "the smaller class of the test set has {n_rows} rows, fewer than {min_rows}",
    )
    TEST_OUTCOME_TOO_RARE = (
        "test_outcome_too_rare",
        "{n_rows} predictions of the test set are {outcome}, fewer than {min_rows}",
    )
    NOT_PROBABILITIES = (
        "not_probabilities",
        "the captured predictions are not probabilities: some lie outside 0 to 1",
    )
    LABELS_FOR_PROBABILITIES = (
        "labels_for_probabilities",
        "the endpoint answers labels, and the predictions of the test set are probabilities: let it answer "
        "probabilities, or learn the baseline with the labels that the model predicts",
    )
    PREDICTIONS_ROUNDED = (
        "predictions_rounded",
        "the captured predictions are rounded to one digit, and those of the test set are not",
    )
    PREDICTIONS_OUT_OF_SUPPORT = (
        "predictions_out_of_support",
        "{percent:.0f} % of the captured predictions, {max_percent:.0f} % or more, lie where the test set has none, "
        "whose own are {lowest:.3g} to {highest:.3g}: nothing is known of the model there",
    )
    PREDICTIONS_TOO_FEW = "predictions_too_few", "{n_rows} rows with a captured prediction, fewer than {min_rows}"
    SAMPLE_PREDICTIONS_TOO_FEW = (
        "sample_predictions_too_few",
        "{n_rows} rows of the window's sample have a prediction, fewer than {min_rows}",
    )
    TEST_RANKING_BELOW_CHANCE = (
        "test_ranking_below_chance",
        "the test set's probabilities rank its labels worse than chance (area under the curve {area:.3f})",
    )
    CALIBRATION_OFF = (
        "calibration_off",
        "probabilities that are calibrated on one part of the test set are {points:.1f} points off on the rest, more "
        "than {max_points:g}: its labels do not follow them",
    )
    OUT_OF_SUPPORT = (
        "out_of_support",
        "{percent:.0f} % of the rows hold a value that the training data never had ({names}), {max_percent:.0f} % or "
        "more: nothing is known of the model there",
    )
    WINDOW_SEPARABLE = (
        "window_separable",
        "a classifier tells the window's rows from the labelled test set's (area under the curve {area:.2f}, "
        "{max_area:g} or more): nothing is known of the model there",
    )
    ROWS_OVER_REPRESENTED = (
        "rows_over_represented",
        "{percent:.0f} % of the rows are more than twenty times as frequent as in the labelled test set, "
        "{max_percent:g} % or more: too little is known of the model there",
    )
    INTERVAL_TOO_WIDE = (
        "interval_too_wide",
        "the 95 % interval reaches {points:.1f} points either side of the estimate, more than {max_points:g}",
    )
    PARTLY_PREDICTED = "partly_predicted", "from the {n_predicted} of {n_rows} rows with a prediction"
    WINDOW_FAIRLY_SEPARABLE = (
        "window_fairly_separable",
        "a classifier tells the window's rows from the labelled test set's well (area under the curve {area:.2f}, "
        "{max_area:g} or more)",
    )
    ROWS_FREQUENT = (
        "rows_frequent",
        "{percent:.0f} % of the rows are more than twenty times as frequent as in the labelled test set, "
        "{max_percent:.0f} % or more",
    )
    SCENARIO_TARGET_NOT_BINARY = (
        "scenario_target_not_binary",
        "a scenario of label shift is made for two classes alone",
    )
    PROJECTED_DROP = (
        "projected_drop",
        "expected {expected:.1f} %, {reference:.1f} % on the labelled test set: {drop:.1f} points lower, more than "
        "chance makes it ({chance:.1f})",
    )
    PROJECTED_DROP_WITHIN_CHANCE = (
        "projected_drop_within_chance",
        "expected {expected:.1f} %, {reference:.1f} % on the labelled test set: {drop:.1f} points lower, which chance "
        "reaches ({chance:.1f})",
    )
    NO_PROJECTED_DROP = (
        "no_projected_drop",
        "expected {expected:.1f} %, {reference:.1f} % on the labelled test set: no lower by {threshold:g} points",
    )

    # Figures of merit.
    NO_SUCH_ROW = "no_such_row", "there is no {kind}"
    NO_POSITIVE_PREDICTION = "no_positive_prediction", "there is no positive prediction"
    NO_POSITIVE_AT_ALL = "no_positive_at_all", "there is neither a positive label nor a positive prediction"
    CLASS_TOO_SMALL = "class_too_small", "a class has fewer than two rows"
    TOO_FEW_LABELLED_ROWS = "too_few_labelled_rows", "there are fewer than two rows"
    ONE_PROBABILITY_KEPT = (
        "one_probability_kept",
        "only the predicted label's probability is kept of more than two classes",
    )
    EVERY_PROBABILITY_NEEDED = (
        "every_probability_needed",
        "it takes the probability of every class, of which only the predicted one's is kept",
    )
    NO_POSITIVE_EXPECTED = "no_positive_expected", "no positive label is expected"
    NO_POSITIVE_AT_ALL_EXPECTED = (
        "no_positive_at_all_expected",
        "neither a positive prediction nor a positive label is expected",
    )
    ONE_CLASS_EXPECTED = "one_class_expected", "one class alone is expected"

    # Labels.
    LABELS_UNKNOWN = (
        "labels_unknown",
        "the baseline has no labelled test set, which says what labels there are",
    )
    TARGET_IS_NUMBER = (
        "target_is_number",
        "the target is a number: the quality of predicted numbers is not judged",
    )
    LABELS_UNREADABLE = "labels_unreadable", "labels or captures could not be read: {error}"
    LABELS_NOT_KEPT = "labels_not_kept", "captures joined with labels could not be kept: {error}"
    NO_LABELS_YET = "no_labels_yet", "no labels yet"
    NO_LABELS_IN_TIME = "no_labels_in_time", "no labels came within {lag_hours} hours"
    LABELS_REJECTED = "labels_rejected", "labels came for {requests}, and none of them can be used ({rejected})"
    NO_USABLE_LABEL = "no_usable_label", "none of the {n_records} label records can be used ({rejected})"
    LABELLED_FRACTION_TOO_LOW = (
        "labelled_fraction_too_low",
        "{percent:.1f} % of the rows have a label{so_far}, fewer than {min_percent:g} %",
    )
    LABELLED_ROWS_TOO_FEW = "labelled_rows_too_few", "labels and predictions for {rows}"
    ACCURACY_DROPPED = (
        "accuracy_dropped",
        "accuracy {realised:.1f} %, {reference:.1f} % on the labelled test set: {drop:.1f} points lower",
    )
    ACCURACY_WITHIN_CHANCE = (
        "accuracy_within_chance",
        "accuracy {realised:.1f} %, {reference:.1f} % on the labelled test set: no lower than chance makes it",
    )
    ACCURACY_HELD = (
        "accuracy_held",
        "accuracy {realised:.1f} %, {reference:.1f} % on the labelled test set: no lower by {threshold:g} points",
    )
    EVERY_ROW_LABELLED = "every_row_labelled", "every row has a label"
    UNLABELLED_ROWS_TOO_FEW = "unlabelled_rows_too_few", "without a label are {rows}"
    LABELS_SELECTIVE = (
        "labels_selective",
        "the labelled rows differ from the others in {names}: the figures are those of the former",
    )

    # Kinds of shift.
    FEATURES_MOVED = "features_moved", "the rows' mix moved in {names}"
    FEATURES_MOVED_AS_LABELS_WOULD = (
        "features_moved_as_labels_would",
        "{moved}, as a label shift would move them: only labels tell the two apart",
    )
    LABEL_SHIFT_NEEDS_LABELS = "label_shift_needs_labels", "there are no labels to see it by"
    LABEL_SHIFT_SUSPECTED = (
        "label_shift_suspected",
        "without labels: a share of {window:.1f} % positive labels, {reference:.1f} % on the test set explains the "
        "window",
    )
    LABEL_SHIFT_NOT_SUSPECTED = (
        "label_shift_not_suspected",
        "without labels: a changed mix of labels does not explain the window",
    )
    LABEL_MIX_MOVED = (
        "label_mix_moved",
        "{moved}, and the rows of each label get the scores that they got before",
    )
    LABEL_MIX_FOLLOWS_ROWS = "label_mix_follows_rows", "{moved}, as the mix of rows makes one expect"
    LABEL_MIX_EXPLAINS_NOTHING = (
        "label_mix_explains_nothing",
        "{moved}, but a changed mix of the same rows does not explain it",
    )
    LABEL_MIX_STEADY = "label_mix_steady", "{moved}, which is no more than chance or too little to matter"
    LABELS_UNEXPECTED = (
        "labels_unexpected",
        "the labels are not those that such rows had on the test set ({numbers}){projection}",
    )
    LABELS_UNEXPECTED_WITHOUT_LOSS = (
        "labels_unexpected_without_loss",
        "the labels are not those that such rows had on the test set ({numbers}), but that costs no accuracy that "
        "matters{projection}",
    )
    CAUSE_NOT_IDENTIFIED = (
        "cause_not_identified",
        "the accuracy dropped, cause not identified: it is {points:.1f} points below what such rows make one expect, "
        "and the labels do not differ enough from those of such rows on the test set ({numbers})",
    )
    LABELS_EXPLAINED_BY_MIX = (
        "labels_explained_by_mix",
        "the changed mix of labels explains what differs ({numbers}){projection}",
    )
    LABELS_AS_EXPECTED = (
        "labels_as_expected",
        "the labels are those that such rows had on the test set, within chance or tolerance ({numbers}){projection}",
    )
    CONCEPT_SHIFT_NEEDS_LABELS = "concept_shift_needs_labels", "only labels can show it: {why}"


UNUSABLE_LABELS = (ReasonCode.LABELS_REJECTED, ReasonCode.NO_USABLE_LABEL)
"""Reasons of windows whose labels came and cannot be used, which is not that none came."""


@dataclass(frozen=True)
class Reason:
    """Why a part of a report was not judged, or what decided its verdict."""

    code: ReasonCode
    text: str

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def prefixed(self, words: str) -> "Reason":
        """Return the same reason with `words` before its text."""
        return replace(self, text=f"{words}{self.text}")


def has_code(reason: Reason | None, *codes: ReasonCode) -> bool:
    """Return whether there is a reason, and it has one of these codes."""
    return reason is not None and reason.code in codes


def joined(*reasons: Reason | None) -> Reason | None:
    """Return the first reason with the texts of the others behind its own, or None where there is none."""
    given = [reason for reason in reasons if reason is not None]
    return Reason(given[0].code, "; ".join(reason.text for reason in given)) if given else None


def window_not_judged(why: Reason) -> Reason:
    """Return the reason of a part of a window that is not judged as a whole."""
    return ReasonCode.WINDOW_NOT_JUDGED.reason(why=why)
