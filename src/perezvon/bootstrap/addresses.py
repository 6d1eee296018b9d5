"""By which addresses this machine is on its networks."""

import subprocess


def own_addresses() -> list[str]:
    """Without the loopback's; none where they cannot be told."""
    try:
        told = subprocess.run(
            ["hostname", "-I"], capture_output=True, text=True, check=False, timeout=5
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return told.split()
