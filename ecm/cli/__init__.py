"""The command line. Each module holds the commands of one errand; this file only names them.

Every command takes `--json` (its last line is then one JSON object) and, where it needs the embedded database,
`--data DIR`; it may run beside a running service.
"""

from __future__ import annotations

import click

from ecm.cli import accounts, actuals, contacts, data, demo, doctor, serve, simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ecm", prog_name="ecm")
def main() -> None:
    """Real-time electronic call monitoring and visit verification for home care."""


for command in (
    demo.demo,
    serve.serve,
    serve.web,
    serve.worker,
    data.migrate,
    data.import_,
    simulate.simulate,
    serve.tick,
    actuals.actuals,
    accounts.key,
    accounts.account,
    contacts.contact,
    doctor.doctor,
):
    main.add_command(command)
