"""RUN: the engine process, its loop, clock, recovery and ports."""
