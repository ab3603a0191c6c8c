"""Whose things there are: the rows of each owner, with a canary in every column that can hold one.

Example Borough (tenant 1) buys care from P1 (`own`, and `col`, a colleague's) and from another provider (`oth`), and
has rows of its own (`top`). Another authority (`abr`, tenant 2) has everything once more. Each owner's person has a
visit that is under way and one that is over and worked out.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from ecm.api.today import key_safe_of
from ecm.ntag424 import KEY_BYTES, belongs_to
from ecm.pins import hash_pin
from ecm.sealing import Sealer
from tests.doors.canary import number, phone, uuid, word

NOW = datetime(2026, 11, 21, 9, 16, tzinfo=UTC)
PERIOD, LAST_PERIOD = "2026-W47", "2026-W46"  # the one before has ended
SEALING_KEY = base64.b64encode(bytes(range(32))).decode()
SEALER = Sealer.of(bytes(range(32)))
PIN = "4711"
TENANT_OF = {"own": 1, "col": 1, "oth": 1, "top": 1, "abr": 2}


@dataclass(frozen=True, slots=True)
class Things:
    """What one owner has, by the names that the rows' paths and bodies are filled with."""

    owner: str
    tenant: int
    provider: str
    service_user: str
    care_worker: str
    visit_ref: str
    visit_id: int
    done_visit_id: int
    alert_id: int
    event_id: str
    loose_event_id: str
    account_id: int
    key_id: int
    device_id: str
    tag_id: str
    card_id: int
    transaction_id: str
    session_id: str
    passkey_id: int
    notice_id: int
    period: str = PERIOD

    @property
    def lat(self) -> float:
        return float(f"53.{number(self.owner, 'adr', 1)}")

    @property
    def lon(self) -> float:
        return float(f"-1.{number(self.owner, 'adr', 2)}")


def things_of(owner: str) -> Things:
    return Things(
        owner=owner,
        tenant=TENANT_OF[owner],
        provider="P1" if owner in ("own", "col") else word(owner, "any", "provider"),
        service_user=word(owner, "any", "person"),
        care_worker=word(owner, "any", "worker"),
        visit_ref=word(owner, "any", "visit"),
        visit_id=number(owner, nth=1),
        done_visit_id=number(owner, nth=2),
        alert_id=number(owner, nth=3),
        event_id=uuid(owner, 1),
        loose_event_id=uuid(owner, 4),
        account_id=number(owner, "acc", 1),
        key_id=number(owner, "key", 1),
        device_id=uuid(owner, 20),
        tag_id=word(owner, "any", "tag"),
        card_id=number(owner, nth=5),
        transaction_id=uuid(owner, 30),
        session_id=uuid(owner, 50),
        passkey_id=number(owner, nth=9),
        notice_id=number("abr" if owner == "abr" else "top", "aud", 2),
    )


# What nobody has. A thing of somebody else's is answered in the same words: whether it exists is nobody's business.
NOTHING = Things(
    owner="none",
    tenant=1,
    provider="P-nowhere",
    service_user="SU-nobody",
    care_worker="CW-nobody",
    visit_ref="V-never",
    visit_id=6_660_001,
    done_visit_id=6_660_002,
    alert_id=6_660_003,
    event_id=str(UUID(int=1)),
    loose_event_id=str(UUID(int=4)),
    account_id=6_660_004,
    key_id=6_660_005,
    device_id=str(UUID(int=20)),
    tag_id="no-such-tag",
    card_id=6_660_006,
    transaction_id=str(UUID(int=30)),
    session_id=str(UUID(int=50)),
    passkey_id=6_660_007,
    notice_id=6_660_008,
)
THINGS = {owner: things_of(owner) for owner in ("own", "col", "oth", "abr")} | {"none": NOTHING}

AUTHORITIES = """
INSERT INTO tenants (tenant_id, name, labels) VALUES (2, '{tenant_name}', '{{"visit": "{tenant_label}"}}');
INSERT INTO providers (tenant_id, ref, name, phone, email)
  VALUES (1, 'P1', 'Amber Home Care', '+441134960771', 'desk@p1.example.org');
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, requested_by, run_at) VALUES
  (1, '2026-W46', '2026-11-09', '2026-11-15', '2026-11-16T06:00Z', 'account 1 Fay', '2026-11-16T06:00:01Z');
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, run_at, locked_at, locked_by) VALUES
  (2, '2026-W46', '2026-11-09', '2026-11-15', '2026-11-16T06:00:01Z', now(), '{locked_by}');
UPDATE board_heads SET epoch = '{epoch}' WHERE tenant_id = 2;
INSERT INTO heartbeats VALUES ('worker', now(), '{{}}');
"""


def world() -> str:
    """Everybody's rows, as one script."""
    names = {
        "tenant_name": word("abr", "any", "tenantname"),
        "tenant_label": word("abr", "any", "tenantlabel"),
        "epoch": uuid("abr", 99),
        "locked_by": word("abr", "any", "lockedby"),
    }
    parts = [AUTHORITIES.format(**names)]
    parts += [of_owner(things_of(owner)) for owner in ("own", "col", "oth", "abr")]
    return "".join([*parts, *(of_authority(owner, tenant) for owner, tenant in (("top", 1), ("abr", 2)))])


def of_owner(t: Things) -> str:
    """The rows of one provider's people."""
    o = t.owner

    def w(column: str, topic: str = "any") -> str:
        return word(o, topic, column)

    def n(nth: int, topic: str = "any") -> int:
        return number(o, topic, nth)

    e = [uuid(o, nth) for nth in range(5)]
    seconds, minutes_paid = n(6) * 60, n(7)
    stays = [
        {"care_worker": t.care_worker, "check_in_at": "2026-11-18T09:01:00Z", "check_out_at": "2026-11-18T09:31:00Z",
         "check_in_event": e[2], "check_out_event": e[3], "amended": False}
    ]  # fmt: skip
    here = [{**stays[0], "check_in_at": "2026-11-21T09:02:00Z", "check_out_at": None, "check_in_event": e[1]}]
    found = [{"code": "location_inside", "measure": 12.0, "limit": 100.0, "unit": "m", "event_id": e[1],
              "care_worker": t.care_worker, "detail": w("finding")}]  # fmt: skip
    step = {"rule": "basis", "clause": w("clause", "pay"), "inputs": {"rate": n(8, "pay")}, "seconds_after": seconds,
            "pence_after": n(1, "pay"), "words": w("stepwords", "pay"), "care_worker": None}  # fmt: skip
    remark = {"words": w("remark"), "wrong": False, "exception": None, "acknowledged": False}
    asked_by = word("top" if t.tenant == 1 else o, "any", "requestedby")
    said = {"id": e[1], "note": w("note", "adr"), "kind": "check_in"}
    provider = "" if t.provider == "P1" else (
        f"INSERT INTO providers (tenant_id, ref, name, phone, email) VALUES ({t.tenant}, '{t.provider}',"
        f" '{w('providername')}', '{phone(o)}', '{w('mail')}@example.org');"
    )  # fmt: skip
    sealed = {
        "key_safe": SEALER.seal(w("keysafe", "saf").encode(), key_safe_of(t.tenant, t.service_user)),
        "tag": SEALER.seal(bytes(2 * KEY_BYTES), belongs_to(t.tenant, w("securetag"))),
    }
    return f"""{provider}
INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, rules, added_at) VALUES
  ({t.tenant}, '{w("contract", "pay")}', '{t.provider}', '{w("contractservice")}', '2026-01-01', '{{}}', now());
INSERT INTO service_users (tenant_id, ref, name, address, postcode, area, needs, sealed_key_safe) VALUES
  ({t.tenant}, '{t.service_user}', 'Ms Adams {w("personname")}', '{w("address", "adr")}', '{w("postcode", "adr")}',
   '{w("area")}', '{w("needs")}', '\\x{sealed["key_safe"].hex()}');
INSERT INTO places (tenant_id, service_user_ref, label, lat, lon, fence_m, polygon) VALUES
  ({t.tenant}, '{t.service_user}', 'home', {t.lat}, {t.lon}, 100, NULL),
  ({t.tenant}, '{t.service_user}', '{w("place")}', {t.lat}, {t.lon}, 100, '[[{t.lat}, {t.lon}]]');
INSERT INTO service_user_phones (tenant_id, phone, service_user_ref)
  VALUES ({t.tenant}, '{phone(o)}', '{t.service_user}');
INSERT INTO care_workers (tenant_id, ref, name, provider_ref, phone, pin_hash) VALUES
  ({t.tenant}, '{t.care_worker}', 'Alice {w("workername")}', '{t.provider}', '{phone(o, of_worker=True)}',
   '{hash_pin(PIN)}');
INSERT INTO care_workers (tenant_id, ref, name, provider_ref, left_at, left_by) VALUES
  ({t.tenant}, '{w("leaver")}', '{w("leavername")}', '{t.provider}', now(), '{w("leftby")}');
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, service, local_date, zone, planned_start,
  planned_end, window_start, commissioned_minutes, care_worker_refs, state, state_reason, version, actual_start,
  actual_end, attendances, findings, position)
OVERRIDING SYSTEM VALUE VALUES
  ({t.tenant}, {t.visit_id}, '{t.visit_ref}', '{t.service_user}', '{t.provider}', '{w("service")}', '2026-11-21',
   'Europe/London', '2026-11-21T09:00Z', '2026-11-21T09:30Z', '2026-11-21T09:00Z', 30, '{{{t.care_worker}}}',
   'in_progress', '{w("statereason")}', 1, '2026-11-21T09:02Z', NULL, '{json.dumps(here)}', '{json.dumps(found)}', 1),
  ({t.tenant}, {t.done_visit_id}, '{w("donevisit")}', '{t.service_user}', '{t.provider}', '{w("service")}',
   '2026-11-18', 'Europe/London', '2026-11-18T09:00Z', '2026-11-18T09:30Z', '2026-11-18T09:00Z', 30,
   '{{{t.care_worker}}}', 'completed', '{w("donereason")}', 1, '2026-11-18T09:01Z', '2026-11-18T09:31Z',
   '{json.dumps(stays)}', '[]', 1);
INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user, visit,
  lat, lon, accuracy_m, cli, reason_code, device_id, body_sha256, body) VALUES
  ({t.tenant}, '{e[1]}', '2026-11-21T09:02:04Z', 'check_in', '2026-11-21T09:02Z', 'app', '{t.care_worker}',
   '{t.service_user}', '{t.visit_ref}', {t.lat}, {t.lon}, 12, '{phone(o)}', '{w("eventreason")}', '{w("phone")}',
   '\\x01', '{json.dumps(said)}'),
  ({t.tenant}, '{e[2]}', '2026-11-18T09:01:04Z', 'check_in', '2026-11-18T09:01Z', 'app', '{t.care_worker}',
   '{t.service_user}', NULL, {t.lat}, {t.lon}, 12, NULL, NULL, NULL, '\\x02', '{json.dumps(said)}'),
  ({t.tenant}, '{e[3]}', '2026-11-18T09:31:04Z', 'check_out', '2026-11-18T09:31Z', 'app', '{t.care_worker}',
   '{t.service_user}', NULL, NULL, NULL, NULL, '{phone(o)}', NULL, NULL, '\\x03', '{{}}'),
  ({t.tenant}, '{e[4]}', '2026-11-21T09:04:04Z', 'check_in', '2026-11-21T09:04Z', 'app', '{t.care_worker}', NULL, NULL,
   {t.lat}, {t.lon}, 12, '{phone(o)}', '{w("loosereason")}', NULL, '\\x04', '{json.dumps(said)}');
INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref, visit_id, status,
  reason, explicit, decided_at) VALUES
  ({t.tenant}, '{e[1]}', '2026-11-21T09:02Z', '{t.service_user}', '{t.care_worker}', {t.visit_id}, 'matched',
   '{w("outcome")}', true, now()),
  ({t.tenant}, '{e[2]}', '2026-11-18T09:01Z', '{t.service_user}', '{t.care_worker}', {t.done_visit_id}, 'matched',
   '{w("outcome")}', false, now()),
  ({t.tenant}, '{e[3]}', '2026-11-18T09:31Z', '{t.service_user}', '{t.care_worker}', {t.done_visit_id}, 'matched',
   '{w("outcome")}', false, now()),
  ({t.tenant}, '{e[4]}', '2026-11-21T09:04Z', NULL, '{t.care_worker}', NULL, 'unmatched', '{w("unmatched")}', false,
   now());
INSERT INTO amendments (tenant_id, amendment_id, visit_id, kind, care_worker, check_out_at, reason_code, action_taken,
  note, made_by, made_at, idempotency_key) OVERRIDING SYSTEM VALUE VALUES
  ({t.tenant}, {n(4)}, {t.visit_id}, 'times', '{t.care_worker}', '2026-11-21T09:31Z', '{w("amendmentreason")}',
   '{w("action")}', '{w("amendmentnote", "adr")}', '{w("maker")}', now(), '{w("requestkey")}');
INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, to_state, findings_added,
  findings_removed, reason) VALUES
  ({t.tenant}, {t.visit_id}, 'change', 1, '2026-11-21T09:02Z', now(), 'in_progress', '{{{w("findingadded")}}}',
   '{{{w("findingremoved")}}}', '{w("transition")}');
INSERT INTO alerts (tenant_id, alert_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason, ladder,
  state, owner, owned_by, stood_down_at, stood_down_reason, position) OVERRIDING SYSTEM VALUE VALUES
  ({t.tenant}, {t.alert_id}, {t.visit_id}, '{t.provider}', 'late', '2026-11-21T09:15Z', 'warning', '2026-11-21T09:15Z',
   '{w("alert")}', '["{w("ladder")}"]', 'open', NULL, NULL, NULL, NULL, 1),
  ({t.tenant}, {n(8)}, {t.done_visit_id}, '{t.provider}', 'late', '2026-11-18T09:15Z', 'warning',
   '2026-11-18T09:15Z', '{w("alert")}', '[]', 'stood_down', '{w("alertowner")}', '{w("ownedby")}',
   '2026-11-18T09:20Z', '{w("stooddown")}', 1);
INSERT INTO alert_actions (tenant_id, alert_id, kind, made_by, made_at, note) VALUES
  ({t.tenant}, {t.alert_id}, 'note', '{w("actor")}', now(), '{w("actionnote", "adr")}');
INSERT INTO alert_contacts (tenant_id, provider_ref, min_severity, channel, address) VALUES
  ({t.tenant}, '{t.provider}', 'warning', 'email', '{w("contact")}@example.org');
INSERT INTO deliveries (tenant_id, alert_id, about, channel, address, due_at, state, last_error) VALUES
  ({t.tenant}, {t.alert_id}, 'raised', 'email', '{w("delivery")}@example.org', now(), 'sent', '{w("senderror")}');
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, requested_by, run_at) VALUES
  ({t.tenant}, '{PERIOD}', '2026-11-16', '2026-11-22', '2026-11-21T06:00Z', '{asked_by}',
   '2026-11-21T06:00:01Z')
  ON CONFLICT DO NOTHING;
INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref, funder,
  local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence, planned_pence, steps, exception,
  computed_at)
VALUES
  ({t.tenant}, '{PERIOD}', {t.done_visit_id}, 1, '{t.provider}', '{t.service_user}', 'council', '2026-11-18',
   'completed', {seconds}, {seconds}, {minutes_paid * 60}, {n(1, "pay")}, {n(2, "pay")}, '[{json.dumps(step)}]', NULL,
   '2026-11-21T06:00:01Z'),
  ({t.tenant}, '{PERIOD}', {t.visit_id}, 1, '{t.provider}', '{t.service_user}', 'council', '2026-11-21',
   'in_progress', {seconds}, {seconds}, {minutes_paid * 60}, {n(3, "pay")}, {n(4, "pay")}, '[{json.dumps(step)}]',
   '{w("exception", "pay")}', '2026-11-21T06:00:01Z');
INSERT INTO accounts (tenant_id, account_id, email, name, role, provider_ref, care_worker_ref, password_hash)
  OVERRIDING SYSTEM VALUE
  VALUES ({t.tenant}, {t.account_id}, '{w("email", "acc")}@example.org', '{w("accountname", "acc")}', 'coordinator',
  '{t.provider}', '{t.care_worker}', '{w("hash", "saf")}');
INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at, session_id, origin, agent)
  VALUES ({t.tenant}, '{w("session")}', {t.account_id}, now(), now(), now() + interval '1 h', '{t.session_id}',
  '{w("sessionorigin", "acc")}', '{w("agent", "acc")}');
INSERT INTO passkeys (tenant_id, passkey_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name,
  made_at) OVERRIDING SYSTEM VALUE VALUES
  ({t.tenant}, {t.passkey_id}, {t.account_id}, '{w("credential")}', '\\x01', 0, true, gen_random_uuid(),
   '{w("passkey", "acc")}', now());
INSERT INTO socket_tickets (tenant_id, token_sha256, account_id, session_sha256, expires_at)
  VALUES ({t.tenant}, '{w("ticket")}', {t.account_id}, '{w("session")}', now() + interval '1 h');
INSERT INTO api_keys (tenant_id, key_id, name, scopes, key_sha256, created_at) OVERRIDING SYSTEM VALUE
  VALUES ({t.tenant}, {t.key_id}, '{w("keyname", "key")}', '{{read}}', '{w("key")}', now());
INSERT INTO devices (tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, enrolled_at, enrolled_by,
  cut_off_at, cut_off_by, cut_off_reason) VALUES
  ({t.tenant}, '{t.device_id}', '{t.provider}', '{t.care_worker}', '{w("phonelabel")}', '{{}}', now(),
   '{w("enroller")}', NULL, NULL, NULL),
  ({t.tenant}, '{uuid(o, 21)}', '{t.provider}', NULL, '{w("lostlabel")}', '{{}}', now(), '{w("enroller")}', now(),
   '{w("cutter")}', '{w("cutreason")}');
INSERT INTO enrolments (tenant_id, code_sha256, provider_ref, care_worker_ref, label, made_by, made_at, expires_at)
  VALUES ({t.tenant}, sha256('{code_of(o)}'), '{t.provider}', '{t.care_worker}', '{w("codelabel")}',
  '{w("codemaker")}', now(), now() + interval '1 h');
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, device_id, care_worker_ref, provider_ref,
  service_user_ref, visit_id, reason_code, words, tasks, lat, lon, body_sha256, body)
  VALUES ({t.tenant}, '{uuid(o, 40)}', 'concern', '2026-11-21T09:06Z', '2026-11-21T09:06Z', '{t.device_id}',
  '{t.care_worker}', '{t.provider}', '{t.service_user}', {t.visit_id}, '{w("reportreason")}', '{w("words", "adr")}',
  '[{{"name": "{w("task")}", "done": true}}]', {t.lat}, {t.lon}, '\\x05', '{w("reportbody", "adr")}');
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, label, uid, sealed_keys, made_by, made_at) VALUES
  ({t.tenant}, '{t.tag_id}', 'qr', '{t.service_user}', '{w("taglabel")}', NULL, NULL, '{w("tagmaker")}', now()),
  ({t.tenant}, '{w("securetag")}', 'ntag424', '{t.service_user}', '{w("taglabel")}', '\\x04010203040506',
   '\\x{sealed["tag"].hex()}', '{w("tagmaker")}', now());
INSERT INTO tag_taps (tenant_id, tag_id, counter, event_id, used_at)
  VALUES ({t.tenant}, '{w("securetag")}', 1, '{e[1]}', now());
INSERT INTO code_cards (tenant_id, card_id, service_user_ref, label, sealed_secret, made_by, made_at)
  OVERRIDING SYSTEM VALUE
  VALUES ({t.tenant}, {t.card_id}, '{t.service_user}', '{w("cardlabel")}', '', '{w("cardmaker")}', now());
INSERT INTO used_codes (tenant_id, card_id, step, event_id, used_at)
  VALUES ({t.tenant}, {t.card_id}, 1, '{e[1]}', now());
INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id, received_at, status,
  reasons, known_as, our_ref, body, key_id) VALUES
  ({t.tenant}, '{t.transaction_id}', 0, 'sandata', 'visit', '{w("record")}', 1, now(), 'accepted', '[]', '{{}}',
   '{t.visit_ref}', '{{"Memo": "{w("memo")}"}}', {t.key_id}),
  ({t.tenant}, '{t.transaction_id}', 1, 'sandata', 'client', '{w("client")}', 1, now(), 'accepted',
   '[{json.dumps(remark)}]', '{{{w("clientid")}}}', '{t.service_user}', '{{}}', {t.key_id}),
  ({t.tenant}, '{t.transaction_id}', 2, 'sandata', 'employee', '{w("employee")}', 1, now(), 'accepted', '[]',
   '{{{w("employeeid")}}}', '{t.care_worker}', '{{}}', {t.key_id});
INSERT INTO reduced_positions (tenant_id, event_id, service_user_ref, distance_m, fence_m, findings, reduced_at) VALUES
  ({t.tenant}, '{e[3]}', '{t.service_user}', 12, 100, '{json.dumps(found)}', now());
INSERT INTO pin_tries (tenant_id, tried_at, came_from, care_worker_ref)
  VALUES ({t.tenant}, now() - interval '1 d', '{w("camefrom")}', '{t.care_worker}');
INSERT INTO phone_lines (tenant_id, number, use, care_worker_ref)
  VALUES ({t.tenant}, '{LINES[o]}', 'unanswered', '{t.care_worker}');
INSERT INTO phone_calls (tenant_id, gateway, call_id, began_at, cli, dialled, interview, answers,
  ended_at)
  VALUES ({t.tenant}, 'webhook', '{w("phonecall")}', now(), '{phone(o)}', '{LINES[o]}',
  '{{"said": "{w("interview")}"}}', '{{"0": "{w("answer")}"}}', now());
"""


LINES = {"own": "+441134960781", "oth": "+441134960782", "abr": "+441134960783", "col": "+441134960784"}


def code_of(owner: str) -> str:
    """A phone's one-time code, as the provider gave it."""
    return f"CODE{owner.upper()}77"


def of_authority(owner: str, tenant: int) -> str:
    """The rows of an authority that are of no provider."""

    def w(column: str, topic: str) -> str:
        return word(owner, topic, column)

    provider = "P1" if tenant == 1 else word("abr", "any", "provider")
    account = number("own" if tenant == 1 else "abr", "acc", 1)
    return f"""
INSERT INTO oidc_providers (tenant_id, issuer, client_id, scopes, groups_claim, makes_accounts, last_error) VALUES
  ({tenant}, 'https://{w("issuer", "sig")}.example.org', '{w("client", "sig")}', '{w("scopes", "sig")}',
   '{w("claim", "sig")}', false, '{w("councilerror", "sig")}');
INSERT INTO oidc_roles (tenant_id, group_name, priority, role, provider_ref) VALUES
  ({tenant}, '{w("group", "sig")}', 1, 'coordinator', '{provider}');
INSERT INTO oidc_subjects (tenant_id, issuer, subject, account_id, joined_at) VALUES
  ({tenant}, '{w("issuer", "sig")}', '{w("subject", "sig")}', {account}, now());
INSERT INTO quarantine (tenant_id, quarantine_id, received_at, door, reason, body) OVERRIDING SYSTEM VALUE VALUES
  ({tenant}, {number(owner, "qua", 1)}, now(), 'check-events', '{w("quarantinereason", "qua")}',
   convert_to('{w("quarantinebody", "qua")}', 'UTF8'));
INSERT INTO audit (tenant_id, audit_id, at, actor, action, subject, reason, origin, agent)
  OVERRIDING SYSTEM VALUE VALUES
  ({tenant}, {number(owner, "aud", 1)}, now(), '{w("auditactor", "aud")}', '{w("auditaction", "aud")}',
   '{w("auditsubject", "aud")}', '{w("auditreason", "aud")}', '{w("auditorigin", "aud")}', '{w("auditagent", "aud")}');
INSERT INTO notices (tenant_id, notice_id, kind, subject, first_at, last_at, tell_from, seen_at, seen_by)
  OVERRIDING SYSTEM VALUE VALUES
  ({tenant}, {number(owner, "aud", 2)}, '{w("noticekind", "aud")}', '{w("noticesubject", "aud")}', now(), now(), 1,
   NULL, NULL),
  ({tenant}, {number(owner, "aud", 3)}, '{w("noticekind", "aud")}', '{w("noticesubject", "aud")}', now(), now(), 1,
   now(), '{w("noticeseenby", "aud")}');
INSERT INTO processing_queue (tenant_id, event_id, last_error) VALUES
  ({tenant}, gen_random_uuid(), '{w("queueerror", "any")}');
INSERT INTO alert_queue (tenant_id, visit_id, last_error) VALUES
  ({tenant}, {number("own" if tenant == 1 else "abr", nth=1)}, '{w("alertqueueerror", "any")}');
"""
