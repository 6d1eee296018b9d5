"""The wheel carries the built pages. An editable installation finds them in `web/dist` instead."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from scripts import pages  # noqa: PLC0415 - this checkout's, found by the line above

        pages.install()
        pages.build()
        build_data["force_include"][str(Path(self.root, "web", "dist"))] = "perezvon/pages"
