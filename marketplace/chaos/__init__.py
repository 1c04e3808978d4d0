"""`python3 run.py chaos`: the whole stack under load, killed and cut off at random, and then held to its word."""
