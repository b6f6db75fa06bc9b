"""Metrics as the field reports them."""
