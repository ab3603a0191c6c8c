"""A council's own sign-in: canaille, a real OpenID Connect provider, with its own pages, in a process of its own.

    python -m tests.identity.council <port> <where to send people back>

It says its address on one line of JSON, then takes orders, one line of JSON each, and answers each with a line:
`{"groups": {"dana": ["Duty desk"]}}` puts people into groups and out of all others; `{"open": false}` stops answering
at its address, true begins again. It ends with its input.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

PASSWORD = "made-up-for-the-council"
CLIENT_ID, CLIENT_SECRET = "ecm-made-up", "a-made-up_secret.for-the~council"
PEOPLE = {"dana": "Dana Duty", "nora": "Nora New", "otto": "Otto Nobody"}


def find_by_all_that_was_asked() -> None:
    """Canaille 0.3.6 keeps its promise (`Backend.query`: all the values) in its databases, and not in its memory, which
    finds by any of them: it would take the oldest code for every code."""
    from canaille.backends.memory.backend import MemoryBackend

    by_any = MemoryBackend.do_query

    def by_all(self: Any, model: Any, *args: Any, **asked: Any) -> list[Any]:
        if len(asked) < 2:
            return by_any(self, model, *args, **asked)
        found = [by_any(self, model, **{name: value}) for name, value in asked.items()]
        ids = set.intersection(*({one.id for one in some} for some in found))
        return [one for one in found[0] if one.id in ids]

    MemoryBackend.do_query = by_all


class Council:
    def __init__(self, port: int, back: str) -> None:
        from canaille import create_app

        find_by_all_that_was_asked()

        self.port = port
        self.issuer = f"http://127.0.0.1:{port}"
        self.app = create_app(
            {
                "SECRET_KEY": "made up",
                "SERVER_NAME": f"127.0.0.1:{port}",
                "PREFERRED_URL_SCHEME": "http",
                "SESSION_TYPE": "cachelib",
                "CANAILLE": {
                    "DATABASE": "memory",
                    "NAME": "Example Borough",
                    "SMTP": None,
                    "JAVASCRIPT": False,
                    "LANGUAGE": "en",
                    "TIMEZONE": "UTC",
                },
                "CANAILLE_OIDC": {"TRUSTED_DOMAINS": []},
            }
        )
        self.furnish(back)
        self.server: Any = None

    def furnish(self, back: str) -> None:
        from canaille.app import models
        from canaille.backends import Backend

        with self.app.app_context():
            for login, name in PEOPLE.items():
                Backend.instance.save(
                    models.User(
                        user_name=login,
                        formatted_name=name,
                        family_name=name.split()[1],
                        emails=[f"{login}@council.example.org"],
                        password=PASSWORD,
                    )
                )
            client = models.Client(
                client_id=CLIENT_ID,
                client_name="ecm",
                client_secret=CLIENT_SECRET,
                redirect_uris=[back],
                scope=["openid", "profile", "email", "groups"],
                grant_types=["authorization_code"],
                response_types=["code"],
                token_endpoint_auth_method="client_secret_basic",
                id_token_signed_response_alg="RS256",
            )
            Backend.instance.save(client)
            client.audience = [client]
            Backend.instance.save(client)

    def put_into(self, groups: dict[str, list[str]]) -> None:
        from canaille.app import models
        from canaille.backends import Backend

        with self.app.app_context():
            for group in Backend.instance.query(models.Group):
                Backend.instance.delete(group)
            for name in sorted({name for names in groups.values() for name in names}):
                members = [
                    Backend.instance.get(models.User, user_name=login)
                    for login in groups
                    if name in groups[login]
                ]
                Backend.instance.save(models.Group(display_name=name, members=members))

    def open(self, wanted: bool) -> None:
        from werkzeug.serving import make_server

        if wanted and self.server is None:
            # One after another: its memory backend is not made for several threads.
            self.server = make_server("127.0.0.1", self.port, self.app, threaded=False)
            threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        elif not wanted and self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def main(port: int, back: str) -> None:
    council = Council(port, back)
    council.open(True)
    print(json.dumps({"issuer": council.issuer}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "groups" in order:
            council.put_into(order["groups"])
        if "open" in order:
            council.open(order["open"])
        print(json.dumps({"done": order}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
