"""Training of the fire and smoke detector. Needs the extra `train`; nothing else imports this package."""
