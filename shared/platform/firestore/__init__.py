"""Firestore made into the documents port."""
