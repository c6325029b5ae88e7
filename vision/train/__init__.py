"""Training of the fire and smoke detector. Needs the extra `train`; nothing else imports this package."""

ULTRALYTICS_COURSE = "ultralytics.json"
"""The record in a training's folder by which it is known for one of ultralytics'."""
