"""The daemon's workers on a simulated clock, disk, platform and model: a seed is a whole story, and replays it."""
