"""Tests of the Firestore proxy."""
