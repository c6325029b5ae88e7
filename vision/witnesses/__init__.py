"""Other witnesses: satellites, rangers, residents, gauges, fixed cameras, weather.

Pure readers turn what they say into sightings (`sighting.py`), each with its own error and its
own class of witness; `agreement.py` says how sure several of them make us; `joining.py` which
incident a sighting belongs to.
"""
