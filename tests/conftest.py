"""Fixtures that every test may use, the rule that CI skips nothing, and that a slow machine proves nothing wrong."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres", "tests.no_skips", "tests.longest_first"]

# An example that took long says something of the machine, not of the code.
settings.register_profile(
    "patient", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
