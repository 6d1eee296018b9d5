"""TELL: deliveries to the outside, through the outbox."""
