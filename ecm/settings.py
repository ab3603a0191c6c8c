"""Where this installation runs and whom it can reach. Nothing here may change what a visit is or pays.

Every setting is an environment variable with the prefix ECM_. A secret may stand in a file instead, named by
the same variable with _FILE after it (ECM_DATABASE_URL_FILE=/run/secrets/database_url), so that it shows in
no process list.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "ECM_"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    database_url: str | None = Field(
        None, description="PostgreSQL as its owner. Neither login set: embedded."
    )
    app_database_url: str | None = Field(
        None,
        description="PostgreSQL as the services. Unset: the owner's. Alone: pending migrations are refused.",
    )
    data_dir: Path = Field(Path(".ecm"), description="Where the embedded database and its files live.")

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    public_url: str | None = Field(None, description="How people reach the service, for links in messages.")

    session_hours: float = Field(12, gt=0, le=168, description="How long a sign-in lasts at most.")
    session_idle_minutes: float = Field(
        60,
        ge=2,
        le=10080,
        description="A sign-in ends when nobody was there for so long. An open board is there.",
    )
    metrics_from: list[IPv4Network | IPv6Network] = Field(
        [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")],
        description="Networks that may read /metrics (JSON list).",
    )
    worker_silent_after_seconds: float = Field(90, gt=0, description="A worker quieter than this is down.")
    backlog_late_after_seconds: float = Field(60, gt=0, description="Evidence waiting longer is late.")

    sealing_key: str | None = Field(
        None,
        description="32 bytes in base64 that seal every secret that is kept. Unset: made in the data folder.",
    )
    sealing_keys_old: str | None = Field(
        None,
        description="Sealing keys before this one, a space between: they still open, until `ecm reseal` has run.",
    )

    audit_heads_file: Path | None = Field(
        None, description="A file to which the audit's heads are added daily. Unset: to none."
    )
    audit_heads_url: str | None = Field(
        None, description="An https address to which the audit's heads are posted daily. Unset: to none."
    )
    audit_key: str | None = Field(
        None, description="Signs the audit's heads (HMAC-SHA256). Unset: they are not signed."
    )

    telephone_auth_token: str | None = Field(
        None,
        description="The telephone gateway's token, which signs what it sends. Unset: its addresses are not there.",
    )
    telephone_account: str | None = Field(
        None, description="The gateway's account, for ringing homes back. Unset: none is."
    )
    telephone_api_url: str = Field("https://api.twilio.com", description="Where the gateway takes orders.")

    postcodes_file: Path | None = Field(
        None, description="Postcodes with lat and long (CSV, open data). Unset: none is placed."
    )

    sip_host: str = Field(
        "127.0.0.1", description="The address on which a SIP trunk may ring, for `ecm sip`."
    )
    sip_port: int = Field(5060, ge=0, le=65535, description="The UDP port on which a SIP trunk may ring.")
    sip_address: str | None = Field(
        None, description="Our address as the SIP trunk sees it. Unset: ECM_SIP_HOST."
    )
    sip_peers: list[IPv4Network | IPv6Network] = Field(
        [], description="Networks whose SIP calls are answered (JSON list). Nobody else's are."
    )
    sip_rtp_ports: str = Field(
        "20000-21999", pattern=r"^[0-9]{4,5}-[0-9]{4,5}$", description="UDP ports for the sound of SIP calls."
    )
    sip_at_once: int = Field(
        400, ge=1, le=5000, description="SIP calls at once; the next are asked to come again."
    )

    smtp_host: str | None = Field(None, description="The mail server. Unset: no alarm goes by e-mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="The mail server's port.")
    smtp_user: str | None = Field(None, description="The mail server's user.")
    smtp_password: str | None = Field(None, description="The mail server's password.")
    smtp_from: str = Field("ecm@localhost", description="The sender of alarms by e-mail.")
    smtp_starttls: bool = Field(True, description="Whether the mail server must speak TLS.")

    webhook_secret: str | None = Field(
        None, description="Signs alarms by webhook (HMAC-SHA256). Unset: none are sent."
    )
    webhook_private: bool = Field(
        False, description="Whether webhooks may go to private addresses, and unencrypted to this machine."
    )

    oidc_private: bool = Field(
        False,
        description="Whether a council's own sign-in may be at a private address, and unencrypted on this machine.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FilesNamedInEnvironment(settings_cls)


class FilesNamedInEnvironment(PydanticBaseSettingsSource):
    """ECM_X_FILE names a file whose content, without its last line break, is the value of x."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        variable = f"{PREFIX}{field_name.upper()}"
        file_name = os.environ.get(f"{variable}_FILE")
        if not file_name:
            return None, field_name, False
        if os.environ.get(variable):
            raise ValueError(f"{variable} and {variable}_FILE are both set; keep one")
        try:
            value = Path(file_name).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{variable}_FILE names {file_name}, which cannot be read") from error
        return value or None, field_name, False  # an empty file is a secret there is none of

    def __call__(self) -> dict[str, Any]:
        values = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}
