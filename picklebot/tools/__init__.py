"""What a model may do in the world."""
