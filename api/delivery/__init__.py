"""How alerts leave the house: one file a channel, retries and giving up in `outbox.py` alone."""
