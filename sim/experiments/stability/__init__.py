"""WHETHER IT COMES BACK: a disturbance, the staircase of loads, and what a system does after them."""
