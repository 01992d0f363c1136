"""The whole laptop cloud under faults: processes killed, emulators frozen, Firestore answering with errors."""
