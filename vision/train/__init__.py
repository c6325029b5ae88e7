"""Training of the fire and smoke detector. Needs the extra `train`; nothing else imports this package."""

BOXES_COURSE, WEATHER_COURSE, ULTRALYTICS_COURSE = "boxes.json", "weather.json", "ultralytics.json"
"""The records in a training's folder by which it is known for one of the boxes or of weather alone, or of
ultralytics'."""
