"""Speed and scale, measured beside what the machine could do: `python3 run.py bench`."""
