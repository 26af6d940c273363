"""Kernels, schedules, steps and memory: laws, limits and oracles, never calibrated values."""
