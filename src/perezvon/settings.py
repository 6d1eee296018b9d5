"""Settings: where we keep things, where we listen, which switch we drive. Not the plan.

Promise: whatever `load` returns can be used as it is; what cannot be is a `SettingsError` that
names the file or the variable, the key and the reason. Everything listens on 127.0.0.1 unless
told otherwise. Taken in this order: options of the command line, variables `PEREZVON_…`, the
settings file, the defaults.

The file is TOML: the one named by `PEREZVON_SETTINGS` (empty: none), else `perezvon.toml` in the
current folder, else `perezvon/perezvon.toml` in the user's folder of configurations.
"""

import difflib
import hashlib
import ipaddress
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from perezvon.runtime import faultpoint
from perezvon.runtime.local import SOCKET_PATH_BYTES_MAX

PREFIX: Final = "PEREZVON_"
FILE_VARIABLE: Final = "PEREZVON_SETTINGS"
SECRET_PREFIX: Final = "PEREZVON_SECRET_"  # noqa: S105 - of variables, no secret
"""Variables that give secrets by the plan's names: `bootstrap.secrets` reads them."""
FILE_NAME: Final = "perezvon.toml"
FILE_BYTES_MAX: Final = 64 * 1024

_OTHERS: Final = (SECRET_PREFIX, faultpoint.VARIABLE, "PEREZVON_DST_")
"""Variables that are no settings: secrets, faults that are wanted, how long tests may search."""
_MARK: Final = ".perezvon"
"""Says that a folder is ours, so that its mode is ours to mend."""
_LONGEST_SOCKET: Final = "asterisk.ctl"
"""Of the names of sockets in the run folder."""
_ICE_URL: Final = re.compile(
    r"(stuns?|turns?):([\w.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?(\?transport=(udp|tcp))?"
)
_PATH_SIGNS: Final = " /._-+@=:~"
_PATHS: Final = (
    "data_dir",
    "cache_dir",
    "plan_file",
    "asterisk",
    "scenario_file",
    "web_certificate",
    "web_key",
)


class SettingsError(Exception):
    """The operator can mend it. The text has one line for each thing that is wrong."""


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("is not an IP address") from None


def _path(path: Path) -> Path:
    # Paths go into database URLs and into Asterisk's files, where `?`, `;` and `,` mean something.
    if not all(sign.isalnum() or sign in _PATH_SIGNS for sign in str(path)):
        raise ValueError(f"a path may have letters, digits, spaces and {_PATH_SIGNS.strip()} only")
    return _expanded(path).absolute()


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("begins with the home folder of nobody") from None


def _database_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not rest:
        raise ValueError("must begin with postgresql:// (leave it out for SQLite)")
    return f"postgresql+psycopg://{rest}"


def _home(variable: str, otherwise: str) -> Path:
    folder = Path(os.environ.get(variable, ""))
    # The XDG rules: a relative path there is invalid and to be ignored.
    if not folder.is_absolute():
        folder = Path.home() / otherwise
    return folder / "perezvon"


def _data_home() -> Path:
    return _home("XDG_DATA_HOME", ".local/share")


def _cache_home() -> Path:
    return _home("XDG_CACHE_HOME", ".cache")


def _ice_url(text: str) -> str:
    if text and not _ICE_URL.fullmatch(text):
        raise ValueError("must look like stun:host:3478 or turn:host:3478?transport=tcp")
    return text


Address = Annotated[str, AfterValidator(_address)]
IceUrl = Annotated[str, AfterValidator(_ice_url)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Place = Annotated[Path, AfterValidator(_path)]
Seconds = Annotated[int, Field(ge=1, le=3_600)]


class Settings(BaseSettings):
    """One machine's settings. Make it with `load`; then call `prepare` before writing anything."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    data_dir: Place = Field(default_factory=_data_home, description="Journal, store, recordings")
    cache_dir: Place = Field(default_factory=_cache_home, description="What can be fetched anew")
    plan_file: Place | None = Field(
        default=None, description="Applied at the start when nothing is yet"
    )
    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(
        default=None, repr=False, description="PostgreSQL; without it SQLite in the data folder"
    )
    language: Literal["ru", "en"] = Field(default="ru", description="Of the terminal")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    switch: Literal["asterisk", "sim"] = "asterisk"
    asterisk: Place | None = Field(default=None, description="The program; without it we look")
    scenario_file: Place | None = Field(
        default=None, description="What the simulated switch plays; without it, a quiet stream"
    )
    sip_bind: Address = "127.0.0.1"
    sip_port: Port = 5060
    http_bind: Address = Field(default="127.0.0.1", description="Of ARI and SIP over WebSocket")
    http_port: Port = 8088
    hep_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=0, description="Where the worker hears SIP for evidence, on 127.0.0.1; 0: nowhere"
    )
    trace_mb: Annotated[int, Field(ge=0, le=65_536)] = Field(
        default=512, description="Of ARI and SIP kept for evidence, at most 14 days; 0: nothing"
    )
    rtp_timeout_s: Annotated[int, Field(ge=0, le=3_600)] = Field(
        default=45, description="A talk without sound from the telephone ends then; 0: never"
    )
    rtp_from: Annotated[int, Field(ge=1_024, le=65_535)] = 10_000
    rtp_to: Annotated[int, Field(ge=1_024, le=65_535)] = 20_000
    rtp_bind: Address | None = Field(
        default=None, description="Where browsers send sound; without it web_bind, else sip_bind"
    )
    external_media_address: Address | None = Field(
        default=None, description="What carriers and telephones are told behind a NAT"
    )

    stun_server: IceUrl = Field(
        default="", description="stun:host:port, by which browsers learn their address outside"
    )
    turn_server: IceUrl = Field(
        default="", description="turn:host:port, which carries sound where nothing else does"
    )
    turn_secret: str = Field(
        default="", repr=False, description="The static-auth-secret of the TURN server"
    )

    web_bind: Address = "127.0.0.1"
    web_port: Port = 8080
    web_tls: Literal["off", "self_signed"] = Field(
        default="off", description="self_signed: by an authority of our own, made at the first run"
    )
    web_names: str = Field(
        default="", description="Further names of this machine in its certificate, by commas"
    )
    web_certificate: Place | None = Field(default=None, description="PEM, with its chain")
    web_key: Place | None = None
    web_proxy: Address | None = Field(
        default=None, description="Our own reverse proxy, believed when it says for whom it asks"
    )

    snapshot_every_s: Seconds = 60
    heartbeat_age_s_max: Seconds = Field(
        default=4, description="An older heartbeat of the engine sends callers to the fallback"
    )
    dead_man_s: Seconds = Field(
        default=12, description="A waiting caller whom the engine forgot so long goes there too"
    )
    refresh_s: Seconds = Field(default=3, description="How often the engine remembers them")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        from_file = InitSettingsSource(settings_cls, init_kwargs=_read(_file()))
        return init_settings, env_settings, from_file

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.rtp_to - self.rtp_from < 3:  # noqa: PLR2004 - two ports a leg, two legs a talk
            raise ValueError("rtp_from..rtp_to must hold four ports at least")
        if self.rtp_from <= self.sip_port <= self.rtp_to:
            raise ValueError(f"sip_port {self.sip_port} lies within rtp_from..rtp_to")
        listeners = (self.http_port, self.sip_port, self.web_port)
        if len(set(listeners)) < len(listeners):
            raise ValueError("http_port, sip_port and web_port must differ")
        for key, kind in (("stun_server", "stun"), ("turn_server", "turn")):
            if (value := getattr(self, key)) and not value.startswith(kind):
                raise ValueError(f"{key} must begin with {kind}:")
        if (self.web_certificate is None) is not (self.web_key is None):
            raise ValueError("web_certificate and web_key go together")
        if self.web_certificate is not None and self.web_tls == "self_signed":
            raise ValueError("web_tls self_signed makes a certificate; web_certificate names one")
        if self.turn_server and not self.turn_secret:
            raise ValueError("turn_server needs turn_secret")
        if self.dead_man_s <= self.heartbeat_age_s_max + self.refresh_s:
            # Otherwise one late beat throws every waiting caller into the fallback queue.
            raise ValueError("dead_man_s must be longer than heartbeat_age_s_max + refresh_s")
        return self

    @property
    def journal_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'journal.db'}"

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'perezvon.db'}"

    @property
    def asterisk_dir(self) -> Path:
        """Configuration, spool and logs of the private Asterisk."""
        return self.data_dir / "asterisk"

    @property
    def web_url(self) -> str:
        """Of the pages, from this machine."""
        scheme = "https" if self.web_certificate or self.web_tls == "self_signed" else "http"
        bind = ipaddress.ip_address(self.web_bind)
        if bind.is_unspecified:
            bind = ipaddress.ip_address("127.0.0.1" if bind.version == 4 else "::1")  # noqa: PLR2004
        host = f"[{bind}]" if bind.version == 6 else str(bind)  # noqa: PLR2004 - of IP
        return f"{scheme}://{host}:{self.web_port}/"

    @property
    def recordings_dir(self) -> Path:
        return self.data_dir / "recordings"

    @property
    def trace_dir(self) -> Path:
        """What passed between us, the switch and the telephones: for evidence."""
        return self.data_dir / "trace"

    @property
    def trace_bytes_max(self) -> int:
        """Of each of its two rings."""
        return self.trace_mb * 1024 * 1024 // 2

    @property
    def secrets_file(self) -> Path:
        return self.data_dir / "secrets.json"

    @property
    def token_file(self) -> Path:
        """The key of the API for this machine's own user."""
        return self.data_dir / "token"

    @property
    def setup_file(self) -> Path:
        """The code with which the first user is made; gone when he is."""
        return self.data_dir / "setup-code"

    @property
    def run_dir(self) -> Path:
        """Sockets. Elsewhere when the data folder's path is too long for the name of one."""
        near = self.data_dir / "run"
        if _fits(near):
            return near
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"perezvon-{os.getuid()}-{digest}"

    @property
    def engine_socket(self) -> Path:
        return self.run_dir / "engine.sock"

    def environment(self) -> dict[str, str]:
        """Variables that give a child process these very settings, whatever files there are."""
        given = {f"{PREFIX}{key.upper()}": value for key, value in self.model_dump().items()}
        return {FILE_VARIABLE: ""} | {
            name: str(value) for name, value in given.items() if value is not None
        }

    def prepare(self) -> None:
        """Make our folders, closed to other users. `SettingsError` when that cannot be."""
        if not _fits(self.run_dir):
            raise SettingsError(
                f"data_dir: {self.data_dir} is too long for a socket, and so is the folder for "
                f"temporary files, {tempfile.gettempdir()}; choose a shorter one"
            )
        for folder in (self.data_dir, self.run_dir):
            try:
                _make_private(folder)
            except OSError as error:
                raise SettingsError(f"data_dir: {folder}: {error.strerror}") from error
        for folder in (self.asterisk_dir, self.recordings_dir, self.cache_dir):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                key = "cache_dir" if folder == self.cache_dir else "data_dir"
                raise SettingsError(f"{key}: {folder}: {error.strerror}") from error


def load(**options: object) -> Settings:
    """The settings; `options` are those of the command line (None: not given)."""
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    problems = _unknown_variables(os.environ)
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems += [_problem(detail, given) for detail in error.errors()]
    else:
        if not problems:
            return settings
    raise SettingsError("\n".join(problems))


def _problem(detail: Mapping[str, Any], options: Mapping[str, object]) -> str:
    if not detail["loc"]:
        return _reason(detail)
    key = str(detail["loc"][0])
    variable = f"{PREFIX}{key.upper()}"
    if key in options:
        source = "option"
    elif os.environ.get(variable):
        source = f"variable {variable}"
    else:
        source = str(_file())
    if detail["type"] == "extra_forbidden":
        return f"{source}: {key}: no such setting{_suggestion(key)}"
    return f"{source}: {key}: {_reason(detail)}"


def _reason(detail: Mapping[str, Any]) -> str:
    return str(detail["msg"]).removeprefix("Value error, ")


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A variable that nobody reads is a slip of the pen, and one that goes unseen for long."""
    known = {f"{PREFIX}{key.upper()}" for key in Settings.model_fields} | {FILE_VARIABLE}
    return [
        f"variable {name}: no such setting{_suggestion(name.removeprefix(PREFIX).lower())}"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known and not name.startswith(_OTHERS)
    ]


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key, Settings.model_fields, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _file() -> Path | None:
    named = os.environ.get(FILE_VARIABLE)
    if named is not None:
        return Path(named).absolute() if named else None
    config_home = _home("XDG_CONFIG_HOME", ".config")
    for candidate in (Path.cwd() / FILE_NAME, config_home / FILE_NAME):
        if candidate.exists():
            return candidate
    return None


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise SettingsError(f"{file}: longer than {FILE_BYTES_MAX} bytes")
        values = tomllib.loads(content.decode())
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: {error}") from error
    for key in _PATHS:
        value = values.get(key)
        if isinstance(value, str):
            # A path in a file is meant from that file, wherever the program is started.
            values[key] = value if value.startswith("~") else str(file.parent / value)
    return values


def _fits(run_dir: Path) -> bool:
    return len(os.fsencode(run_dir / _LONGEST_SOCKET)) <= SOCKET_PATH_BYTES_MAX


def _make_private(folder: Path) -> None:
    """Make it with mode 0700, or see that an existing one is ours alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid != os.getuid():
        raise SettingsError(f"data_dir: {folder} belongs to another user")
    mark = folder / _MARK
    if stat.S_IMODE(state.st_mode) & 0o077:
        # Not mended when it holds things of others: it may be the wrong folder altogether.
        if not mark.exists() and any(folder.iterdir()):
            raise SettingsError(f"data_dir: {folder} is open to other users; chmod 700 it")
        folder.chmod(0o700)
    mark.touch(mode=0o600)
