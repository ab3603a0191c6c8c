"""The command line. Each module holds the commands of one errand; this file only names them.

Every command takes `--json` (its last line is then one JSON object) and, where it needs the embedded database,
`--data DIR`; it may run beside a running service. A command's module is imported when it is run: `ecm migrate` need
not wait for the web server to be read.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "web": "serve:web",
    "worker": "serve:worker",
    "sip": "sip:sip",
    "migrate": "data:migrate",
    "import": "data:import_",
    "simulate": "simulate:simulate",
    "tick": "serve:tick",
    "actuals": "actuals:actuals",
    "key": "accounts:key",
    "account": "accounts:account",
    "setup-code": "setup_code:setup_code",
    "worker-left": "leavers:worker_left_",
    "contact": "contacts:contact",
    "tenant": "tenants:tenant",
    "line": "lines:line",
    "phone": "phones:phone",
    "reseal": "reseal:reseal",
    "audit": "audit:audit",
    "doctor": "doctor:doctor",
}


class Errands(click.Group):
    """The commands of the table above, in its order, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(cls=Errands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ecm", prog_name="ecm")
def main() -> None:
    """Real-time electronic call monitoring and visit verification for home care."""
