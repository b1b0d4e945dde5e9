"""What becomes metadata of a model package is what SageMaker takes."""

import doctest
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from plumbline.contract import retraining
from plumbline.contract.retraining import MAX_METADATA_LENGTH, metadata_text


def test_examples() -> None:
    result = doctest.testmod(retraining)
    assert (result.failed, result.attempted > 0) == (0, True)


@given(st.text())
def test_metadata_has_the_characters_and_the_length_of_the_api(text: str) -> None:
    """CustomerMetadataValue: ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*), 1 to 256 characters."""
    made = metadata_text(text)
    assert 1 <= len(made) <= MAX_METADATA_LENGTH
    assert all(unicodedata.category(each)[0] in "LZN" or each in "_.:/=+-@" for each in made)
    assert metadata_text(made) == made
