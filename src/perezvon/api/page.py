"""The first page: what this is and where to go on, for who opens the address in a browser."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

PAGE: Final = """\
<!doctype html>
<html lang="ru">
<meta charset="utf-8">
<title>Perezvon</title>
<h1>Perezvon</h1>
<p>Контакт-центр работает. Табло, реестр и звонки — в терминале:</p>
<pre>perezvon watch
perezvon ledger
perezvon calls
perezvon explain CALL</pre>
<p>Для программ: <a href="/api/v1/openapi.json">описание API</a>,
<a href="/api/v1/health">здоровье</a>. Ключ: <code>perezvon token create NAME</code>.</p>
<hr>
<div lang="en">
<p>The call centre is running. Board, ledger and calls are in the terminal, by the commands above.
For programs: <a href="/api/v1/openapi.json">the document of the API</a>,
<a href="/api/v1/health">health</a>. A token: <code>perezvon token create NAME</code>.</p>
</div>
</html>
"""


@router.get("/", response_class=HTMLResponse)
async def show() -> str:
    return PAGE
