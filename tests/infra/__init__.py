"""What is deployed, and how it is operated."""
