"""Losses of both tasks and the learned weights between them."""
