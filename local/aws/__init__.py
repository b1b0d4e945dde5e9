"""The embedded AWS itself: MiniStack plus our small SageMaker part, in one process on one port."""
