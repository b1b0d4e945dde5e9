import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plumbline.data.population import generate
from plumbline.data.resampling import Tilt, pool_weights, progress
from plumbline.data.rows import LabelledRows

POOL = generate(300, 4)
STRENGTHS = st.floats(-1.5, 1.5)
HOURS = st.integers(1, 20)


def tilt(strength: float) -> Tilt:
    return Tilt("hours-per-week", strength, first_hour=3, full_hour=12)


@given(STRENGTHS, HOURS)
def test_weights_are_a_distribution_without_zeros(strength: float, hour: int) -> None:
    weights = pool_weights(POOL, [tilt(strength)], ("sex", "age"), hour)

    np.testing.assert_allclose(weights.sum(), 1.0)
    assert (weights > 0).all()


@given(STRENGTHS, HOURS)
def test_weights_depend_on_the_features_alone(strength: float, hour: int) -> None:
    turned = LabelledRows(POOL.header, POOL.rows, POOL.labels[::-1])

    np.testing.assert_array_equal(
        pool_weights(POOL, [tilt(strength)], ("sex",), hour), pool_weights(turned, [tilt(strength)], ("sex",), hour)
    )


@given(STRENGTHS)
def test_held_feature_keeps_its_shares(strength: float) -> None:
    weights = pool_weights(POOL, [tilt(strength)], ("sex",), 12)
    male = np.array([sex == "Male" for sex in POOL.column("sex")])

    np.testing.assert_allclose(weights[male].sum(), male.mean())


@given(st.floats(0.1, 1.5))
def test_stronger_tilt_moves_further(strength: float) -> None:
    hours = np.array(POOL.column("hours-per-week"), float)
    means = [float(hours @ pool_weights(POOL, [tilt(part * strength)], (), 12)) for part in (0, 0.5, 1)]

    assert means[0] < means[1] < means[2]


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 20))
def test_progress_never_falls_and_ends_complete(hour: int, first: int, duration: int) -> None:
    full = first + duration

    assert 0 <= progress(hour, first, full) <= progress(hour + 1, first, full) <= 1
    assert progress(first - 1, first, full) == 0
    assert progress(full, first, full) == 1
