"""A Cloud Tasks v2 emulator for the laptop: gRPC for the official client, HTTP dispatch, state on disk."""
