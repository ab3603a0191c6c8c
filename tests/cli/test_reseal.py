"""The sealing key is changed: what the old one sealed is sealed anew, and what no key opens is left and named."""

from __future__ import annotations

import base64

from ecm import ntag424, rotating_code
from ecm.api.council_visit import secret_of
from ecm.cli.reseal import KEPT
from ecm.identity import second_step
from ecm.sealing import Sealer, key_safe_of
from ecm.store.embedded import Addresses
from tests.cli.conftest import Ecm
from tests.postgres import execute, fetch_value, in_a_loop_of_its_own

LAST_YEARS, THIS_YEARS, NOBODYS = (bytes([n]) * 32 for n in (1, 2, 3))
BEFORE = """
INSERT INTO service_users (tenant_id, ref, name, sealed_key_safe) VALUES
  (1, 'SU-ADAMS', 'Ms Adams', '\\x{hers}'), (1, 'SU-BAKER', 'Mr Baker', '\\x{lost}'), (1, 'SU-COLE', 'Mr Cole', NULL);
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, sealed_keys, made_by, made_at)
  VALUES (1, 'TAG1', 'ntag424', 'SU-ADAMS', '\\x{tag}', 'Cora', now());
INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at)
  VALUES (1, 'SU-ADAMS', '\\x{card}', 'Cora', now());
INSERT INTO accounts (tenant_id, account_id, email, name, role) OVERRIDING SYSTEM VALUE
  VALUES (1, 7, 'ada@example.org', 'Ada', 'administrator');
INSERT INTO second_steps (tenant_id, account_id, sealed_secret, confirmed_at, last_step)
  VALUES (1, 7, '\\x{code}', now(), 0);
INSERT INTO oidc_providers (tenant_id, issuer, client_id, sealed_client_secret, scopes, groups_claim, makes_accounts)
  VALUES (1, 'https://id.example.org', 'ecm', '\\x{oidc}', 'openid', 'groups', false);
"""


def test_everything_is_sealed_anew_and_once(ecm: Ecm, database: Addresses) -> None:
    old = Sealer.of(LAST_YEARS)
    sealed = {
        "hers": old.seal(b"4711", key_safe_of(1, "SU-ADAMS")),
        "lost": Sealer.of(NOBODYS).seal(b"4712", key_safe_of(1, "SU-BAKER")),
        "tag": old.seal(bytes(32), ntag424.belongs_to(1, "TAG1")),
        "code": old.seal(b"secret", second_step.belongs_to(1, 7)),
        "oidc": old.seal(b"secret", secret_of(1)),
        "card": old.seal(b"secret", rotating_code.belongs_to(1, "SU-ADAMS")),
    }
    story = BEFORE.format(**{name: what.hex() for name, what in sealed.items()})
    in_a_loop_of_its_own(execute(database.owner, story))
    keys = {
        name: base64.b64encode(key).decode()
        for name, key in (("ECM_SEALING_KEY", THIS_YEARS), ("ECM_SEALING_KEYS_OLD", LAST_YEARS))
    }
    said = ecm("reseal", "--json", **keys)
    assert (said.status, said.answer["sealed_anew"]) == (1, 5), "what nobody opens is bad news"
    assert said.answer["lost"] == ["service_users.sealed_key_safe of SU-BAKER, tenant 1"]
    assert "4711" not in said.output

    new = Sealer.of(THIS_YEARS)
    for column, belongs_to in (
        ("sealed_key_safe FROM service_users WHERE ref = 'SU-ADAMS'", key_safe_of(1, "SU-ADAMS")),
        ("sealed_keys FROM tags", ntag424.belongs_to(1, "TAG1")),
        ("sealed_secret FROM second_steps", second_step.belongs_to(1, 7)),
        ("sealed_client_secret FROM oidc_providers", secret_of(1)),
        ("sealed_secret FROM code_cards", rotating_code.belongs_to(1, "SU-ADAMS")),
    ):
        kept = in_a_loop_of_its_own(fetch_value(database.owner, f"SELECT {column}"))
        assert new.open(kept, belongs_to)
    named = in_a_loop_of_its_own(fetch_value(database.owner, "SELECT fingerprint FROM sealing_key"))
    assert named == new.fingerprint
    again = ecm("reseal", "--json", **keys)
    assert again.answer["sealed_anew"] == 0


def test_every_column_that_holds_something_sealed_is_known_to_it(database: Addresses) -> None:
    found = in_a_loop_of_its_own(
        fetch_value(
            database.owner,
            "SELECT array_agg(table_name || '.' || column_name ORDER BY 1) FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name LIKE 'sealed%'",
        )
    )
    # An opening lives for minutes, and openings of the old key open with it until they are over.
    assert set(found) == {kept.column for kept in KEPT} | {"openings.sealed"}
