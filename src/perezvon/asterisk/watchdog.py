"""The watchdog's questions to Asterisk, each answered by another part of it; the silent are named.

A lock-up seldom takes all of it: when the registry of applications is locked (#2170), channels are
still listed, talks go on, and yet no new caller reaches the engine. So each part is asked by
itself, all at once, and within a time that a merely slow Asterisk keeps.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable
from enum import StrEnum
from typing import Final

import aiohttp

from perezvon.asterisk import conf
from perezvon.asterisk.ari import Address
from perezvon.core.ids import SECOND, Duration

ANSWER_MS: Final[Duration] = 2_500
"""Longer than a slow Asterisk takes: one that needs a second or two is not to be restarted."""

SOCKET_MS: Final[Duration] = 4_000
"""Two answers one after the other: the socket's own, and that of the request over it."""

OPTIONS_AGAIN_S: Final = 1
"""UDP may lose one."""

APP: Final = "watchdog"
"""An application of its own, which no call ever enters. It has no subscriptions: such a one can be
left without harm (measured: 3,000 times in 6 s, and no memory was lost)."""

ENDPOINT: Final = "perezvon-watchdog"
"""Known to SIP, so that its questions are no entries in the log of strangers; it can do nothing."""

OK: Final = 200


class Part(StrEnum):
    """What an alert names."""

    APPLICATIONS = "ARI applications"
    CHANNELS = "ARI channels"
    SOCKET = "ARI WebSocket"
    SIP = "SIP"


def endpoint(password: str) -> str:
    """Its sections of pjsip.conf: asked for a password that nobody gives, which is an answer."""
    return conf.section(
        ENDPOINT, type="endpoint", transport="transport-udp", context="nowhere",
        auth=ENDPOINT, identify_by="username", disallow="all", allow="alaw",
    ) + conf.section(
        ENDPOINT, type="auth", auth_type="userpass", username=ENDPOINT,
        password=conf.secret("ari_password", password),
    )  # fmt: skip


async def silent_parts(ari: Address, sip: tuple[str, int]) -> tuple[Part, ...]:
    """Ask all; give those that did not answer in time. `sip`: host and UDP port."""
    login = aiohttp.encode_basic_auth(ari.user, ari.password)
    async with aiohttp.ClientSession(headers={"Authorization": login}, trust_env=False) as session:
        asked = {
            Part.APPLICATIONS: _in_time(_lists(session, f"{ari.url}/applications"), ANSWER_MS),
            Part.CHANNELS: _in_time(_lists(session, f"{ari.url}/channels"), ANSWER_MS),
            Part.SOCKET: _in_time(_goes_round(session, ari.url), SOCKET_MS),
            Part.SIP: _in_time(_takes_options(sip), ANSWER_MS),
        }
        answered = await asyncio.gather(*asked.values())
    return tuple(part for part, answer in zip(asked, answered, strict=True) if not answer)


async def _in_time(question: Awaitable[bool], wait_ms: Duration) -> bool:
    try:
        async with asyncio.timeout(wait_ms / SECOND):
            return await question
    except (aiohttp.ClientError, OSError, ValueError):
        return False


async def _lists(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url) as reply:
        return reply.status == OK


async def _goes_round(session: aiohttp.ClientSession, url: str) -> bool:
    """A new socket, a request over it, its answer: as the engine has it after each restart."""
    async with session.ws_connect(f"{url}/events", params={"app": APP}) as socket:
        request = {
            "type": "RESTRequest",
            "request_id": "1",
            "method": "GET",
            "uri": "asterisk/ping",
        }
        await socket.send_str(json.dumps({**request, "transaction_id": "1"}))
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                reply = json.loads(message.data)
                if reply.get("type") == "RESTResponse":
                    return bool(reply.get("status_code") == OK)
        return False


async def _takes_options(sip: tuple[str, int]) -> bool:
    """Whatever it answers: it reads what comes, and works on it."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Listener(answer), remote_addr=sip
    )
    try:
        text = _options(sip, transport.get_extra_info("sockname"))
        while not answer.done():
            transport.sendto(text)
            await asyncio.wait({answer}, timeout=OPTIONS_AGAIN_S)
        answer.result()
    finally:
        transport.close()
    return True


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[None]) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - its one peer
        if data.startswith(b"SIP/2.0 ") and not self._answer.done():
            self._answer.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)


def _options(sip: tuple[str, int], own: tuple[str, int]) -> bytes:
    host, port = sip
    here = f"[{own[0]}]:{own[1]}" if ":" in own[0] else f"{own[0]}:{own[1]}"
    there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    call = secrets.token_hex(8)
    return (
        f"OPTIONS sip:{there} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{call};rport\r\n"
        f"From: <sip:{ENDPOINT}@{there}>;tag={call}\r\nTo: <sip:{there}>\r\n"
        f"Call-ID: {call}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:{here}>\r\nContent-Length: 0\r\n\r\n"
    ).encode()
