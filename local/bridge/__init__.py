"""Pub/Sub push of the laptop cloud: pulls from the emulator, posts what production posts."""
