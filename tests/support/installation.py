"""`perezvon up` as an operator has it: Asterisk, engine, web and worker, each looked after.

with Installation(plan, root) as whole:
    whole.sign_in("anna")
    os.kill(whole.pid_of("asterisk"), signal.SIGKILL)     # up starts it again
    whole.until_beating()
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from perezvon.asterisk.process import AsteriskFailed, die_with_parent
from perezvon.core.plan import Plan
from perezvon.runtime.local import follow
from perezvon.runtime.ports import Unavailable
from tests.support.asterisk import pbx, prepare
from tests.support.engine import EngineProcess
from tests.support.sipp import until_now

START_S = 90
STOP_S = 30
TEXT_BYTES = 4_000


class Installation(EngineProcess):
    """All that can be asked of an engine; `running` is the Asterisk that `up` runs."""

    def __init__(
        self, plan: Plan, root: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(prepare(plan, root), root, name="up", environment=environment)

    def start(self, *options: str, wait: bool = True) -> Self:
        assert self._child is None
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "perezvon", "up", *options],
                env={
                    **os.environ,
                    **self.settings.environment(),
                    "PEREZVON_ASTERISK": pbx().command[-1],
                    "PEREZVON_LANGUAGE": "en",
                    **self._environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one system call
            )
        if wait:
            try:
                until_now(lambda: "Perezvon is running" in self.said(), START_S, self.log_tail)
                self.until_beating()
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> int:
        child, self._child = self._child, None
        if child is None:
            return 0
        child.terminate()
        try:
            return child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait(STOP_S)

    def pid_of(self, name: str) -> int:
        return int((self.settings.run_dir / f"{name}.pid").read_text())

    def has_booted(self) -> bool:
        """Asterisk, whichever process it is now."""
        with contextlib.suppress(AsteriskFailed):
            return "fully booted" in self.running.cli("core waitfullybooted")
        return False

    def said(self) -> str:
        """What stands on its screen."""
        return self._log.read_text(errors="replace")

    def log_tail(self) -> str:
        engine = self.settings.data_dir / "log" / "engine.log"
        texts = [self.said()] + ([engine.read_text(errors="replace")] if engine.exists() else [])
        return "\n".join(text[-TEXT_BYTES:] for text in texts)

    def alerts(self) -> dict[str, str]:
        """Those on the live board, kind to detail; none of an engine that is away."""
        try:
            rows = asyncio.run(self._board()).get("alerts", {})
        except Unavailable:
            return {}
        return {row["kind"]: row["detail"] for row in rows.values()}

    async def _board(self) -> dict[str, Any]:
        async with contextlib.aclosing(follow(self.settings.engine_socket)) as told:
            async for message in told:
                sections: dict[str, Any] = message["sections"]
                return sections
        raise Unavailable("nothing was told")
