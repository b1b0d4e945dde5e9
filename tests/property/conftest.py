"""Settings of every property test."""

from hypothesis import settings

# The cores are shared with other work, so how long one example takes says nothing.
settings.register_profile("plumbline", deadline=None)
settings.load_profile("plumbline")
