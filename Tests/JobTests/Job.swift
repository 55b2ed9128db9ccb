// Multi-rank tests.
