"""The pages: files that were built from `web/`, each read and compressed once.

Any address outside the API that names no file is the application's own (`/board`, `/calls/c42`):
it gets the one page there is, whose script reads the address.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

INDEX: Final = "index.html"
ASSETS: Final = "assets/"
"""Their names have a digest of their content in them: they may be kept for ever."""
FOR_EVER: Final = "public, max-age=31536000, immutable"
COMPRESSED: Final = frozenset({".html", ".js", ".css", ".svg", ".json"})
FILES_MAX: Final = 1_000
FILE_BYTES_MAX: Final = 8 * 1024 * 1024

NOT_BUILT: Final = """\
<!doctype html>
<html lang="ru">
<meta charset="utf-8">
<title>Perezvon</title>
<h1>Perezvon</h1>
<p>Контакт-центр работает, но страницы не собраны: <code>make run</code> собирает их.
Табло, реестр и звонки — в терминале:</p>
<pre>perezvon watch
perezvon ledger
perezvon calls
perezvon explain CALL</pre>
<hr>
<div lang="en">
<p>The call centre is running, but its pages were not built: <code>make run</code> builds them.
Board, ledger and calls are in the terminal, by the commands above.</p>
</div>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    compressed: bytes | None
    media_type: str


class Pages:
    """The files of a folder by their path in it. `ValueError` when it cannot be ours."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Page] = {}
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            if len(self._files) >= FILES_MAX or path.stat().st_size > FILE_BYTES_MAX:
                raise ValueError(f"{folder}: more, or larger files, than pages have")
            self._files[path.relative_to(folder).as_posix()] = _page(path)
        if INDEX not in self._files:
            raise ValueError(f"{folder}: has no {INDEX}")

    def get(self, path: str) -> Page | None:
        return self._files.get(path)

    @property
    def index(self) -> Page:
        return self._files[INDEX]


def _page(path: Path) -> Page:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    compressed = gzip.compress(body, mtime=0) if path.suffix in COMPRESSED else None
    return Page(body, compressed, media_type)


@router.get("/{path:path}")
async def show(request: Request, path: str) -> Response:
    pages: Pages | None = request.app.state.pages
    if path.startswith("api/"):
        raise HTTPException(404)
    if pages is None:
        return HTMLResponse(NOT_BUILT)
    page = pages.get(path)
    if page is None:
        if "." in path.rpartition("/")[2]:
            raise HTTPException(404)
        page = pages.index
    headers = {"Vary": "Accept-Encoding"}
    if path.startswith(ASSETS):
        headers["Cache-Control"] = FOR_EVER
    body = page.body
    if page.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = page.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=page.media_type, headers=headers)
