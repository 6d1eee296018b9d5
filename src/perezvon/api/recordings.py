"""Recordings of talks: to hear (in parts, as players want them), to draw, to keep."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Context, Ctx, Shown
from perezvon.api.errors import ApiError, ErrorBody, not_found
from perezvon.api.ranges import asked
from perezvon.api.roles import Permission
from perezvon.api.routing import CALL, CallInPath
from perezvon.api.trail import trail_of
from perezvon.core.ids import MINUTE, Duration, Instant
from perezvon.store.any_call import find_call
from perezvon.store.recordings import (
    RecordingRow,
    get_recording,
    legs_of_call,
    open_recording,
    recordings_of,
)

router = APIRouter(tags=["recordings"], responses=ERRORS)

MEDIA_TYPE: Final = "audio/mpeg"
BLOCK_BYTES: Final = 64 * 1024
SOON_MS: Final[Duration] = 10 * MINUTE
"""After a talk's end; a recording that is not there by then does not come."""

ONE_HEARING_MS: Final[Duration] = 10 * MINUTE
HEARD_MAX: Final = 10_000

RecordingId = Annotated[str, InPath(max_length=100, pattern=r"^[0-9A-Za-z_]+$")]


class Recording(Shown):
    id: str
    call: str
    started_at: int
    duration_ms: int
    size: int
    """In bytes."""


class Recordings(Shown):
    items: list[Recording]
    """Oldest first."""
    is_pending: bool
    """The call goes on, or is just over: there may be another one soon."""


class Peaks(Shown):
    duration_ms: int
    agent: list[int]
    """How loud each of as many equal parts is, 0 to 255."""
    client: list[int]


@router.get(f"/calls/{CALL}/recordings")
def read_recordings_of_call(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.HEAR_RECORDINGS)],
    call: CallInPath,
) -> Recordings:
    within = ctx.within(principal, Permission.HEAR_RECORDINGS)
    found = find_call(ctx.books.fresh(), call, within)
    if found is None:
        raise not_found("call")
    rows = recordings_of(ctx.books.stored, call)
    made = {row.id for row in rows}
    now = ctx.now()
    # Of a call without a talk nothing was recorded, and nothing is to come.
    is_pending = found.ended_at is None or any(
        leg.stem not in made
        and (leg.over_at is None or (bool(found.talk_ms) and now - leg.over_at < SOON_MS))
        for leg in legs_of_call(ctx.books.stored, call)
    )
    items = [Recording.model_validate(row) for row in rows]
    return Recordings(items=items, is_pending=is_pending and ctx.recordings is not None)


class Heard:
    """Who hears what just now: a player asks for many parts, and that is one hearing."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, str], Instant] = OrderedDict()

    def is_new(self, principal: Principal, recording: str, now: Instant) -> bool:
        key = (principal.id, recording)
        until = self._until.pop(key, 0)
        self._until[key] = now + ONE_HEARING_MS
        while len(self._until) > HEARD_MAX:
            self._until.popitem(last=False)
        return now >= until


@router.get(
    "/recordings/{recording}",
    response_class=StreamingResponse,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "An MP3: agent left, client right"},
        206: {"content": {MEDIA_TYPE: {}}, "description": "The part that was asked for"},
        416: {"model": ErrorBody},
    },
)
def hear_recording(
    request: Request,
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.HEAR_RECORDINGS)],
    recording: RecordingId,
    *,
    download: Annotated[bool, Query(description="To be kept as a file")] = False,
    range_: Annotated[str | None, Header(alias="range", max_length=200)] = None,
    if_range: Annotated[str | None, Header(max_length=200)] = None,
) -> StreamingResponse:
    row, folder = _recording(ctx, principal, recording)
    try:
        with open_recording(folder, row) as sound:
            size = sound.size
    except FileNotFoundError:
        raise ApiError(410, "gone", "the file of this recording was removed") from None
    tag = f'"{row.id}-{row.made_at}"'
    part = asked(range_, size) if if_range in {None, tag} else None
    first, length = part or (0, size)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(length), "ETag": tag}
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    kind = "attachment" if download else "inline"
    headers["Content-Disposition"] = f'{kind}; filename="{row.id}.mp3"'
    heard: Heard = request.app.state.heard
    trail_of(request).reading = heard.is_new(principal, row.id, ctx.now())
    blocks = _blocks(folder, row, first, length)
    return StreamingResponse(blocks, 200 if part is None else 206, headers, MEDIA_TYPE)


@router.get("/recordings/{recording}/peaks")
def read_peaks(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.HEAR_RECORDINGS)],
    recording: RecordingId,
) -> Peaks:
    """To draw it: a thousand parts at most."""
    row, _ = _recording(ctx, principal, recording)
    return Peaks(
        duration_ms=row.duration_ms, agent=list(row.agent_peaks), client=list(row.client_peaks)
    )


def _recording(ctx: Context, principal: Principal, id_: str) -> tuple[RecordingRow, Path]:
    row = get_recording(ctx.books.stored, id_)
    within = ctx.within(principal, Permission.HEAR_RECORDINGS)
    if row is None or ctx.recordings is None or not find_call(ctx.books.fresh(), row.call, within):
        raise not_found("recording")
    return row, ctx.recordings


def _blocks(folder: Path, row: RecordingRow, first: int, length: int) -> Iterator[bytes]:
    with open_recording(folder, row) as sound:
        while length > 0:
            block = sound.read(first, min(length, BLOCK_BYTES))
            if not block:
                return
            first += len(block)
            length -= len(block)
            yield block
