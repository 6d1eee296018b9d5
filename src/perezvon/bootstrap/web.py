"""The web process: the API and the live feed, until a signal ends it.

It owns no call: killed at any moment, it takes nothing with it but its clients' connections.
"""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

import perezvon
from perezvon.api.app import create_app
from perezvon.api.context import Context, Phones, Softphones
from perezvon.api.pages import INDEX, Pages
from perezvon.bootstrap import secrets as secrets_of
from perezvon.bootstrap import tls
from perezvon.bootstrap.asterisk import phone_url
from perezvon.bootstrap.authority import Certificate
from perezvon.bootstrap.evidence_child import EvidenceChild
from perezvon.bootstrap.ports import PortTaken
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from perezvon.store.books import Books
from perezvon.store.database import Location
from perezvon.store.journal import wall_clock
from perezvon.store.vault import Vault

log = structlog.get_logger("web")

CONNECTIONS_MAX: Final = 1_000
"""Beyond it a request is answered 503 at once."""

WAITING_MAX: Final = 128
"""Connections not yet taken."""

SWITCH_S: Final = 0.0001
"""How long a thread that counts may keep the interpreter from the loop. Each message of the live
feed gives it up for its system call: with Python's own 5 ms the last of 500 waited half a second.
"""

NICE: Final = 5
"""Calls come first: when hundreds look on, the engine and the switch need not wait for a turn."""

GRACE_S: Final = 3
"""For requests under way when the process is told to end."""

MESSAGE_BYTES_MAX: Final = 64 * 1024
"""On a WebSocket: the longest are offers of sound by softphones."""


@dataclass(frozen=True, slots=True)
class WebOptions:
    location: Location
    engine: Path
    """Socket of the engine."""
    host: str = "127.0.0.1"
    port: int = 8080
    origins: tuple[str, ...] = ()
    softphones: Softphones = field(default_factory=Softphones)
    certificate: Certificate | None = None
    """None: plain HTTP."""
    renewed: Callable[[], Certificate | None] = lambda: None
    """Which it is by now. `CertificateError` when it is of no use."""
    hsts: bool = False
    vault_key: str = field(default="", repr=False)
    proxies: tuple[str, ...] = ()
    setup_file: Path | None = None
    phones: Phones | None = None
    recordings: Path | None = None
    evidence: EvidenceChild | None = None


class Server(uvicorn.Server):
    """Ends well at SIGTERM: uvicorn's own way is to die of the signal once all is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


def run(ours: Settings) -> int:
    """The web process as `perezvon up` starts it."""
    os.nice(NICE)
    sys.setswitchinterval(SWITCH_S)
    location = Location(ours.data_dir, ours.database_url or "")
    try:
        certificate = tls.certificate_of(ours, wall_clock())
    except tls.CertificateError as error:
        log.error("certificate_unusable", error=str(error))  # noqa: TRY400 - no bug, no traceback
        return 1
    options = WebOptions(
        location,
        ours.engine_socket,
        ours.web_bind,
        ours.web_port,
        vault_key=secrets_of.vault_key(ours.secrets_file),
        proxies=(ours.web_proxy,) if ours.web_proxy else (),
        setup_file=ours.setup_file,
        phones=_phones(ours),
        softphones=_softphones(ours),
        certificate=certificate,
        renewed=lambda: tls.certificate_of(ours, wall_clock()),
        # Who gave up our own authority could not come back to this name.
        hsts=ours.web_tls != "self_signed",
        recordings=ours.recordings_dir,
        evidence=EvidenceChild(ours),
    )
    return serve(options)


def _phones(ours: Settings) -> Phones:
    def secret_of(name: str) -> str:
        try:
            return secrets_of.read(ours.secrets_file).by_name.get(name, "")
        except secrets_of.SecretError as error:
            log.error("secrets_unreadable", error=str(error))  # noqa: TRY400 - no bug, no traceback
            return ""

    host = "" if ip_address(ours.sip_bind).is_unspecified else ours.sip_bind
    return Phones(host, ours.sip_port, secret_of)


def _softphones(ours: Settings) -> Softphones:
    if ours.switch != "asterisk":
        return Softphones()
    return Softphones(
        url=phone_url(ours),
        stun=ours.stun_server,
        turn=ours.turn_server,
        turn_secret=ours.turn_secret,
    )


def serve(options: WebOptions) -> int:
    """Until SIGTERM or SIGINT; the exit status. `PortTaken` when somebody else listens."""
    listener = listen(options.host, options.port)
    try:
        books = Books.open(options.location)
    except Unavailable as error:
        listener.close()
        log.error("store_unavailable", error=str(error))  # noqa: TRY400 - no bug, no traceback
        return 1
    try:
        log.info("listening", host=options.host, port=options.port)
        uvloop.run(_serve(options, books, listener))
    finally:
        books.close()
        listener.close()
    return 0


async def _serve(options: WebOptions, books: Books, listener: socket.socket) -> None:
    server = make_server(options, books)
    # What is made once lives for ever: a collection that looks through all of it is a quarter of
    # a second in which nobody is told anything.
    gc.collect()
    gc.freeze()
    keeping = asyncio.create_task(_keep_certificate(server, options))
    try:
        await server.serve(sockets=[listener])
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_certificate(server: Server, options: WebOptions) -> None:
    context = server.config.ssl
    if options.certificate is not None and context is not None:
        await tls.Served(context, options.renewed, options.certificate).keep()


def make_server(options: WebOptions, books: Books, app: FastAPI | None = None) -> Server:
    """`app`: another than the one that these options make."""
    if app is None:
        app = create_app(_context(options, books))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom we believe that is the application's business.
        proxy_headers=False,
        ssl_certfile=options.certificate.chain if options.certificate else None,
        ssl_keyfile=options.certificate.key if options.certificate else None,
        ws="websockets-sansio",
        ws_max_size=MESSAGE_BYTES_MAX,
        # It would be compressed for each of hundreds anew, to save some 2 kB a second.
        ws_per_message_deflate=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=GRACE_S,
    )
    config.load()
    return Server(config)


def _context(options: WebOptions, books: Books) -> Context:
    return Context(
        books,
        options.engine,
        wall_clock,
        options.origins,
        built_pages(),
        softphones=options.softphones,
        vault=Vault(options.vault_key) if options.vault_key else None,
        proxies=options.proxies,
        hsts=options.hsts,
        setup_file=options.setup_file,
        recordings=options.recordings,
        evidence=options.evidence,
        phones=options.phones,
    )


def built_pages() -> Pages | None:
    """Beside the package in a checkout, inside it when installed."""
    package = Path(perezvon.__file__).parent
    for place in (package / "pages", package.parents[1] / "web" / "dist"):
        if (place / INDEX).is_file():
            return Pages(place)
    log.warning("pages_not_built")
    return None


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(WAITING_MAX)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port, "web_port") from error
        raise
    return listener
