"""A gRPC proxy in front of the Firestore emulator that can answer as Firestore does on a bad day."""
