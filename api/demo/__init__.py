"""The demo: simulator and service together, told as it happens, scored against the simulator's truth."""
