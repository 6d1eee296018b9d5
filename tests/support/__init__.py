"""What tests share: real switches, real callers, free ports."""
