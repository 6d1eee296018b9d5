"""Ties a program to the life of the one that starts it, then becomes that program.

Run as a script by the supervisor (`python -I -S tether.py SUPERVISOR_PID program …`), so it
imports the standard library only. The promise: however the supervisor ends, `kill -9` included,
the program ends too. A `preexec_fn` would do the same between fork and exec, where a process
with threads may not safely run Python.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    supervisor, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        # It died before the line above: nobody would end us any more.
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main()
