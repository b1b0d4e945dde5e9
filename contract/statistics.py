"""The statistics of a drift report: one declaration each, read by settings, comparison, report, tables and docs.

`container/drift/statistics` has the functions, one file each; `drift.statistics.registry` binds them to these members.
"""

import json
import math
from dataclasses import dataclass

from plumbline.contract.enums import StrEnum


class FeatureType(StrEnum):
    """How a column is compared."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class ColumnType(StrEnum):
    """What a column is declared, or recognised, to be: `type` of a feature's settings and ``--feature-type``."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    ID = "id"
    """An identifier: new in every row."""
    TIME = "time"
    """A date or a time, which moves on by itself."""
    IGNORE = "ignore"

    @property
    def is_judged(self) -> bool:
        """Whether the column is a feature whose drift is judged."""
        return self in {ColumnType.NUMERIC, ColumnType.CATEGORICAL}

    @property
    def words(self) -> str:
        """What a column of this type is, in words."""
        names = {ColumnType.ID: "an identifier", ColumnType.TIME: "a time", ColumnType.IGNORE: "to be ignored"}
        return names.get(self, f"a {self.value} feature")


def read_column_types(text: str) -> dict[str, ColumnType]:
    """Return the types by column that an argument of a job has as a JSON object.

    Raises
    ------
    ValueError
        If it is none; the text is a rule, for an error message.
    """
    try:
        types = json.loads(text)
        return {name: ColumnType(kind) for name, kind in types.items()}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        allowed = ", ".join(ColumnType)
        raise ValueError(f"must be a JSON object with a type of {allowed} by column, got {text!r}") from error


_EVERY_TYPE = frozenset(FeatureType)


@dataclass(frozen=True, kw_only=True)
class EffectDeclaration:
    """What readers need to know of one effect measure.

    `words` is its name in sentences, `heading` in tables, where `digits` are its decimals; `unit` says what a number
    means. Its range starts at 0 and ends at `upper_end`. From `default_threshold` on a change counts: the defaults are
    of like rank, as a normal distribution that moves by 0.24 standard deviations has a Jensen-Shannon distance of 0.1
    and a drift score of 19 %. `types` are the feature types that it is computed for.
    """

    words: str
    heading: str
    unit: str
    upper_end: float
    default_threshold: float
    digits: int
    types: frozenset[FeatureType] = _EVERY_TYPE


class EffectMeasure(StrEnum):
    """A magnitude of change that a threshold can apply to; larger is worse.

    Values are keys of the report's `effects`. Each member has one declaration.
    """

    declaration: EffectDeclaration

    def __new__(cls, value: str, *declared: EffectDeclaration) -> "EffectMeasure":
        """Make a member whose value is the report's key."""
        member = str.__new__(cls, value)
        member._value_ = value
        # Variadic, because type checkers read the look-up of a member by its value as a call of this.
        (member.declaration,) = declared
        return member

    JENSEN_SHANNON_DISTANCE = (
        "jensen_shannon_distance",
        EffectDeclaration(
            words="Jensen-Shannon distance",
            heading="Jensen–Shannon",
            unit="base 2, 0 to 1",
            upper_end=1.0,
            default_threshold=0.1,
            digits=3,
        ),
    )
    DRIFT_SCORE = (
        "drift_score",
        EffectDeclaration(
            words="drift score",
            heading="drift score",
            unit="percent, 0 to 200",
            upper_end=200.0,
            default_threshold=20.0,
            digits=1,
        ),
    )
    WASSERSTEIN_DISTANCE = (
        "wasserstein_distance",
        EffectDeclaration(
            words="Wasserstein distance",
            heading="Wasserstein",
            unit="reference standard deviations, 0 upwards",
            upper_end=math.inf,
            default_threshold=0.25,
            digits=3,
            types=frozenset({FeatureType.NUMERIC}),
        ),
    )

    @property
    def words(self) -> str:
        """The measure as sentences name it."""
        return self.declaration.words

    @property
    def types(self) -> frozenset[FeatureType]:
        """Feature types that it is computed for."""
        return self.declaration.types


class HypothesisTest(StrEnum):
    """Tests of a feature's distribution, and how their p-values came about: values of the report's `test`.

    `types` has the feature types that a test is made for.
    """

    types: frozenset[FeatureType]

    def __new__(cls, value: str, kind: FeatureType) -> "HypothesisTest":
        """Make a member whose value stands in the report."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.types = frozenset({kind})
        return member

    KS_EXACT = "ks_2samp_exact", FeatureType.NUMERIC
    KS_ASYMPTOTIC = "ks_2samp_asymptotic", FeatureType.NUMERIC
    EXCEEDANCE = "exceedance", FeatureType.NUMERIC
    CHI_SQUARE = "chi2_homogeneity", FeatureType.CATEGORICAL
    CHI_SQUARE_MONTE_CARLO = "chi2_homogeneity_monte_carlo", FeatureType.CATEGORICAL
    CHI_SQUARE_POOLED = "chi2_homogeneity_pooled", FeatureType.CATEGORICAL
