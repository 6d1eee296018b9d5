"""DECIDE: the deterministic part. No clock, no chance, no I/O; see ARCHITECTURE.md."""
