"""Proofs that take minutes: whole days against a whole service. `python -m tests.prove.road` runs them all."""
