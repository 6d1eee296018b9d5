"""The secrets of an installation: made by us where we may, taken from the environment otherwise.

The plan has names of secrets only. A telephone's is ours to make; a carrier's is the carrier's and
has to be given. They lie in one file that only its owner may read, and are never shown.
"""

import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perezvon.core.plan import DeviceKind, Plan
from perezvon.settings import SECRET_PREFIX
from perezvon.store.vault import Vault

LENGTH_MIN: Final = 20
"""Shorter ones are guessed from outside: telephones are tried day and night."""
FILE_BYTES_MAX: Final = 4_000_000


class SecretError(Exception):
    """The operator can mend it. Never contains a secret."""


@dataclass(frozen=True, slots=True)
class Secrets:
    ari_password: str = field(repr=False)
    by_name: Mapping[str, str] = field(repr=False)
    """Of the plan's names."""
    vault_key: str = field(default="", repr=False)
    """Of what the store keeps encrypted; empty in a file of an older release."""


def resolve(path: Path, plan: Plan, environ: Mapping[str, str] = os.environ) -> Secrets:
    """All secrets of this plan; new ones are made and kept. `SecretError` for those that are
    not ours to make.
    """
    kept = read(path) if path.exists() else Secrets(_make(), {})
    known = dict(kept.by_name)
    missing: list[str] = []
    for name, ours in _names(plan).items():
        variable = variable_of(name)
        given = environ.get(variable)
        if given:
            known[name] = _checked(given, variable, ours=ours)
        elif name not in known and ours:
            known[name] = _make()
        elif name not in known:
            missing.append(variable)
    if missing:
        raise SecretError(f"the plan names secrets that nobody gave: set {', '.join(missing)}")
    found = Secrets(kept.ari_password, known, kept.vault_key or Vault.new_key())
    if found != kept or not path.exists():
        _write(path, found)
    return found


def read(path: Path) -> Secrets:
    """What is kept. `SecretError` when it is not there, or not ours."""
    try:
        state = path.stat()
        if stat.S_IMODE(state.st_mode) & 0o077:
            raise SecretError(f"{path} is open to other users; chmod 600 it")
        if state.st_size > FILE_BYTES_MAX:
            raise SecretError(f"{path} is longer than {FILE_BYTES_MAX} bytes")
        tree = json.loads(path.read_text())
        return Secrets(
            str(tree["ari_password"]),
            {str(k): str(v) for k, v in tree["secrets"].items()},
            str(tree.get("vault_key", "")),
        )
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        # Without the cause: its text has what the file has.
        raise SecretError(f"{path} is damaged; mend it, or remove it to make new ones") from None


def vault_key(path: Path) -> str:
    """For the web process; empty when there is no file, which `perezvon up` makes."""
    return read(path).vault_key if path.exists() else ""


def variable_of(name: str) -> str:
    """The environment variable that gives the secret of this name."""
    return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


def _names(plan: Plan) -> dict[str, bool]:
    """Name of each secret of the plan to whether it is ours to make."""
    ours = {
        agent.secret or agent.id: True
        for agent in plan.agents
        if any(device is not DeviceKind.MOBILE for device in agent.devices)
    }
    return ours | {trunk.secret: False for trunk in plan.trunks if trunk.secret}


def _checked(value: str, variable: str, *, ours: bool) -> str:
    if ours and len(value) < LENGTH_MIN:
        raise SecretError(f"{variable}: a telephone's secret has {LENGTH_MIN} characters at least")
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise SecretError(f"{variable}: a secret is printable ASCII without blanks around it")
    return value


def _make() -> str:
    return secrets.token_urlsafe(24)


def _write(path: Path, found: Secrets) -> None:
    """Whole or not at all, and at no moment readable by others."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    tree = {
        "ari_password": found.ari_password,
        "vault_key": found.vault_key,
        "secrets": dict(sorted(found.by_name.items())),
    }
    text = json.dumps(tree, indent=1)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SecretError(f"{path}: {error.strerror}") from error
