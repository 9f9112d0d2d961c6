"""A package, since one that the SageMaker SDK needs installs a `tests` of its own, which would be found instead."""
