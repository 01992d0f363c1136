"""What the use cases need from the world, in the domain's words.

Adapters live in `platform/` (Google Cloud) and `providers/` (vendors); in-memory fakes in `tests/fakes.py` pass the
same contract tests. A method marked `@reads` changes nothing outside; every other method is a side effect, and the
crash harness stops the world before it, after it, and after it with the reply lost.
"""
