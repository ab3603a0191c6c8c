"""Fixtures that every test may use, and the rule that CI skips nothing."""

pytest_plugins = ["tests.postgres", "tests.no_skips", "tests.longest_first"]
