"""A row of every table, for stories in which each has one."""

# One row of everything, for the tenant in {t}.
ONE_OF_EACH = """
INSERT INTO tenants (tenant_id, name) VALUES ({t}, 'Town {t}') ON CONFLICT DO NOTHING;
INSERT INTO board_heads (tenant_id) VALUES ({t}) ON CONFLICT DO NOTHING;
INSERT INTO providers (tenant_id, ref, name) VALUES ({t}, 'p', 'Northfield Care');
INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, rules, added_at)
  VALUES ({t}, 'c', 'p', '*', '2026-01-01', '{{}}', '2026-01-01Z');
INSERT INTO service_users (tenant_id, ref, name) VALUES ({t}, 's', 'Alice');
INSERT INTO places (tenant_id, service_user_ref) VALUES ({t}, 's');
INSERT INTO service_user_phones (tenant_id, phone, service_user_ref) VALUES ({t}, '+441632960001', 's');
INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES ({t}, 'w', 'Carol', 'p');
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, window_start)
  OVERRIDING SYSTEM VALUE VALUES ({t}, {t}, 'v', 's', 'p', '2026-11-23', 'Europe/London', '2026-11-23 09:00Z');
INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, body_sha256, body)
  VALUES ({t}, '00000000-0000-4000-8000-00000000000{t}', '2026-11-23 09:00Z', 'check_in', '2026-11-23 09:00Z',
          'app', '', '{{}}');
INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, visit_id, status, reason, explicit, decided_at)
  SELECT {t}, event_id, occurred_at, {t}, 'matched', 'named', true, received_at FROM check_events WHERE tenant_id = {t};
INSERT INTO reduced_positions (tenant_id, event_id, reduced_at)
  VALUES ({t}, '00000000-0000-4000-8000-00000000000{t}', now());
INSERT INTO quarantine (tenant_id, received_at, door, reason, body)
  VALUES ({t}, '2026-11-23 09:00Z', 'check-events', 'not JSON', 'x');
INSERT INTO processing_queue (tenant_id, visit_id) VALUES ({t}, {t});
INSERT INTO amendments (tenant_id, visit_id, kind, reason_code, made_by, made_at)
  VALUES ({t}, {t}, 'note', 'other', 'Dana', '2026-11-23 10:00Z');
INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, to_state)
  VALUES ({t}, {t}, 'change', 1, '2026-11-23 09:00Z', '2026-11-23 09:00Z', 'in_progress');
INSERT INTO alert_queue (tenant_id, visit_id) VALUES ({t}, {t});
INSERT INTO alerts (tenant_id, alert_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason)
  OVERRIDING SYSTEM VALUE
  VALUES ({t}, {t}, {t}, 'p', 'late', '2026-11-23 09:15Z', 'warning', '2026-11-23 09:15Z', 'no check-in received');
INSERT INTO alert_actions (tenant_id, alert_id, kind, made_by, made_at)
  VALUES ({t}, {t}, 'note', 'Dana', '2026-11-23 09:20Z');
INSERT INTO alert_contacts (tenant_id, min_severity, channel, address)
  VALUES ({t}, 'warning', 'email', 'duty@example.org');
INSERT INTO deliveries (tenant_id, alert_id, about, channel, address, due_at)
  VALUES ({t}, {t}, 'raised', 'email', 'duty@example.org', '2026-11-23 09:15Z');
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on)
  VALUES ({t}, '2026-W48', '2026-11-23', '2026-11-29');
INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref, funder,
                          local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence,
                          planned_pence, steps,
                          computed_at)
  VALUES ({t}, '2026-W48', {t}, 1, 'p', 's', 'council', '2026-11-23', 'completed', 1800, 1800, 1800, 715, 715, '[]',
          '2026-11-24 04:10Z');
INSERT INTO accounts (tenant_id, account_id, email, name, role, password_hash) OVERRIDING SYSTEM VALUE
  VALUES ({t}, {t}, 'dana@example.org', 'Dana', 'duty_officer', 'x');
INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at)
  VALUES ({t}, '{t}', {t}, now(), now(), now() + interval '1 h');
INSERT INTO socket_tickets (tenant_id, token_sha256, account_id, session_sha256, expires_at)
  VALUES ({t}, '{t}', {t}, '{t}', now());
INSERT INTO passkeys (tenant_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name, made_at)
  VALUES ({t}, {t}, '{t}', '', 0, false, gen_random_uuid(), 'laptop', now());
INSERT INTO oidc_providers (tenant_id, issuer, client_id, scopes, groups_claim, makes_accounts)
  VALUES ({t}, 'https://sign-in.example', 'ecm', 'openid', 'groups', false);
INSERT INTO oidc_roles (tenant_id, group_name, priority, role) VALUES ({t}, 'g', 1, 'duty_officer');
INSERT INTO oidc_subjects (tenant_id, issuer, subject, account_id, joined_at)
  VALUES ({t}, 'https://sign-in.example', 'd', {t}, now());
INSERT INTO second_steps (tenant_id, account_id, sealed_secret, confirmed_at, last_step)
  VALUES ({t}, {t}, '', now(), 1);
INSERT INTO recovery_codes (tenant_id, account_id, code_sha256, made_at) VALUES ({t}, {t}, '{t}', now());
INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at) VALUES ({t}, 'k', '{{read}}', '{t}', now());
INSERT INTO devices (tenant_id, device_id, provider_ref, label, public_key, enrolled_at, enrolled_by)
  VALUES ({t}, '00000000-0000-4000-8000-0000000000d{t}', 'p', 'shared', '{{}}', now(), 'Cora');
INSERT INTO enrolments (tenant_id, code_sha256, provider_ref, made_by, made_at, expires_at)
  VALUES ({t}, '{t}', 'p', 'Cora', now(), now() + interval '1 h');
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, body_sha256, body)
  VALUES ({t}, '00000000-0000-4000-8000-0000000000e{t}', 'note', now(), now(), '', '');
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, made_by, made_at)
  VALUES ({t}, 'tag{t}', 'qr', 's', 'Cora', now());
INSERT INTO tag_taps (tenant_id, tag_id, counter, event_id, used_at)
  VALUES ({t}, 'tag{t}', 1, gen_random_uuid(), now());
INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at)
  VALUES ({t}, 's', '', 'Cora', now());
INSERT INTO used_codes (tenant_id, card_id, step, event_id, used_at) VALUES ({t}, 1, 1, gen_random_uuid(), now());
INSERT INTO phone_lines (tenant_id, number, use) VALUES ({t}, '+44' || (1134960120 + {t}), 'interview');
INSERT INTO phone_calls (tenant_id, gateway, call_id, began_at, dialled, interview)
  VALUES ({t}, 'webhook', 'CA{t}', now(), '+44' || (1134960120 + {t}), '{{}}');
INSERT INTO pin_tries (tenant_id, tried_at, came_from) VALUES ({t}, now(), '+441632960001');
INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id,
                          received_at, status, body)
  VALUES ({t}, gen_random_uuid(), 0, 'sandata', 'visit', 'v', 1, now(), 'accepted', '{{}}');
INSERT INTO notices (tenant_id, kind, subject, first_at, last_at, tell_from)
  VALUES ({t}, 'guessing', 'account {t}', now(), now(), 20);
INSERT INTO audit (tenant_id, at, actor, action, subject) VALUES ({t}, now(), 'Dana', 'noted', 'visit {t}');
INSERT INTO setup_codes (code_sha256, made_at, expires_at) VALUES ('{t}', now(), now());
INSERT INTO audit_exports (tenant_id, day, went_to, seq, hash, exported_at)
  VALUES ({t}, '2026-11-23', 'file', 1, '', now());
"""
