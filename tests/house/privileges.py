"""Who may write what, as tables a person can read. The tests hold the database to them."""

ROLES = ("ecm_web", "ecm_ingest", "ecm_worker")

# S select, I insert, U update, D delete, T truncate; a small u is some columns only, and COLUMNS says which.
PRIVILEGES = """
                      web    ingest worker
accounts              SIu--  -----  S----
actual_lines          S----  -----  SIUD-
alert_actions         SI---  -----  S----
alert_contacts        SIUD-  -----  S----
alert_queue           SI---  -----  SIUD-
alerts                S-u--  -----  SIU--
amendments            SI---  -----  S----
api_keys              SIu--  S----  S----
audit                 SI---  -----  SI---
audit_chain           S----  -----  S----
audit_exports         S----  -----  SI---
audit_heads           S----  -----  S----
board_heads           S-u--  -----  S-u--
care_workers          SIU--  -----  S----
check_events          S----  SI---  S----
code_cards            SIu--  S----  S----
contracts             SI---  -----  S----
contracts_in_force    S----  -----  S----
deliveries            S----  -----  SIU--
devices               SIu--  -----  S----
enrolments            SIu--  -----  S--D-
event_outcomes        S----  -----  SIU--
feed_records          SI---  -----  S----
heartbeats            S----  -----  SIUD-
lines_as_they_stand   S----  -----  S----
notices               S-u--  -----  S-uD-
oidc_providers        SIUD-  -----  S----
oidc_roles            SI-D-  -----  S----
oidc_subjects         SI-D-  -----  S----
openings              SI-D-  -----  S--D-
passkeys              SIu--  -----  S----
payment_periods       SIu--  -----  SIu--
phone_calls           SIu--  -----  S--D-
phone_lines           SIuD-  -----  S----
pin_tries             SI---  -----  S--D-
places                SIUD-  -----  S----
processing_queue      SI---  -I---  SIUD-
providers             SIU--  -----  S----
quarantine            S----  -I---  S----
recovery_codes        SIuD-  -----  S----
reduced_positions     S----  -----  SI---
reports               SI---  -----  S----
scaled_clock          S----  S----  S----
schema_migrations     -----  -----  S----
sealing_key           SI---  -----  S----
second_steps          SIuD-  -----  S----
service_user_phones   SIUD-  S----  S----
service_users         sIU--  -----  s----
sessions              SIUD-  -----  S--D-
setup_codes           SIu--  -----  S--D-
socket_tickets        SIUD-  -----  S--D-
tag_taps              S----  SI---  S----
tags                  SIu--  S----  S----
tenants               S-u--  S----  S----
transitions           S----  -----  SI---
used_codes            S----  SI---  S----
visited               S----  -----  S----
visits                SIu--  -----  SIu--
"""

# The plan of a visit is the web's to write, its assessment the worker's; they share one column, because the
# person's next planned start changes with an import and with an attendance nobody planned.
COLUMNS = {
    ("accounts", "ecm_web"): "care_worker_ref disabled_at left_at made_by_oidc name password_hash"
    " password_temporary password_until provider_ref role",
    ("api_keys", "ecm_web"): "revoked_at",
    ("alerts", "ecm_web"): "acknowledged_at owned_by owner position state",
    ("board_heads", "ecm_web"): "position",
    ("board_heads", "ecm_worker"): "position",
    ("code_cards", "ecm_web"): "retired_at",
    ("devices", "ecm_web"): "cut_off_at cut_off_by cut_off_reason",
    ("enrolments", "ecm_web"): "device_id expires_at used_at",
    ("notices", "ecm_web"): "seen_at seen_by",
    ("notices", "ecm_worker"): "told_at",
    ("phone_calls", "ecm_web"): "answers ended_at interview step",
    ("phone_lines", "ecm_web"): "call_back language",
    ("tags", "ecm_web"): "retired_at uid",
    ("passkeys", "ecm_web"): "backed_up name revoked_at sign_count used_at",
    ("payment_periods", "ecm_web"): "locked_at locked_by requested_at requested_by",
    ("payment_periods", "ecm_worker"): "run_at running_since",
    ("recovery_codes", "ecm_web"): "used_at",
    ("second_steps", "ecm_web"): "last_step tried_at tries",
    ("setup_codes", "ecm_web"): "used_at",
    ("tenants", "ecm_web"): "name second_way_required",
    ("visits", "ecm_web"): "agreed_short cancelled cancelled_at care_worker_refs carers_required"
    " commissioned_minutes local_date next_planned_start planned_end planned_start provider_ref service"
    " service_user_ref time_critical window_start zone",
    ("visits", "ecm_worker"): "actual_end actual_start assessed_at attendances crossings deadline_at"
    " deadline_kind findings next_planned_start position state state_reason version",
}

APPEND_ONLY = (
    "check_events",
    "quarantine",
    "transitions",
    "amendments",
    "alert_actions",
    "contracts",
    "audit",
    "audit_chain",
    "audit_exports",
    "reports",
    "reduced_positions",
    "tag_taps",
    "used_codes",
    "feed_records",
)

OF_NO_TENANT = {
    "schema_migrations": "the schema is everybody's",
    "scaled_clock": "one clock for the whole service",
    "sealing_key": "one key seals for the whole service; a digest, and no secret",
    "heartbeats": "a process serves every tenant; it holds no tenant's data",
    "setup_codes": "it opens a service that has nobody yet; known by its digest",
    "openings": "begun before anybody is known; asked for by its digest, and what it holds is sealed",
}

KEY_WITHOUT_TENANT = {
    "processing_queue_pkey": "claimed in order of arrival over all tenants; gone within moments",
    "alert_queue_pkey": "as processing_queue",
    "api_keys_key_sha256_key": "a key is presented before its tenant is known",
    "passkeys_credential_id_key": "a passkey is presented before its tenant is known",
    "devices_device_id_key": "a phone is presented before its tenant is known",
    "enrolments_code_sha256_key": "as a phone",
    "tags_tag_id_key": "a tag is read before anybody signs in",
    "phone_lines_number_use_key": "a number is rung before its tenant is known",
    "phone_calls_gateway_call_id_key": "a gateway speaks of a phone call before its tenant is known",
    **{f"{table}_pkey": why for table, why in OF_NO_TENANT.items()},
}
