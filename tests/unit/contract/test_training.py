"""The positive class is found the same way by the training job and by the baseline."""

import pytest

from contract.training import positive_label


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["<=50K", ">50K", "<=50K"], ">50K"),
        (["0", "1"], "1"),
        (["9", "10"], "10"),
        (["yes", "no"], "yes"),
        (["False", "True"], "True"),
    ],
)
def test_positive_label_is_the_last_in_order(labels: list[str], positive: str) -> None:
    assert positive_label(labels) == positive


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "b", "c"]])
def test_fails_unless_there_are_two_classes(labels: list[str]) -> None:
    with pytest.raises(ValueError, match=f"got {len(labels)}"):
        positive_label(labels)
