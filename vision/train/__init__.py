"""Training of the fire and smoke detector. Needs the extra `train`; nothing else imports this package."""

BOXES_COURSE, ULTRALYTICS_COURSE = "boxes.json", "ultralytics.json"
"""The records in a training's folder by which it is known for one of the boxes alone, or of ultralytics'."""
