"""The whole product under a virtual clock: many mailboxes, every fault there is a word for, and a check of the end."""
