"""Write the document of the API to web/openapi.json, from which the pages' client is generated."""

import json
from pathlib import Path

from perezvon.api.app import document

TARGET = Path(__file__).parents[1] / "web" / "openapi.json"


def main() -> None:
    TARGET.write_text(text())


def text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    main()
