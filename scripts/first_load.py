"""How much script an agent's browser loads before he can work, gzipped; and that it stays little.

Counted by Vite's manifest: the entry, the desk and its telephone, each with all that it imports.
The telephone is a chunk of its own, but the desk asks for it at once.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Final, TypedDict

LIMIT_BYTES: Final = 300_000
WANTED: Final = ("index.html", "src/pages/desk/desk.tsx", "src/phone/sip.ts")


class Chunk(TypedDict, total=False):
    file: str
    imports: list[str]


def check(dist: Path) -> int:
    """Print it; the exit status is 1 when it is too much."""
    sizes = weigh(dist)
    total = sum(sizes.values())
    print(f"first load of the desk: {total / 1000:.1f} kB of script gzipped, in {len(sizes)} files")
    if total <= LIMIT_BYTES:
        return 0
    for name, size in sorted(sizes.items(), key=lambda each: -each[1]):
        print(f"  {size / 1000:8.1f} kB  {name}", file=sys.stderr)
    print(f"that is more than {LIMIT_BYTES / 1000:.0f} kB", file=sys.stderr)
    return 1


def weigh(dist: Path) -> dict[str, int]:
    manifest: dict[str, Chunk] = json.loads((dist / ".vite" / "manifest.json").read_text())
    files: set[str] = set()
    ahead = list(WANTED)
    seen = set(ahead)
    while ahead:
        chunk = manifest[ahead.pop()]
        files.add(chunk["file"])
        fresh = set(chunk.get("imports", ())) - seen
        seen |= fresh
        ahead += fresh
    return {name: len(gzip.compress((dist / name).read_bytes())) for name in files}
